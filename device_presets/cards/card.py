"""Builds the card of a preset: its main facts in words, each with its origin."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from device_presets.library.preset import Parameter, Preset
from device_presets.library.steps_at_zero import (
    asymmetry_at_zero,
    noise_at_zero,
    reading_noise_at_zero,
    shrinkage_at_bounds,
    states_at_zero,
)

type Standing = Literal["sourced", "extrapolated", "left out", "assumed", "not known"]
"""Where a number comes from; `extrapolated` is a range whose bound the fit put beyond the data, and
`left out` what was measured but is not in the preset."""

_READING = "noise of a reading"
_BOUNDS = "spread of bounds between devices"
_FACTS = (
    (_READING, "write_noise"),
    ("spread of steps between devices", "step_spread"),
    (_BOUNDS, "w_max_spread"),
    ("devices that never move", "failed_share"),
    ("retention", "leak_time_constant_s"),
    ("charge lost per decade of time", "loss_per_decade"),
    ("pulse width", "pulse_width_s"),
    ("energy per pulse", "energy_per_pulse_j"),
    ("endurance", "endurance_cycles"),
)
"""Facts that each depend on a single parameter: the fact in words and the parameter's name."""


def origins(preset: Preset, names: tuple[str, ...]) -> list[Parameter]:
    """Returns those of the named parameters that the preset's law has."""
    return [preset.parameters[name] for name in names if name in preset.parameters]


def standing_of(*given: Parameter) -> Standing:
    """Returns the standing of a number that is derived from these parameters."""
    if any(parameter.value is None for parameter in given):
        return "not known"
    for word in ("extrapolated", "left out"):
        if any(word in (parameter.assumption or "") for parameter in given):
            return word
    return "sourced" if all(parameter.source for parameter in given) else "assumed"


@dataclass(frozen=True)
class Fact:
    """Holds one line of a card.

    Args:
        what: the name of the fact.
        value: the number with its unit.
        standing: where the number comes from.
    """

    what: str
    value: str
    standing: Standing


def card(preset: Preset) -> list[Fact]:
    """Returns the facts of a preset's card, in the order of display.

    States, asymmetry, shrinkage and noise are computed for the mean device, as in the list of
    all presets. The parameters with these names are only one of several factors.
    """
    shape = origins(preset, preset.law.shape)
    # If a law has slopes, its steps at weight zero do not depend on them.
    by_shape = [] if "slope_up" in preset.parameters else shape
    up, down = states_at_zero(preset)
    bounds = origins(preset, ("w_max", "w_min"))
    beyond = [bound for bound in bounds if standing_of(bound) == "extrapolated"]
    states = f"{up:.5g} / {down:.5g} states" if preset.bidirectional else f"{up:.5g} states"
    asymmetry = f"{asymmetry_at_zero(preset):.3g} of the larger step"
    facts = [
        Fact(
            "states over the range, up / down" if preset.bidirectional else "states over the range",
            states,
            standing_of(preset.parameters["levels"], *beyond),
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
        facts.append(Fact("decrease of the step at the bound", value, standing_of(*shape)))
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
        text = "log-time loss" if standing_of(shown) == "left out" else "no exponential decay"
    elif shown.unit in ("1", "yes/no"):
        text = f"{value:.4g}" if not isinstance(value, bool) else str(value)
    else:
        text = f"{value:.4g} {shown.unit}"
    return Fact(what, text, standing_of(shown))
