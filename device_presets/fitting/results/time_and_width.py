"""Reports effects of time and pulse width, and puts them into the preset as far as its law has
them; amplitudes are left out."""

import math

import numpy as np

from device_presets.fitting.model.effects import ASSUMED_STEEPNESS, GAP, LEAK, LOG_LOSS, WIDTH
from device_presets.fitting.results.intervals import Quantity
from device_presets.fitting.results.population import MeanDevice, Population
from rpu_ssnn.devices.law_parameter import Value

_ASSUMED_WIDTH_S = 1e-6
_ASSUMED_ONSET_S = 1.0

_VARIED = 0.01
"""Amplitudes that differ by more than this share count as different."""

_LOSS = ("loss_per_decade", "loss_onset_s")

_REPORTED = {
    "tau": ("leak_time_constant_s", "s", ""),
    "loss": ("loss_per_decade", "1", ""),
    "onset": ("loss_onset_s", "s", ""),
    "rest": ("reset_level", "weight", "the weight to which a device relaxes without pulses"),
    "knee": ("width_knee_s", "s", ""),
    "power": ("width_steepness", "1", ""),
    "gap_tau": ("gap_time_constant_s", "s", ""),
    "read": ("retention read noise", "weight", "of the retention readings alone"),
}
"""The numbers of ``Effects``, each with its name in presets (if it has one), unit and note."""

_ALIKE = "times between rows are nearly equal, so a leak looks like a step that falls linearly"


def effect_quantities(p: Population) -> list[Quantity]:
    """Returns the numbers of the fitted terms with their intervals, and a line for each term that
    was not seen.

    Args:
        p: The population under one model.
    """
    timing = p.fit.prepared.timing
    if timing is None:
        return []
    found = [_number(p, key) for key in p.device().effects]
    terms = p.fit.layout.effects.terms
    missing = [term for term in timing.asked if term not in terms]
    alike = timing.elapsed.any() and LEAK not in timing.asked
    if alike or {LEAK, LOG_LOSS} <= set(missing):
        why = _ALIKE if alike else "no leak was seen"
        found.append(Quantity("leak_time_constant_s", None, None, None, "s", why))
    for term in [term for term in missing if term in (WIDTH, GAP)]:
        why = f"no dependence of the step on the {term} was seen"
        found.append(Quantity(f"{term} dependence", None, None, None, "", why))
    return found


def _number(p: Population, key: str) -> Quantity:
    name, unit, note = _REPORTED[key]
    ask = p.quantity if key in ("rest", "power") else p.positive
    if key == "rest":
        note = f"{p.shown(p.device().effects[key])}, {note}"
    one = ask(name, unit, lambda device: device.effects[key] - (key == "power"), note)
    if one.low is not None and one.low == one.high:
        return one.opened().noted("at the limit of the values tried")
    return one


def effect_values(p: Population, device: MeanDevice) -> dict[str, Value]:
    """Returns the parameters of the preset other than those of the step."""
    timing, terms, given = p.fit.prepared.timing, p.fit.layout.effects.terms, device.effects
    if timing is None:
        return {}
    values: dict[str, Value] = {}
    charge_trap = p.fit.layout.as_charge_trap
    if LEAK in terms:
        values["leak_time_constant_s"] = given["tau"]
    loses = charge_trap and LOG_LOSS in terms
    if LEAK in terms or loses:
        values["reset_level"] = given["rest"]
    if wait := longest_wait_s(p):
        values["longest_wait_s"] = wait
    if retention_setting(p):
        values["leak_time_constant_s"] = math.inf
    if charge_trap:
        width = timing.width_0 if math.isfinite(timing.width_0) else _ASSUMED_WIDTH_S
        values |= {
            "pulse_width_s": width,
            "step_width_s": width,
            "width_knee_s": given.get("knee", 0.0),
            "width_steepness": given.get("power", 1.0 + ASSUMED_STEEPNESS) - 1.0,
            "gap_time_constant_s": given.get("gap_tau", 0.0),
            "loss_per_decade": given.get("loss", 0.0),
            "loss_onset_s": given.get("onset", _ASSUMED_ONSET_S),
            **({"write_noise": 0.0} if loses else {}),
        }
        if GAP in terms:  # The period allows even the widest pulse the shortest measured gap.
            ends = measured_ranges(p)["pulse_period_s"]
            values["pulse_period_s"] = min(ends[0] + float(np.max(timing.width)) - width, ends[1])
    elif math.isfinite(timing.width_0):
        values["pulse_width_s"] = timing.width_0
    return values


def measured_ranges(p: Population) -> dict[str, tuple[float, float]]:
    """Returns the shortest and longest values (s) that a fit saw, by parameter: pulse widths if
    they are known, and, if the step depends on the gap, periods at the most frequent width."""
    timing, found = p.fit.prepared.timing, {}
    if timing is not None and math.isfinite(timing.width_0):
        found["pulse_width_s"] = six_digits(timing.width.min()), six_digits(timing.width.max())
        if GAP in p.fit.layout.effects.terms:
            known = (p.fit.prepared.series.pulse != 0) & np.isfinite(timing.gap)
            periods = timing.gap[known] + timing.width_0
            found["pulse_period_s"] = six_digits(periods.min()), six_digits(periods.max())
    return found


def longest_wait_s(p: Population) -> float | None:
    """Returns the longest time (s) without a pulse in the data, beyond which the fitted effects of
    time are extrapolated; None if there are none."""
    timing = p.fit.prepared.timing
    if timing is None or not {LEAK, LOG_LOSS, GAP} & set(p.fit.layout.effects.terms):
        return None
    waits = timing.elapsed + np.where(np.isfinite(timing.age), timing.age, 0.0)
    return six_digits(waits.max())


def six_digits(value: float) -> float:
    """Returns a number rounded as in presets."""
    return float(f"{value:.6g}")


def effect_assumption(p: Population, name: str) -> str | None:
    """Returns why a parameter of time or width is assumed; None if it was measured, or is another
    parameter."""
    timing, terms = p.fit.prepared.timing, p.fit.layout.effects.terms
    if timing is None:
        return None
    if name == "leak_time_constant_s" and retention_setting(p):
        return f"left out: {lost(p)}; a study sets {retention_setting(p)}"
    noise = p.device().read_noise if p.fit.layout.as_charge_trap and LOG_LOSS in terms else 0.0
    if name == "write_noise" and noise > 0.0:  # The nominal range is 2 in weight.
        setting = f"{{simulator: native, device_read_noise: {{white_of_range: {noise / 2:.3g}}}}}"
        return f"left out: read noise of {noise:.3g} in weight; a study sets tile: {setting}"
    missing = {
        "width_knee_s": not {WIDTH, GAP} & set(terms) and "no dependence on width or gap is fitted",
        "width_steepness": WIDTH not in terms and "from charge_trap_pulsed: width is not fitted",
        "gap_time_constant_s": GAP not in terms and "no dependence on the gap is fitted",
        **dict.fromkeys(_LOSS, LOG_LOSS not in terms and "no loss in log-time is fitted"),
    }
    if name in ("pulse_width_s", "step_width_s") and not math.isfinite(timing.width_0):
        return "the file has no pulse widths, so all pulses are treated alike"
    return missing.get(name) or None


def left_out(p: Population) -> list[str]:
    """Returns sentences on what was measured but is not in the preset."""
    timing, told = p.fit.prepared.timing, []
    if timing and any(low < (1.0 - _VARIED) * high for low, high in timing.volts):
        told.append("Pulses of all amplitudes are treated alike, as no law depends on amplitudes.")
    if noise := effect_assumption(p, "write_noise"):
        told.append(f"The preset has {noise}.")
    return told


def effect_phrase(p: Population) -> str:
    """Returns the end of a preset's description: amplitudes, and terms that no preset has with this
    step."""
    volts = p.fit.prepared.timing.volts if p.fit.prepared.timing else ()
    sizes = (" to ".join(dict.fromkeys(f"{end:.4g}" for end in ends)) for ends in volts)
    told = ", ".join(f"{size} V {way}" for size, way in zip(sizes, ("up", "down"), strict=False))
    told = f"; pulses of {told}" if told else ""
    return f"{told}; left out: {lost(p)}" if lost(p) else told


def lost(p: Population) -> str:
    """Returns, in words, the fitted terms that the law of the preset does not have; may be
    empty."""
    if p.fit.layout.held_by_preset:
        return ""
    given, told = p.device().effects, [t for t in (WIDTH, GAP) if t in p.fit.layout.effects.terms]
    if "loss" in given:
        told += [f"{LOG_LOSS} ({100 * given['loss']:.3g} % a decade from {given['onset']:.2g} s)"]
    return ", ".join(told)


def retention_setting(p: Population) -> str:
    """Returns the setting that gives a study the fitted loss in log-time, where the law of the
    preset does not have it; otherwise it is empty.

    A study's loss ends within the range. If the fitted loss leads to a weight beyond it, the share
    grows so that a device at the other end of the range loses as measured.
    """
    given = p.device().effects
    if p.fit.layout.held_by_preset or "loss" not in given:
        return ""
    rest, far = given["rest"], -1.0 if given["rest"] > 0 else 1.0
    toward = min(max(rest, -1.0), 1.0)
    share = min(given["loss"] * (far - rest) / (far - toward), 1.0)
    loss = f"loss_per_decade: {share:.3g}, from_s: {given['onset']:.3g}, toward_state: {toward:.3g}"
    return f"tile: {{simulator: native, retention: {{{loss}}}}}"
