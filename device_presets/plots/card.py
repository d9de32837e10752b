"""A device card: what a preset is, at a glance, and which of it has a source."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from device_presets.preset import Parameter, Preset
from device_presets.pulsing import pulse_response
from device_presets.steps_at_zero import (
    asymmetry_at_zero,
    noise_at_zero,
    reading_noise_at_zero,
    shrinkage_at_bounds,
    states_at_zero,
)
from device_presets.tables import Standing, origins, standing_of
from rpu_ssnn.common.files import write_together
from rpu_ssnn.common.wording import plain

COLOURS: dict[Standing, str] = {"sourced": "#009E73", "assumed": "0.45", "not known": "0.7"}
"""Green for what a source gives, grey for the rest; the words stand beside them."""

_READING = "noise of a reading"
_BOUNDS = "spread of bounds between devices"
_FACTS = (
    (_READING, "write_noise"),
    ("spread of steps between devices", "step_spread"),
    (_BOUNDS, "w_max_spread"),
    ("devices that never move", "failed_share"),
    ("retention", "leak_time_constant_s"),
    ("loss of charge a decade of time", "loss_per_decade"),
    ("pulse width", "pulse_width_s"),
    ("energy a pulse", "energy_per_pulse_j"),
    ("endurance", "endurance_cycles"),
)
"""What a parameter says alone, in words, and its name."""
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
    """What a preset says of its device, in the order of display.

    States, asymmetry, shrinkage and noise are those of the mean device, as `device_presets.tables`
    lists them: a parameter of such a name is one factor of several.
    """
    shape = origins(preset, preset.law.shape)
    by_shape = [] if "slope_up" in preset.parameters else shape  # those are 1 at weight zero
    up, down = states_at_zero(preset)
    states = f"{up:.5g} / {down:.5g} states" if preset.bidirectional else f"{up:.5g} states"
    asymmetry = f"{asymmetry_at_zero(preset):.3g} of the larger step"
    facts = [
        Fact(
            "states over the range, up / down" if preset.bidirectional else "states over the range",
            states,
            standing_of(preset.parameters["levels"]),
        ),
        Fact(
            "asymmetry of the mean steps",
            asymmetry if preset.bidirectional else "no gradual down step",
            standing_of(preset.parameters["asymmetry"], *by_shape),
        ),
    ]
    if shape:
        shares = [f"{share:.3g}" for share in shrinkage_at_bounds(preset) if not math.isnan(share)]
        value = f"{' / '.join(shares)} of the step" if shares else "no step at 0"
        facts.append(Fact("smaller at the bound than at 0", value, standing_of(*shape)))
    noises = [f"{share:.4g}" for share in noise_at_zero(preset) if not math.isnan(share)]
    value = f"{' / '.join(dict.fromkeys(noises))} step" if noises else "no step at 0"
    facts.append(Fact("noise of a pulse", value, standing_of(preset.parameters["cycle_to_cycle"])))
    special = {_BOUNDS: _spread_of_bounds, _READING: _noise_of_a_reading}
    known = [(what, name) for what, name in _FACTS if name in preset.parameters]
    return facts + [
        special[what](preset) if what in special else _fact(what, name, preset.parameters[name])
        for what, name in known
    ]


def _noise_of_a_reading(preset: Preset) -> Fact:
    share = reading_noise_at_zero(preset)
    value = "no step at 0" if math.isnan(share) else f"{share:.4g} step"
    return Fact(_READING, value, standing_of(preset.parameters["write_noise"]))


def _spread_of_bounds(preset: Preset) -> Fact:
    high, low = preset.parameters["w_max_spread"], preset.parameters["w_min_spread"]
    if high.value == low.value:
        return Fact(_BOUNDS, f"{high.value:.4g} of each bound", standing_of(high, low))
    value = f"{high.value:.4g} {high.unit}, {low.value:.4g} {low.unit}"
    return Fact(_BOUNDS, value, standing_of(high, low))


def _fact(what: str, name: str, shown: Parameter) -> Fact:
    value = shown.value
    if value is None:
        return Fact(what, "not known", "not known")
    if name == "leak_time_constant_s" and value == math.inf:
        text = "no exponential decay"
    elif shown.unit in ("1", "yes/no"):
        text = f"{value:.4g}" if not isinstance(value, bool) else str(value)
    else:
        text = f"{value:.4g} {shown.unit}"
    return Fact(what, text, standing_of(shown))


def sourced_share(preset: Preset) -> float:
    """Of the facts of its card that are known, how many a source gives."""
    known = [fact for fact in card(preset) if fact.standing != "not known"]
    return sum(fact.standing == "sourced" for fact in known) / len(known)


def plot_card(preset: Preset, path: Path) -> Path:
    """Draws the pulse response beside the facts, in green where a source gives them.

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
    title = f"{plain(f'{preset.name}: {preset.description}')}\n{plain(preset.citation)}"
    figure.suptitle(title, fontsize=9)
    write_together(preset.name, {path: lambda file: figure.savefig(file, dpi=150)})
    return path


def plot_overview(presets: Sequence[Preset], path: Path) -> Path:
    """Draws all pulse responses on one page; the bar below each is the share of its card with
    a source.

    Raises:
        PresetError: the file cannot be written, or not in that format.
    """
    columns = 4
    lines = math.ceil(len(presets) / columns)
    figure = Figure(figsize=(3.0 * columns, 2.3 * lines), layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False)
    for axes, preset in zip(grid.flat, presets, strict=False):
        draw_response(axes, preset)
        share = sourced_share(preset)
        axes.set_title(plain(f"{preset.name} ({preset.technology})"), fontsize=8)
        axes.set_xlabel(f"pulse; {share:.0%} of its card sourced", fontsize=7)
        axes.set_ylabel("weight", fontsize=7)
        axes.tick_params(labelsize=6)
        for start, end, standing in ((0.0, share, "sourced"), (share, 1.0, "assumed")):
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
