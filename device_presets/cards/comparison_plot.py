"""Several presets side by side on one page: response, steps, symmetry point, spread, noise."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from device_presets.library.preset import Preset
from device_presets.library.preset_file import short_name
from device_presets.pulsing.pulse_train import pulse_train
from rpu_ssnn.common.errors import PresetError
from rpu_ssnn.common.files import write_together
from rpu_ssnn.common.wording import plain

MOST_PRESETS = 6

# Okabe and Ito's colours, dark enough for paper; line style and marker tell them apart in grey.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00")
_STYLES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)))
_MARKERS = ("o", "s", "^", "D", "v", "P")

_DEVICES = 60
_MOST_PULSES = 2000
_POINTS = 15
_SAMPLES = 400


@dataclass(frozen=True)
class Steps:
    """The steps of single pulses at some weights, in units of weight.

    Args:
        weight: [points] where a pulse starts.
        up, down: [points] mean step of the mean device, both positive.
        noise: [points] deviation of an up pulse's step from pulse to pulse.
        spread: [points] deviation of the mean up step between devices.
    """

    weight: np.ndarray
    up: np.ndarray
    down: np.ndarray
    noise: np.ndarray
    spread: np.ndarray


def plot_comparison(presets: Sequence[Preset], path: str | Path) -> Path:
    """Draw two to six presets, each pulsed on an aihwkit tile; the file's suffix is its format.

    Raises:
        PresetError: too few or too many presets, or the file cannot be written.
    """
    if not 2 <= len(presets) <= MOST_PRESETS:
        allowed = f"must be 2 to {MOST_PRESETS}: more cannot be told apart in print"
        raise PresetError("compare", "presets", len(presets), allowed)
    figure = Figure(figsize=(11.0, 7.2), layout="constrained")
    response, steps, ratio, symmetry, spread, noise = figure.subplots(2, 3).flatten()
    places, names = [], names_of(presets)
    for k, preset in enumerate(presets):
        look: dict[str, Any] = {"color": _COLOURS[k], "ls": _STYLES[k], "label": plain(names[k])}
        _draw_response(response, preset, look)
        found = measured_steps(preset)
        share = (found.weight - preset.w_min) / (preset.w_max - preset.w_min)
        size = found.up[len(share) // 2]
        steps.plot(share, found.up / size, marker=_MARKERS[k], ms=3, lw=1.4, **look)
        unlabelled = look | {"label": None}
        if preset.bidirectional:
            steps.plot(share, -found.down / size, marker=_MARKERS[k], ms=3, lw=1.4, **unlabelled)
            ratio.plot(share, found.up / np.maximum(found.down, 1e-12), lw=1.6, **look)
        spread.plot(share, found.spread / np.maximum(found.up, 1e-12), lw=1.6, **look)
        noise.plot(share, found.noise / np.maximum(found.up, 1e-12), lw=1.6, **look)
        places.append(_symmetry_points(preset))
    _draw_symmetry(symmetry, names, places)
    state = "state (share of the range)"
    _label(
        response, "pulse response (mean, 90 % of devices)", "share of pulses up, then down", state
    )
    _label(steps, "step against state: up above, down below", state, "step / up step at mid-range")
    steps.axhline(0, color="0.5", lw=0.6)
    _label(ratio, "up step over down step (1: symmetric)", state)
    ratio.set_yscale("log")
    ratio.axhline(1, color="0.5", lw=0.6)
    _label(spread, "spread between devices", state, "deviation of the up step / step")
    title = "noise from pulse to pulse, with write noise"
    _label(noise, title, state, "deviation of an up step / step")
    noise.set_yscale("symlog", linthresh=0.01)
    for axes in (spread, noise):
        axes.set_ylim(bottom=0)
    shown = response.get_legend_handles_labels()
    figure.legend(*shown, loc="outside upper center", ncols=len(presets), frameon=False)
    target = Path(path)
    write_together("compare", {target: lambda file: figure.savefig(file, dpi=150)})
    return target


def names_of(presets: Sequence[Preset]) -> list[str]:
    """Return the short names, and the whole names where two presets have the same short one."""
    short = [short_name(preset.name) for preset in presets]
    return [
        preset.name if short.count(name) > 1 else name
        for preset, name in zip(presets, short, strict=True)
    ]


def measured_steps(preset: Preset) -> Steps:
    """Return the steps at evenly spaced weights between the bounds, on tiles; down steps are 0
    where the device has no gradual ones."""
    weight = np.linspace(preset.w_min, preset.w_max, _POINTS + 2)[1:-1]
    mean = preset.without(spread=True, noise=True)
    alike = preset.without(spread=True)
    various = preset.without(noise=True)
    up, down, noise, spread = (np.zeros(_POINTS) for _ in range(4))
    for k, start in enumerate(weight):
        up[k] = float(np.ptp(pulse_train(mean, 1, [True], float(start), seed=0)))
        if preset.bidirectional:
            down[k] = float(np.ptp(pulse_train(mean, 1, [False], float(start), seed=0)))
        noise[k] = np.diff(pulse_train(alike, _SAMPLES, [True], float(start), 0), axis=0).std()
        between = pulse_train(various, _SAMPLES, [True], float(start), 0)
        # Devices whose own bounds leave this state out say nothing about steps at it.
        inside = np.abs(between[0] - start) < 1e-6
        spread[k] = (between[1] - between[0])[inside].std() if inside.any() else np.nan
    return Steps(weight, up, down, noise, spread)


def _draw_response(axes: Axes, preset: Preset, look: dict[str, Any]) -> None:
    n = min(int(np.ceil(preset.levels)), _MOST_PULSES)
    train = [True] * n + ([False] * n if preset.bidirectional else [])
    weights = pulse_train(preset, _DEVICES, train, None, seed=0)
    share = (weights - preset.w_min) / (preset.w_max - preset.w_min)
    number = np.linspace(0, 1 if preset.bidirectional else 0.5, len(share))
    low, high = np.percentile(share, [5, 95], axis=1)
    axes.fill_between(number, low, high, color=look["color"], alpha=0.15, lw=0)
    axes.plot(number, share.mean(axis=1), lw=1.6, **look)


def _symmetry_points(preset: Preset) -> np.ndarray:
    """Return [devices] states, as shares of the range, at which up and down pulses cancel.

    Devices get pairs of pulses until they stay. The array is empty where the device has no gradual
    down step.
    """
    if not preset.bidirectional:
        return np.zeros(0)
    pairs = min(int(3 * preset.levels), _MOST_PULSES)
    noise_free = preset.without(noise=True)
    weights = pulse_train(noise_free, _DEVICES, [True, False] * pairs, 0.0, seed=0)
    settled = (weights[-1] + weights[-2]) / 2
    share: np.ndarray = (settled - preset.w_min) / (preset.w_max - preset.w_min)
    return share


def _draw_symmetry(axes: Axes, names: Sequence[str], places: list[np.ndarray]) -> None:
    for k, found in enumerate(places):
        if not len(found):
            axes.annotate("no gradual down step", (0.5, k), ha="center", va="center", fontsize=8)
            continue
        jitter = np.linspace(-0.25, 0.25, len(found))
        axes.plot(found, k + jitter, _MARKERS[k], ms=3, alpha=0.5, color=_COLOURS[k], mew=0)
        axes.plot([np.median(found)] * 2, [k - 0.35, k + 0.35], color=_COLOURS[k], lw=2.5)
    axes.set_yticks(range(len(names)), list(map(plain, names)))
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(-0.05, 1.05)
    _label(axes, "where up-down pairs from weight 0 lead", "state (share of the range)")


def _label(axes: Axes, title: str, below: str, beside: str = "") -> None:
    axes.set_title(title, fontsize=9)
    axes.set_xlabel(below, fontsize=8)
    axes.set_ylabel(beside)
    axes.tick_params(labelsize=8)
