"""The fit of a law of the user's own to a measured pulse train, by maximum likelihood.

All devices are taken as one mean device with read noise. A scalar Kalman filter goes along the
pulses: its mean moves by the mean step of the law, which also moves the hidden states, and its
variance grows by the cycle noise. The free numbers are the step, the asymmetry, the law's own
parameters within their ranges, and both noises.
"""

import math
import os.path
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.stats import qmc

from device_presets.fitting.model.preparation import Prepared, prepare
from device_presets.fitting.reading.measurement import Measurement
from device_presets.fitting.reading.reading import read
from device_presets.fitting.reading.units import SIEMENS
from device_presets.library.entry_writing import checked_name, entry_text
from device_presets.library.preset_file import ParameterEntry, PresetEntry
from rpu_ssnn.common.errors import PresetError
from rpu_ssnn.compiled import compiled
from rpu_ssnn.devices.device_record import empty_records
from rpu_ssnn.devices.law import Law
from rpu_ssnn.devices.own_law import find_law
from rpu_ssnn.devices.shared import OwnShared

_STARTS, _MOST_STEPS = 4, 4000
_CHANGE = 0.01
"""Change of a coordinate that shows the curvature of the likelihood, and of a weight (in states)
that shows the slope of a step."""
_FLOOR = 1e-12
_SPREADS = ("w_max_spread", "w_min_spread", "step_spread", "asymmetry_spread")


@dataclass(frozen=True)
class _Free:
    """A free number, whose range is searched along a coordinate from 0 to 1."""

    name: str
    low: float
    high: float

    @property
    def in_log(self) -> bool:
        return self.low > 0.0 and self.high / self.low > 100.0

    def value(self, place: float) -> float:
        if self.in_log:
            return float(self.low * (self.high / self.low) ** place)
        return self.low + place * (self.high - self.low)


@dataclass(frozen=True)
class OwnLawFit:
    """A fitted law.

    Args:
        numbers: columns ``parameter``, ``value``, ``low``, ``high`` (95 % interval; NaN where the
            data do not determine it).
        log_likelihood: of all readings but the first of each stretch.
        entry: the preset.
        file: of the law.
    """

    numbers: pd.DataFrame
    log_likelihood: float
    entry: PresetEntry
    file: Path

    def text(self, name: str, folder: Path) -> str:
        """The YAML of the preset, to be written in that folder."""
        beside = os.path.relpath(self.file, folder.absolute())
        entry = self.entry.model_copy(update={"law": Path(beside).as_posix()})
        return entry_text(name, entry, ("Made by rpu-ssnn presets fit --law.",))


def fit_own_law(
    data: Path,
    name: str,
    law_file: Path,
    sheet: str | None = None,
    weight_zero: float | None = None,
    weight_one: float | None = None,
) -> OwnLawFit:
    """Fits the law of a file to a measured table, which is read as `fit_file` reads it.

    Raises:
        PresetError: the file of the law or the table cannot be used.
    """
    checked_name(name)
    law = find_law(name, str(law_file))
    if law.file is None:
        raise PresetError(
            name, "law", str(law_file), "must be a file: presets fit tries all others"
        )
    found = read(data, sheet)
    zero, one = (None if w is None else w * SIEMENS[found.unit] for w in (weight_zero, weight_one))
    prepared = prepare(found, zero, one)
    free = _free_numbers(prepared, law)
    weights = prepared.series.weight
    bounds = float(weights.max()), float(weights.min())

    def loss(places: np.ndarray) -> float:
        values = {f.name: f.value(float(p)) for f, p in zip(free, places, strict=True)}
        return -_log_likelihood(prepared, law, values, bounds)

    best = _searched(loss, len(free))
    errors = _standard_errors(loss, best)
    rows = [
        (f.name, f.value(p), *(f.value(p + way * 1.96 * e) for way in (-1, 1)))
        for f, p, e in zip(free, best, errors, strict=True)
    ]
    numbers = pd.DataFrame(rows, columns=["parameter", "value", "low", "high"])
    return OwnLawFit(numbers, -loss(best), _entry(found, law, numbers, bounds), Path(law.file))


def _free_numbers(prepared: Prepared, law: Law) -> list[_Free]:
    series = prepared.series
    moved = np.abs(np.diff(series.weight))[series.pulse[1:] != 0]
    size = max(float(np.mean(moved)), 1e-6)
    own = [
        _Free(name, max(p.limits[0], -1e6), min(p.limits[1], 1e6))
        for name, p in law.own.items()
        if p.kind == "number"
    ]
    noise = max(prepared.read_noise, 1e-5)
    return [
        _Free("step", size / 30.0, size * 30.0),
        _Free("asymmetry", -0.95, 0.95),
        *own,
        _Free("cycle_to_cycle", 1e-3, 30.0),
        _Free("read_noise", noise / 100.0, noise * 10.0),
    ]


def _log_likelihood(
    prepared: Prepared, law: Law, values: dict[str, float], bounds: tuple[float, float]
) -> float:
    series = prepared.series
    devices = empty_records(len(series.start) - 1)
    devices["high"], devices["low"] = bounds
    asymmetry = values["asymmetry"]
    devices["up"] = values["step"] * (1.0 + min(asymmetry, 0.0))
    devices["down"] = values["step"] * (1.0 - max(asymmetry, 0.0))
    for field, hidden in law.hidden_fields.items():
        devices[field] = hidden
    own = {name: values.get(name, p.neutral) for name, p in law.own.items()}
    found: float = _filtered(
        law.compiled, OwnShared(np.float32(0.0), law.numbers(own)), devices, series.weight,
        series.pulse, series.begins, series.start, values["cycle_to_cycle"],
        values["read_noise"] ** 2,
    )  # fmt: skip
    return found if math.isfinite(found) else -1e300


@compiled
def _filtered(
    step: Any,
    shared: OwnShared,
    devices: np.ndarray,
    weight: np.ndarray,
    pulse: np.ndarray,
    begins: np.ndarray,
    start: np.ndarray,
    cycle_noise: float,
    read_variance: float,
) -> float:
    """Log-likelihood of all rows, each given the rows before it."""
    total = 0.0
    none = np.float32(0.0)
    for d in range(len(devices)):
        device = devices[d]
        mean, variance = 0.0, 0.0
        for row in range(start[d], start[d + 1]):
            if begins[row]:
                mean, variance = weight[row], read_variance
                continue
            if pulse[row] != 0:
                up, w = pulse[row] > 0, np.float32(mean)
                a, b = device.a, device.b
                beside = step(shared, device, w + np.float32(_CHANGE), up, none)
                device.a, device.b = a, b
                move = step(shared, device, w, up, none)
                slope = (beside - move) / _CHANGE
                mean = min(max(mean + move, device.low), device.high)
                variance = (1.0 + slope) ** 2 * variance + (cycle_noise * move) ** 2 + _FLOOR
            predicted = variance + read_variance
            miss = weight[row] - mean
            total -= 0.5 * (miss * miss / predicted + math.log(2.0 * math.pi * predicted))
            gain = variance / predicted
            mean += gain * miss
            variance *= 1.0 - gain
    return total


def _searched(loss: Callable[[np.ndarray], float], n: int) -> np.ndarray:
    """The places of the least loss, from several starts."""
    options = {"maxfev": _MOST_STEPS, "xatol": 1e-4, "fatol": 1e-3, "adaptive": True}

    def search(first: np.ndarray) -> Any:
        whole: Any = minimize
        bounds = [(0.0, 1.0)] * n
        return whole(loss, first, method="Nelder-Mead", bounds=bounds, options=options)

    starts = qmc.Sobol(n, rng=0).random(_STARTS) * 0.8 + 0.1
    found = min(map(search, starts), key=lambda end: end.fun)
    best: np.ndarray = search(found.x).x
    return best


def _standard_errors(loss: Callable[[np.ndarray], float], best: np.ndarray) -> np.ndarray:
    """Standard errors of the places, from the curvature; NaN where there is none."""
    n, h = len(best), _CHANGE
    middle = np.clip(best, 2 * h, 1.0 - 2 * h)
    steps = np.eye(n) * h
    curvature = np.array(
        [
            [
                loss(middle + i + j) - loss(middle + i - j) - loss(middle - i + j)
                + loss(middle - i - j)
                for j in steps
            ]
            for i in steps
        ]
    ) / (4.0 * h * h)  # fmt: skip
    try:
        variances = np.diag(np.linalg.inv(curvature))
    except np.linalg.LinAlgError:
        return np.full(n, np.nan)
    with np.errstate(invalid="ignore"):
        errors: np.ndarray = np.sqrt(variances)
    return errors


def _entry(
    found: Measurement, law: Law, numbers: pd.DataFrame, bounds: tuple[float, float]
) -> PresetEntry:
    by_name = numbers.set_index("parameter")
    source = f"{found.name}, column {found.column}: fit of the law {law.name}"
    parameters: dict[str, ParameterEntry] = {}

    def put(
        name: str, value: float, source: str | None = None, assumption: str | None = None
    ) -> None:
        unit = law.parameters[name].unit
        value = float(f"{value:.6g}")
        parameters[name] = ParameterEntry(
            value=value, unit=unit, source=source, assumption=assumption
        )

    for name in by_name.index.drop("read_noise"):
        value, low, high = by_name.loc[name, ["value", "low", "high"]]
        told = f"{source}; 95 % interval {low:.4g} to {high:.4g}"
        undetermined = f"not determined by the data; the best estimate of {source}"
        known = math.isfinite(low)
        put(name, value, told if known else None, None if known else undetermined)
    for name, bound in zip(("w_max", "w_min"), bounds, strict=True):
        put(name, bound, assumption=f"the last weight that {found.name} reached")
    for name in _SPREADS:
        put(name, 0.0, assumption="a fit of a law of one's own has one mean device")
    return PresetEntry(
        technology="measured",
        law=str(law.file),
        description=f"fit of {found.name} by the law {law.name}",
        citation=f"measured: {found.name}",
        parameters=parameters,
    )
