"""The numbers papers report, of any preset, measured by pulsing it on an aihwkit tile."""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from device_presets.library.preset import Preset
from device_presets.library.preset_lookup import get_preset, preset_names
from device_presets.neurosim_metrics.pulse_curve import STRAIGHT, label_of
from device_presets.pulsing.pulse_train import pulse_train
from rpu_ssnn.common.errors import PresetError

_REACHED = 0.05  # of the last step: what is left at a bound that is reached, not approached
_MOVES = 1e-4  # weights: devices that move less have no curve
APPROACHED = 0.99
"""Share of the range after which a device that only approaches its bound counts as there."""

_MOST_PULSES = 60_000
_DEVICES = 100
_NOISE_DEVICES = 2000
_NOISE_PULSES = 10
_POINTS = 400  # of a curve whose label is found


@dataclass(frozen=True)
class Metrics:
    """In NeuroSim's terms; None where the device has no gradual down step.

    Args:
        name: of the preset.
        on_off: largest over smallest conductance, where the preset knows it.
        states_up, states_down: pulses from bound to bound of the mean device without noise, or to
            99 % of the range where a bound is only approached.
        approaches: whether one is.
        nonlinearity_up, nonlinearity_down: labels of the best-fitting curves.
        cycle_to_cycle: deviation of a step as share of the range, at the middle of it.
        device_to_device: deviation of the labels between devices, each over the same pulses.
        write_noise: deviation of the weight read from the one stored, share of the range.
    """

    name: str
    on_off: float | None
    states_up: int
    states_down: int | None
    approaches: bool
    nonlinearity_up: float
    nonlinearity_down: float | None
    cycle_to_cycle: float
    device_to_device: float
    write_noise: float


def measure(preset: Preset) -> Metrics:
    """Pulses a preset and reports it in NeuroSim's terms.

    Raises:
        PresetError: the mean device does not get from bound to bound in 60,000 pulses.
    """
    noise_free = preset.without(spread=True, noise=True)
    span = preset.w_max - preset.w_min
    up, hard_up = _sweep(noise_free, up=True)
    down, hard_down = _sweep(noise_free, up=False) if preset.bidirectional else (None, True)
    spreads = _label_spread(preset, len(up) - 1, None if down is None else len(down) - 1)
    on_off = preset.value("on_off_ratio")
    write = 0.0
    if "write_noise" in preset.parameters:
        write = preset.number("write_noise") * preset.step / span
    return Metrics(
        name=preset.name,
        on_off=on_off if isinstance(on_off, float) else None,
        states_up=len(up) - 1,
        states_down=None if down is None else len(down) - 1,
        approaches=not (hard_up and hard_down),
        nonlinearity_up=_label(up),
        nonlinearity_down=None if down is None else -_label(-down),
        cycle_to_cycle=_step_noise(preset) / span,
        device_to_device=spreads,
        write_noise=write,
    )


def metrics_table(presets: list[Preset] | None = None) -> pd.DataFrame:
    """``measure`` of several presets (the shipped ones where not given), a row each."""
    chosen = presets or [get_preset(name) for name in preset_names()]
    rows = [_row(measure(preset)) for preset in chosen]
    return pd.DataFrame(rows, dtype=object)


def _row(metrics: Metrics) -> dict[str, object]:
    def shown(value: float | None, digits: int) -> object:
        return "-" if value is None else float(f"{value:.{digits}g}")

    mark = " (99 %)" if metrics.approaches else ""
    return {
        "name": metrics.name,
        "on/off": shown(metrics.on_off, 4),
        "states up": f"{metrics.states_up}{mark}",
        "states down": "-" if metrics.states_down is None else f"{metrics.states_down}{mark}",
        "nonlinearity up": shown(_straightened(metrics.nonlinearity_up), 3),
        "nonlinearity down": shown(_straightened(metrics.nonlinearity_down), 3),
        "cycle to cycle (range)": shown(metrics.cycle_to_cycle, 3),
        "device to device (label)": shown(metrics.device_to_device, 3),
        "write noise (range)": shown(metrics.write_noise, 3),
    }


def _straightened(label: float | None) -> float | None:
    return label if label is None or abs(label) >= STRAIGHT else 0.0


def _sweep(noise_free: Preset, up: bool) -> tuple[np.ndarray, bool]:
    """Weights of the mean device from one bound to the other, and whether it gets there."""
    span = noise_free.w_max - noise_free.w_min
    end = noise_free.w_max if up else noise_free.w_min
    n = min(2 * math.ceil(noise_free.levels), _MOST_PULSES)
    weights = np.array([noise_free.w_min if up else noise_free.w_max])
    while len(weights) <= _MOST_PULSES:
        more = pulse_train(noise_free, 1, [up] * n, float(weights[-1]), seed=0)[1:, 0]
        weights = np.concatenate([weights, more])
        distance = np.abs(end - weights)
        there = np.flatnonzero(distance[1:] <= _REACHED * np.abs(np.diff(weights)))
        if len(there) and distance[there[0]] > 0:
            return weights[: int(there[0]) + 2], True
        near = np.flatnonzero(distance <= (1 - APPROACHED) * span)
        if len(near) and len(weights) > 4 * int(near[0]):
            return weights[: int(near[0]) + 1], False
    raise PresetError(
        noise_free.name,
        "states",
        f"more than {_MOST_PULSES}",
        f"must reach a bound in {_MOST_PULSES} pulses to be measured",
    )


def _label(weights: np.ndarray) -> float:
    """Label of a curve, thinned evenly: a long one has the same shape."""
    if len(weights) < 3:
        return 0.0
    places = np.linspace(0, len(weights) - 1, min(len(weights), _POINTS)).round().astype(int)
    return label_of(weights[places])


def _label_spread(preset: Preset, n_up: int, n_down: int | None) -> float:
    """Deviation of the labels between devices, up and down together (mean square)."""
    noise_free = preset.without(noise=True)
    if all(p.value == 0 for n, p in noise_free.parameters.items() if n.endswith("_spread")):
        return 0.0
    variances = []
    for n, up in ((n_up, True), (n_down, False)):
        if n is None:
            continue
        weights = pulse_train(noise_free, _DEVICES, [up] * n, -1e6 if up else 1e6, seed=0)
        moved = np.abs(weights[-1] - weights[0]) > _MOVES
        labels = [_label(weights[:, k]) for k in np.flatnonzero(moved)]
        variances.append(np.var(labels, ddof=1))
    return float(np.sqrt(np.mean(variances)))


def _step_noise(preset: Preset) -> float:
    """Deviation of a step at the middle of the range, up and down together (mean square)."""
    alike = preset.without(spread=True)
    if "write_noise" in alike.parameters:
        stored = {"write_noise": preset.without(noise=True).parameters["write_noise"]}
        alike = dataclasses.replace(alike, parameters=dict(alike.parameters) | stored)
    middle = (preset.w_max + preset.w_min) / 2
    variances = []
    for up in (True, False) if preset.bidirectional else (True,):
        for _ in range(_NOISE_PULSES):
            weights = pulse_train(alike, _NOISE_DEVICES, [up], middle, seed=0)
            variances.append(np.var(weights[1] - weights[0]))
    return float(np.sqrt(np.mean(variances)))
