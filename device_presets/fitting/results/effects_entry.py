"""A preset holds some of the effects of time, width and amplitude, and leaves others out."""

import math

from device_presets.fitting.model.effects import (
    AMPLITUDE,
    ASSUMED_STEEPNESS,
    GAP,
    LEAK,
    LOG_LOSS,
    WIDTH,
)
from device_presets.fitting.results.population import MeanDevice, Population
from rpu_ssnn.devices.law_parameter import Value

_ASSUMED_WIDTH_S = 1e-6
_ASSUMED_ONSET_S = 1.0


def effect_values(p: Population, device: MeanDevice) -> dict[str, Value]:
    """Returns the parameters of the preset beside those of the step."""
    timing, terms, given = p.fit.prepared.timing, p.fit.layout.effects.terms, device.effects
    if timing is None:
        return {}
    values: dict[str, Value] = {}
    charge_trap = p.fit.layout.as_charge_trap
    if LEAK in terms:
        values["leak_time_constant_s"] = given["tau"]
    if LEAK in terms or (charge_trap and LOG_LOSS in terms):
        values["reset_level"] = given["rest"]
    if charge_trap:
        values["write_noise"] = 0.0
        width = timing.width_0 if math.isfinite(timing.width_0) else _ASSUMED_WIDTH_S
        knee = given.get("knee", 0.0)
        if "recovery" in given:  # eta = 1 / (1 + recovery) at this width
            knee = width * given["recovery"] ** (1.0 / ASSUMED_STEEPNESS)
        values |= {
            "pulse_width_s": width,
            "step_width_s": width,
            "width_knee_s": knee,
            "width_steepness": given.get("steep", ASSUMED_STEEPNESS),
            "gap_time_constant_s": given.get("gap_tau", 0.0),
            "loss_per_decade": given.get("loss", 0.0),
            "loss_onset_s": given.get("onset", _ASSUMED_ONSET_S),
        }
    elif math.isfinite(timing.width_0):
        values["pulse_width_s"] = timing.width_0
    return values


def effect_assumption(p: Population, name: str) -> str | None:
    """Why such a parameter is assumed; None where it was measured, or is another one."""
    timing, terms = p.fit.prepared.timing, p.fit.layout.effects.terms
    if timing is None:
        return None
    if name == "write_noise" and p.fit.layout.as_charge_trap and p.device().read_noise > 0:
        return (
            f"left out: {p.device().read_noise:.3g} in weight were measured, which a device that "
            f"remembers pulses cannot have; a study's reads may"
        )
    if name in ("pulse_width_s", "step_width_s") and not math.isfinite(timing.width_0):
        return "the file has no widths; all pulses are taken as alike"
    if name == "width_knee_s" and not {WIDTH, GAP} & set(terms):
        return "no dependence on width or gap is fitted: all pulses have step_width_s"
    if name == "width_steepness" and WIDTH not in terms:
        return "as charge_trap_pulsed: one width tells no steepness"
    if name == "gap_time_constant_s" and GAP not in terms:
        return "no dependence on the gap is fitted"
    if name in ("loss_per_decade", "loss_onset_s") and LOG_LOSS not in terms:
        return "no loss in log-time is fitted"
    return None


def left_out(p: Population, device: MeanDevice) -> list[str]:
    """Returns sentences on what was measured and is not in the preset."""
    layout, terms, told = p.fit.layout, p.fit.layout.effects.terms, []
    if not layout.held_by_preset:
        told.append(
            f"The preset leaves out: {_lost(terms)}. Only constant, linear and soft-bounds steps "
            "without a leak have it."
        )
    if AMPLITUDE in terms:
        told.append("The preset leaves out how the step depends on the amplitude.")
    if layout.as_charge_trap and device.read_noise > 0.0:
        told.append("The preset leaves out the read noise, which a study's reads may have.")
    return told


def effect_phrase(p: Population, device: MeanDevice) -> str:
    """The description adds amplitudes, and the terms that no preset holds with this step."""
    timing, terms = p.fit.prepared.timing, p.fit.layout.effects.terms
    if timing is None:
        return ""
    told = ""
    sizes = [volts for volts in timing.volts_0 if math.isfinite(volts)]
    if sizes:
        told += "; pulses of " + " V up, ".join(f"{volts:.4g}" for volts in sizes)
        told += " V down" if len(sizes) > 1 else " V up"
    if AMPLITUDE in terms:
        told += f", a factor of e with each {device.effects['volts']:.3g} V, which no preset holds"
    if not p.fit.layout.held_by_preset:
        told += f"; left out: {_lost(terms)}"
    return told


def _lost(terms: tuple[str, ...]) -> str:
    """Returns the terms that only a ``ChargeTrapDevice`` has, in words."""
    return ", ".join(term for term in terms if term in (LOG_LOSS, WIDTH, GAP))
