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

_FACTS = (
    ("noise of a reading", "write_noise"),
    ("spread of steps between devices", "step_spread"),
    ("spread of bounds between devices", "w_max_spread"),
    ("devices that never move", "failed_share"),
    ("retention", "leak_time_constant_s"),
    ("charge lost per decade of time", "loss_per_decade"),
    ("pulse width", "pulse_width_s"),
    ("energy per pulse", "energy_per_pulse_j"),
    ("endurance", "endurance_cycles"),
)
"""Each of these facts depends on a single parameter, whose name follows the fact in words."""


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
    what, states, asymmetry = "states over the range", f"{up:.5g} states", "no gradual down step"
    if preset.bidirectional:
        what, states = f"{what}, up / down", f"{up:.5g} / {down:.5g} states"
        asymmetry = f"{asymmetry_at_zero(preset):.3g} of the larger step"
    standing = standing_of(preset.parameters["asymmetry"], *by_shape)
    facts = [
        Fact(what, states, standing_of(preset.parameters["levels"], *beyond)),
        Fact("asymmetry of the mean steps", asymmetry, standing),
    ]
    if shape:
        shares = [f"{share:.3g}" for share in shrinkage_at_bounds(preset) if not math.isnan(share)]
        value = f"{' / '.join(shares)} of the step" if shares else "no step at 0"
        facts.append(Fact("decrease of the step at the bound", value, standing_of(*shape)))
    noises = [f"{share:.4g}" for share in noise_at_zero(preset) if not math.isnan(share)]
    value = f"{' / '.join(dict.fromkeys(noises))} step" if noises else "no step at 0"
    facts.append(Fact("noise of a pulse", value, standing_of(preset.parameters["cycle_to_cycle"])))
    return facts + [_fact(preset, *fact) for fact in _FACTS if fact[1] in preset.parameters]


def _fact(preset: Preset, what: str, name: str) -> Fact:
    shown = [preset.parameters[name]]
    value, unit = shown[0].value, shown[0].unit
    text = "not known" if value is None else f"{value:.4g}{'' if unit == '1' else f' {unit}'}"
    if name == "write_noise":
        share = reading_noise_at_zero(preset)
        text = "no step at 0" if math.isnan(share) else f"{share:.4g} step"
    elif name == "w_max_spread":
        low = preset.parameters["w_min_spread"]
        shown.append(low)
        same = f"{value:.4g} of each bound"
        text = same if value == low.value else f"{text}, {low.value:.4g} {low.unit}"
    elif name == "leak_time_constant_s" and value == math.inf:
        text = "log-time loss" if standing_of(*shown) == "left out" else "no exponential decay"
    return Fact(what, text, standing_of(*shown))
