"""A device card: what a preset is, at a glance, and which of it has a source."""

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from device_presets.cards.card import Standing, card
from device_presets.library.preset import Preset
from device_presets.pulsing.pulse_train import pulse_response
from rpu_ssnn.common.files import write_together
from rpu_ssnn.common.wording import plain

COLOURS: dict[Standing, str] = {"sourced": "#009E73", "assumed": "0.45", "not known": "0.7"}
"""Green for what a source gives, grey for the rest; the words stand beside them."""

_DRAWN, _MOST_PULSES = 8, 1500


def sourced_share(preset: Preset) -> float:
    """The share of the known facts of a card that a source gives."""
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
