"""Draws a device card, which shows a preset and which of its numbers have a source."""

import math
import textwrap
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from device_presets.cards.card import Standing, card
from device_presets.library.preset import Preset
from device_presets.pulsing.pulse_train import pulse_response
from rpu_ssnn.common.files import CREATOR, write_together
from rpu_ssnn.common.wording import plain

COLOURS: dict[Standing, str] = {"sourced": "#009E73", "not known": "0.7"}
"""Sourced numbers are green and all others grey; the card also gives the standing in words."""

_DRAWN, _MOST_PULSES = 8, 1500


def plot_card(preset: Preset, path: Path) -> Path:
    """Draws the pulse response beside the facts, with sourced facts in green.

    Raises:
        InputError: the file cannot be written, or its format is not supported.
    """
    facts = card(preset)
    figure = Figure(figsize=(11.0, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.0, 1.25))
    draw_response(left, preset)
    right.axis("off")
    top = 0.97
    for row, fact in enumerate(facts):
        y = top - row * 0.072
        colour = COLOURS.get(fact.standing, "0.45")
        style = {"va": "center", "fontsize": 8.5, "transform": right.transAxes}
        right.text(0.0, y, fact.what, **style)
        right.text(0.44, y, fact.value, color=colour, fontweight="bold", **style)
        right.text(0.80, y, fact.standing, color=colour, **style)
    title = (plain(f"{preset.name}: {preset.description}"), plain(preset.citation))
    figure.suptitle("\n".join(textwrap.fill(line, 140) for line in title), fontsize=9)
    write_together(preset.name, {path: lambda to: figure.savefig(to, dpi=150, metadata=CREATOR)})
    return path


def draw_response(axes: Axes, preset: Preset) -> None:
    """Draws devices pulsed up to the bound and down again: thin lines, and a thick one for the
    mean."""
    pulses = min(math.ceil(preset.levels), _MOST_PULSES)
    down = pulses if preset.bidirectional else 0
    response = pulse_response(preset, _DRAWN, pulses, down)
    table = response.pivot_table(index="pulse", columns="device", values="weight")
    axes.plot(table.index, table.to_numpy(), color="#56B4E9", lw=0.5, alpha=0.6)
    axes.plot(table.index, table.mean(axis=1), color="black", lw=1.6)
    axes.axhline(preset.w_max, color="black", lw=0.6, ls=":")
    axes.axhline(preset.w_min, color="black", lw=0.6, ls=":")
    axes.set_xlabel(f"pulse number (thick: mean of {_DRAWN} devices, dotted: bounds)", fontsize=8)
    axes.set_ylabel("weight (normalised conductance)", fontsize=8)
