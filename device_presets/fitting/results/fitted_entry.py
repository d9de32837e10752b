"""Turns a fitted population into the parameters of a preset, in aihwkit's terms."""

import math

import numpy as np

from device_presets.fitting.reading.measurement import Measurement
from device_presets.fitting.results.intervals import Quantity
from device_presets.fitting.results.population import MeanDevice, Population
from device_presets.fitting.results.quantities import LEAST_NOISE
from device_presets.fitting.results.time_and_width import (
    effect_assumption,
    effect_phrase,
    effect_values,
    measured_ranges,
    six_digits,
)
from device_presets.library.preset_file import ParameterEntry, PresetEntry
from device_presets.library.preset_lookup import preset_of
from device_presets.library.steps_at_zero import asymmetry_of
from rpu_ssnn.common.errors import InputError, require
from rpu_ssnn.devices.fit_form import CONSTANT, LINEAR, NODES, PIECEWISE, SOFT_BOUNDS
from rpu_ssnn.devices.law_parameter import Value
from rpu_ssnn.devices.laws import LAWS

_LINEAR = ("linear", "charge_trap")

_SPREADS = ("w_max_spread", "w_min_spread", "step_spread", "asymmetry_spread")

_STEP_AT_ZERO = (CONSTANT, LINEAR, SOFT_BOUNDS)


def fitted_entry(
    population: Population,
    quantities: list[Quantity],
    found: Measurement,
    drawn: MeanDevice | None = None,
) -> PresetEntry:
    """Returns the preset of a fit; the source of every number gives file, column and interval.

    Args:
        population: The population under the chosen model.
        quantities: The report.
        found: The measurement.
        drawn: The device for the preset; None for the mean device.

    Raises:
        InputError: The numbers are not allowed by the law.
    """
    device = drawn or population.device()
    layout, prepared = population.fit.layout, population.fit.prepared
    law, code = layout.model.law, layout.model.code
    if layout.as_charge_trap:
        law = "charge_trap"
    elif code == CONSTANT and prepared.noisy:
        law = "linear"  # The law of constant steps has no write noise.
    source = f"{found.name}, column {found.column}: fit of the model {layout.name}"
    by_name = {quantity.name: quantity for quantity in quantities}
    values = _values(population, device, law, by_name) | effect_values(population, device)
    if ratio := prepared.scale.on_off_ratio:
        values["on_off_ratio"] = ratio
    # The report's step is the mean at weight zero; aihwkit's is the larger one, so these numbers
    # differ in scale from the report's.
    scaled = ("step", "write_noise", *(() if code in _STEP_AT_ZERO else ("asymmetry",)))
    seen = measured_ranges(population)
    entries: dict[str, ParameterEntry] = {}
    for name, value in values.items():
        assumption = effect_assumption(population, name) or _assumption(population, name, by_name)
        quantity, told = by_name.get(name), source
        if quantity is not None and name not in scaled:
            interval = "" if quantity.low is None else f"95 % interval {quantity.interval}"
            told = "; ".join(filter(None, [source, interval, quantity.note]))
        if assumption is None and not _determined(name, by_name):
            assumption = f"not determined by the data; best estimate from {told}"
        origin = {"assumption": assumption} if assumption else {"source": told}
        one, ends = _rounded(value), seen.get(name)
        entries[name] = ParameterEntry.of(LAWS[law], name, one, **origin, measured=ends)
    one_way = f"{found.name} has no down pulses, so nothing is known about them"
    return PresetEntry(
        technology="measured",
        law=law,
        description=f"fit of {found.name}: model {layout.name}; {prepared.scale.phrase}"
        + effect_phrase(population),
        citation=f"measured: {found.name}",
        one_directional_because=None if population.has_down else one_way,
        parameters=entries,
    )


def drawn_entries(
    population: Population, quantities: list[Quantity], found: Measurement, draws: int
) -> dict[str, PresetEntry]:
    """Returns presets of devices that are also consistent with the data, by name: ``draw_1``, ...

    Steps, shape, bounds and noises are drawn together according to their errors. All spreads get
    one factor, from 0.3 to 3, drawn by chi-squared for the number of devices; one that was fitted
    as 0 is drawn from its interval. A draw that is not a valid preset is repeated.

    Raises:
        InputError: Hardly any draw is a valid preset.
    """
    rng = np.random.default_rng(7)
    entries: dict[str, PresetEntry] = {}
    most = {q.name: q.high for q in quantities if q.high}
    for _ in range(20 * draws):
        device, factor = population.drawn(rng)
        try:
            entry = fitted_entry(population, quantities, found, device)
            for name, one in entry.parameters.items():
                if name.endswith("_spread") and isinstance(one.value, float):
                    size = one.value * min(max(factor, 0.3), 3.0)
                    value = {"value": six_digits(size or rng.uniform(0.0, most.get(name, 0.0)))}
                    entry.parameters[name] = one.model_copy(update=value)
            preset_of("draw", entry)
        except InputError:
            continue
        entries[f"draw_{len(entries) + 1}"] = entry
        if len(entries) == draws:
            return entries
    allowed = f"must be {draws}, but the data determine the device too poorly: measure more cycles"
    raise InputError(found.name, "draws", len(entries), allowed)


def _values(
    population: Population, device: MeanDevice, law: str, by_name: dict[str, Quantity]
) -> dict[str, Value]:
    up, down = math.exp(device.local[0]), math.exp(device.local[1])
    down = down if population.has_down else up
    w_max, w_min = float(device.local[4]), float(device.local[5])
    allowed = f"must be within the fitted bounds, {w_min:.4g} to {w_max:.4g}; change --weight-zero"
    require(w_max > 0 > w_min, "fit", "weight zero", 0.0, allowed)
    step = min(max(up, down), 0.999 * (w_max - w_min))  # A fit to noise may exceed the range.
    spreads = {name: q.value or 0.0 for name, q in by_name.items()}
    values: dict[str, Value] = {
        "step": step,
        "w_max": w_max,
        "w_min": w_min,
        "cycle_to_cycle": device.cycle_noise if device.cycle_noise > LEAST_NOISE else 0.0,
        "step_spread_log_normal": population.log_normal,
        "asymmetry": asymmetry_of(up, down),
    }
    values |= {name: spreads.get(name, 0.0) for name in _SPREADS}
    if law != "constant":
        values["write_noise"] = device.read_noise / step
    own = population.fit.layout.model
    if law in (*_LINEAR, "soft_bounds_reference"):
        values["noise_scales_with_step"] = not own.additive
    if law in _LINEAR:
        bends = device.shape if own.shape else device.local[2:4]
        # Noise may put a slope just outside aihwkit's range.
        slopes = np.clip([bends[0] * w_max, -bends[1] * w_min], -1.0, 1.0).tolist()
        if own.code == SOFT_BOUNDS:  # The step falls to 0 at the bound of each device.
            slopes = [1.0, 1.0]
            values["slope_from_mean_bounds"] = False
        values |= {
            "slope_up": slopes[0] if own.code != CONSTANT else 0.0,
            "slope_down": slopes[1] if own.code != CONSTANT else 0.0,
            "slope_up_spread": spreads.get("slope_up_spread", 0.0),
            "slope_down_spread": spreads.get("slope_down_spread", 0.0),
        }
    if own.code == PIECEWISE:
        for way, first in (("up", 0), ("down", NODES - 1)):
            logs = np.insert(device.shape[first : first + NODES - 1], NODES // 2, 0.0)
            values[f"step_factors_{way}"] = tuple(float(np.exp(log)) for log in logs)
    return values


def _assumption(population: Population, name: str, by_name: dict[str, Quantity]) -> str | None:
    """Returns why a value is assumed instead of measured; None if it was measured."""
    own = population.fit.layout.model
    quantity = by_name.get(name)
    if quantity is not None and quantity.value is None:
        return f"not known, taken as 0: {quantity.note}"
    spread = name.endswith("spread") and not own.own_slopes
    fixed = name.startswith("slope_") and (own.code == CONSTANT or spread)
    if fixed or (own.code == SOFT_BOUNDS and name == "step_spread_log_normal"):
        return f"not fitted, since the model fixes it ({own.name})"
    two_way = name.startswith("asymmetry") or name.endswith(("_down", "down_spread"))
    return "the data have no down pulses" if two_way and not population.has_down else None


def _determined(name: str, by_name: dict[str, Quantity]) -> bool:
    """Returns whether the data determine a parameter, from the corresponding quantity of the
    report."""
    names = [name]
    if name.startswith(("slope_", "step_factors_")) and "spread" not in name:
        names = ["nonlinearity up", "w_max"] if "_up" in name else ["nonlinearity down", "w_min"]
    return all(by_name[one].determined for one in names if one in by_name)


def _rounded(value: Value) -> Value:
    rounded = tuple(map(six_digits, value)) if isinstance(value, tuple) else value
    return six_digits(value) if isinstance(value, float) else rounded
