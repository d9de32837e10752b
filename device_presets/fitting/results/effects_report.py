"""The report of time, width and amplitude: numbers of the terms, and what was not seen."""

from dataclasses import replace

import numpy as np

from device_presets.fitting.model.effects import AMPLITUDE, GAP, LEAK, LOG_LOSS, WIDTH, Timing
from device_presets.fitting.results.intervals import Quantity
from device_presets.fitting.results.population import Population

REPORTED = {
    "tau": ("leak_time_constant_s", "s", ""),
    "loss": ("loss_per_decade", "1", ""),
    "onset": ("loss_onset_s", "s", ""),
    "rest": ("reset_level", "weight", "the weight that a device without pulses goes to"),
    "knee": ("width_knee_s", "s", ""),
    "steep": ("width_steepness", "1", ""),
    "recovery": ("gap_recovery", "1", "step without a gap over that of an isolated pulse, less 1"),
    "gap_tau": ("gap_time_constant_s", "s", ""),
    "volts": ("amplitude_scale_v", "V", "the step grows by a factor of e with each"),
}
"""Number of a ``Effects`` -> what presets call it (where they have it), unit, note."""

_ALIKE = "the times between rows are alike: a leak cannot be told from a step that falls linearly"


def effect_quantities(p: Population) -> list[Quantity]:
    """Returns the numbers of the fitted terms with their intervals, and a line for each term not
    seen.

    Args:
        p: The population under one model.
    """
    timing = p.fit.prepared.timing
    if timing is None:
        return []
    found = [_number(p, key) for key in p.device().effects]
    terms = p.fit.layout.effects.terms
    missing = [term for term in timing.asked if term not in terms]
    if LEAK in missing and LOG_LOSS in missing:
        found.append(Quantity("leak_time_constant_s", None, None, None, "s", "not seen"))
    elif timing.elapsed.any() and LEAK not in timing.asked:
        found.append(Quantity("leak_time_constant_s", None, None, None, "s", _ALIKE))
    for term, name in ((WIDTH, "width"), (GAP, "gap"), (AMPLITUDE, "amplitude")):
        if term in missing:
            why = f"no dependence of the step on the {name} seen"
            found.append(Quantity(f"{name} dependence", None, None, None, "", why))
    return found + _constant(timing)


def _number(p: Population, key: str) -> Quantity:
    name, unit, note = REPORTED[key]
    ask = p.quantity if key == "rest" else p.positive
    one = ask(name, unit, lambda device: device.effects[key], note)
    if one.low is not None and one.low == one.high:
        return replace(one, low=None, high=None).noted("at the limit of what is tried")
    return one


def _constant(timing: Timing) -> list[Quantity]:
    """Returns the width and amplitude as measured, where they are alike."""
    found = []
    if timing.constant_width:
        note = "of all pulses"
        found.append(Quantity("pulse_width_s", timing.width_0, None, None, "s", note))
    if AMPLITUDE not in timing.asked and np.isfinite(timing.volts_0[0]):
        note = "of all pulses" if len(set(timing.volts_0)) == 1 else "of the up pulses"
        found.append(Quantity("amplitude_v", timing.volts_0[0], None, None, "V", note))
    return found
