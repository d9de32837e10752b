"""A device card: what a preset is, at a glance, and which of it was measured."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from device_presets.preset import Parameter, Preset
from device_presets.pulsing import pulse_response
from rpu_ssnn.common.files import write_together

type Standing = Literal["measured", "assumed", "not known"]

COLOURS: dict[Standing, str] = {"measured": "#009E73", "assumed": "0.45", "not known": "0.7"}
"""Green for what a source gives, grey for the rest; the words stand beside them."""

_FACTS = (
    ("states over the range", ("levels", "step")),
    ("asymmetry of up and down steps", ("asymmetry",)),
    ("smaller step toward the bound", ("slope_up", "exponent", "gamma_up", "step_factors_up")),
    ("noise of a pulse", ("cycle_to_cycle",)),
    ("noise of a reading", ("write_noise",)),
    ("spread of steps between devices", ("step_spread",)),
    ("spread of bounds between devices", ("w_max_spread",)),
    ("devices that never move", ("failed_share",)),
    ("retention", ("leak_time_constant_s",)),
    ("loss of charge a decade of time", ("loss_per_decade",)),
    ("pulse width", ("pulse_width_s",)),
    ("energy a pulse", ("energy_per_pulse_j",)),
    ("endurance", ("endurance_cycles",)),
)
_DRAWN, _MOST_PULSES = 8, 1500


@dataclass(frozen=True)
class Fact:
    """One line of a card.

    Args:
        what: in words. value: with its unit. standing: where the number comes from.
    """

    what: str
    value: str
    standing: Standing


def card(preset: Preset) -> list[Fact]:
    """What a preset says of its device, in the order of display."""
    facts = []
    for what, names in _FACTS:
        given = next((n for n in names if n in preset.parameters), None)
        if given is None:
            continue
        shown = preset.parameters[given]
        origin = shown
        if given == "levels" and (shown.source or "").startswith("step ="):
            origin = preset.parameters["step"]  # derived from it
        facts.append(_fact(what, given, shown, origin))
    return facts


def _fact(what: str, name: str, shown: Parameter, origin: Parameter) -> Fact:
    value = shown.value
    if value is None:
        return Fact(what, "not known", "not known")
    if isinstance(value, tuple):
        text = ", ".join(f"{v:.3g}" for v in value)
    elif name == "leak_time_constant_s" and value == math.inf:
        text = "no exponential decay"
    elif shown.unit in ("1", "yes/no"):
        text = f"{value:.4g}" if not isinstance(value, bool) else str(value)
    else:
        text = f"{value:.4g} {shown.unit}"
    return Fact(what, text, "measured" if origin.source else "assumed")


def measured_share(preset: Preset) -> float:
    """Of the facts of its card that are known, how many a source gives."""
    known = [fact for fact in card(preset) if fact.standing != "not known"]
    return sum(fact.standing == "measured" for fact in known) / len(known)


def plot_card(preset: Preset, path: Path) -> Path:
    """Draws the pulse response beside the facts, in green where measured.

    Raises:
        PresetError: the file cannot be written, or not in that format.
    """
    facts = card(preset)
    figure = Figure(figsize=(11.0, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.0, 1.25))
    draw_response(left, preset)
    right.axis("off")
    top = 0.97
    for row, fact in enumerate(facts):
        y = top - row * 0.072
        colour = COLOURS[fact.standing]
        style = {"va": "center", "fontsize": 8.5, "transform": right.transAxes}
        right.text(0.0, y, fact.what, **style)
        right.text(0.44, y, fact.value, color=colour, fontweight="bold", **style)
        right.text(0.80, y, fact.standing, color=colour, **style)
    figure.suptitle(f"{preset.name}: {preset.description}\n{preset.citation}", fontsize=9)
    write_together(preset.name, {path: lambda file: figure.savefig(file, dpi=150)})
    return path


def plot_overview(presets: Sequence[Preset], path: Path) -> Path:
    """Draws all pulse responses on one page; the bar below each is the measured share of its card.

    Raises:
        PresetError: the file cannot be written, or not in that format.
    """
    columns = 4
    lines = math.ceil(len(presets) / columns)
    figure = Figure(figsize=(3.0 * columns, 2.3 * lines), layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False)
    for axes, preset in zip(grid.flat, presets, strict=False):
        draw_response(axes, preset)
        share = measured_share(preset)
        axes.set_title(f"{preset.name} ({preset.technology})", fontsize=8)
        axes.set_xlabel(f"pulse; {share:.0%} of its card measured", fontsize=7)
        axes.set_ylabel("weight", fontsize=7)
        axes.tick_params(labelsize=6)
        for start, end, standing in ((0.0, share, "measured"), (share, 1.0, "assumed")):
            axes.plot(
                (start, end),
                (0.01, 0.01),
                color=COLOURS[standing],  # type: ignore[index]
                lw=4,
                transform=axes.transAxes,
                solid_capstyle="butt",
            )
    for axes in grid.flat[len(presets) :]:
        axes.axis("off")
    write_together("overview", {path: lambda file: figure.savefig(file, dpi=150)})
    return path


def draw_response(axes: Axes, preset: Preset) -> None:
    """Devices up to the bound and down again: each thin, their mean thick."""
    pulses = min(math.ceil(preset.levels), _MOST_PULSES)
    down = pulses if preset.bidirectional else 0
    response = pulse_response(preset, _DRAWN, pulses, down)
    table = response.pivot_table(index="pulse", columns="device", values="weight")
    axes.plot(table.index, table.to_numpy(), color="#56B4E9", lw=0.5, alpha=0.6)
    axes.plot(table.index, table.mean(axis=1), color="black", lw=1.6)
    axes.axhline(preset.w_max, color="black", lw=0.6, ls=":")
    axes.axhline(preset.w_min, color="black", lw=0.6, ls=":")
    axes.set_xlabel(f"pulse number; mean of {_DRAWN} devices thick, bounds dotted", fontsize=8)
    axes.set_ylabel("weight (normalised conductance)", fontsize=8)
