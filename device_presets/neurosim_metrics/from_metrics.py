"""Makes a preset from the few numbers that papers report in NeuroSim's terms.

NeuroSim's pulse curve is exponential in the pulse number, so its step falls linearly with the
state: step = k (W - w), with W the asymptote of the curve beyond its last state and
k = 1 - exp(-1 / (A P)) for P states. That is aihwkit's linear step with hard bounds:
slope_up = w_max / W, and a step of k W at weight zero.

A label of the opposite sign gives the same curve run backward. The step then grows toward the
bound, by the share exp(1 / (A P)) - 1, and the slope is negative.
"""

import math
from dataclasses import dataclass

import numpy as np

from device_presets.library.entry_writing import checked_name, entries_text
from device_presets.library.preset_file import ParameterEntry, PresetEntry
from device_presets.library.steps_at_zero import asymmetry_of
from device_presets.neurosim_metrics.pulse_curve import LARGEST_LABEL, STRAIGHT, curvature, label_of
from rpu_ssnn.common.errors import require
from rpu_ssnn.devices.common_parameters import PULSE_FACTS
from rpu_ssnn.devices.laws import LAWS

_LAW = LAWS["linear"]
_RANGE = 2.0
"""The weights span -1 to 1."""

_CONVENTION = "NeuroSim's convention, Chen, Peng, Yu, IEEE TCAD 2018"
_LABEL_STEP = 1e-3
_CHANGE = 1e-3
"""Derivatives use this relative change of a step, and this absolute change of a slope."""

_POINTS = 400
"""A sweep is divided into at most this many intervals."""

_MOST_ON_OFF = PULSE_FACTS["on_off_ratio"].limits[1]
_WHOLE = 1.0 - 1e-9
"""Larger shares of the way to the asymptote are cut to this one, since both reach it at once."""


@dataclass(frozen=True, kw_only=True)
class PublishedMetrics:
    """Holds the metrics that a paper reports.

    Args:
        on_off: largest over smallest conductance.
        states_up, states_down: pulses from one end of the range to the other.
        nonlinearity_up: label; above 0 the first pulses have the most effect, below 0 the last.
        nonlinearity_down: label; below 0 the first pulses have the most effect, above 0 the last.
        cycle_to_cycle: deviation of a pulse's step, as a share of the range.
        device_to_device: deviation of the nonlinearity labels between devices.
        source: where the numbers come from.
    """

    on_off: float
    states_up: int
    states_down: int
    nonlinearity_up: float
    nonlinearity_down: float
    cycle_to_cycle: float
    device_to_device: float
    source: str

    def __post_init__(self) -> None:
        ratio = f"must be above 1, at most {_MOST_ON_OFF:g}"
        label = f"must be between -{LARGEST_LABEL:g} and {LARGEST_LABEL:g}: {_CONVENTION}"
        ways = ("up", "down")
        limits = (
            ("on-off", math.nextafter(1.0, 2.0), _MOST_ON_OFF, ratio),
            *((f"states-{way}", 2, 1e7, "must be 2 to 10 million pulses") for way in ways),
            *((f"nonlinearity-{way}", -LARGEST_LABEL, LARGEST_LABEL, label) for way in ways),
            ("cycle-to-cycle", 0.0, 1.0, "must be a share of the range, 0 to 1"),
            ("device-to-device", 0.0, 5.0, "must be between 0 and 5, in units of the label"),
        )
        allowed = "must say where the numbers are from"
        require(self.source.strip(), "metrics", "--source", self.source, allowed)
        for field, low, high, allowed in limits:
            value = getattr(self, field.replace("-", "_"))
            require(low <= value <= high, "metrics", f"--{field}", value, allowed)

    @property
    def sweeps(self) -> tuple[tuple[int, float], tuple[int, float]]:
        """Returns states and label of the up and the down sweep, in both of which the first pulses
        have the most effect if the label is above 0."""
        return (self.states_up, self.nonlinearity_up), (self.states_down, -self.nonlinearity_down)


def entry_from_metrics(metrics: PublishedMetrics) -> PresetEntry:
    """Returns the preset, with weights from -1 to 1; every number states its source or conversion.

    Raises:
        InputError: there are too few states for the nonlinearity: one step would be longer than
            the range.
    """
    return PresetEntry(
        technology="published metrics",
        law=_LAW.name,
        description=(
            f"{metrics.states_up} states up, {metrics.states_down} down, nonlinearity "
            f"{metrics.nonlinearity_up:g} / {metrics.nonlinearity_down:g}, on/off "
            f"{metrics.on_off:g}"
        ),
        citation=metrics.source,
        parameters={
            name: ParameterEntry.of(_LAW, name, _rounded(value), **{kind: words})
            for name, (value, kind, words) in _parameters(metrics).items()
        },
    )


def _parameters(metrics: PublishedMetrics) -> dict[str, tuple[float | bool, str, str]]:
    """Returns each parameter with the kind of its origin, a source or an assumption, and its words.

    Raises:
        InputError: see `entry_from_metrics`.
    """
    (up, slope_up), (down, slope_down) = (_line(*sweep) for sweep in metrics.sweeps)
    allowed = "must be nearer to 0 with so few states: a step would be longer than the range"
    for way, size in (("up", up), ("down", down)):
        label = getattr(metrics, f"nonlinearity_{way}")
        require(size <= _RANGE, "metrics", f"nonlinearity-{way}", label, allowed)
    common, slope_up_spread, slope_down_spread = _spreads(metrics)
    mean, source = math.sqrt((up**2 + down**2) / 2), f"{metrics.source}; {_CONVENTION}"
    noise = (
        f"{source}: {metrics.cycle_to_cycle:g} of the range, here as a share of the step; aihwkit "
        "scales it with the up and the down step, so that their mean square is right, and it is "
        f"off by {100 * (up / mean - 1):+.0f} % (up) and {100 * (down / mean - 1):+.0f} % (down)"
    )
    deviate = f"labels that deviate by {metrics.device_to_device:g}, to first order"
    curve = "source", f"{source}: from states and nonlinearity, step = k (W - w)"
    spread = "source", f"{source}: {deviate}"
    span = "assumption", "normalised range; on_off_ratio is the ratio of its conductances"
    fixed = "assumption", "not among the metrics; NeuroSim keeps the range fixed"
    return {
        "w_max": (1.0, *span),
        "w_min": (-1.0, *span),
        "w_max_spread": (0.0, *fixed),
        "w_min_spread": (0.0, *fixed),
        "step": (max(up, down), *curve),
        "cycle_to_cycle": (_RANGE * metrics.cycle_to_cycle / mean, "source", noise),
        "noise_scales_with_step": (False, "source", f"{source}: a fixed share of the range"),
        "step_spread": (common, *spread),
        "asymmetry": (asymmetry_of(up, down), *curve),
        "asymmetry_spread": (common, *spread),
        "slope_up": (slope_up, *curve),
        "slope_down": (slope_down, *curve),
        "slope_up_spread": (slope_up_spread, *spread),
        "slope_down_spread": (slope_down_spread, *spread),
        "on_off_ratio": (metrics.on_off, "source", metrics.source),
    }


def _rounded(value: float | bool) -> float | bool:
    """Returns a number to seven digits; flags are returned unchanged."""
    return value if isinstance(value, bool) else float(f"{value:.7g}")


def text_from_metrics(name: str, metrics: PublishedMetrics) -> str:
    """Returns the YAML text of the preset.

    Raises:
        InputError: the name cannot be used.
    """
    comment = (
        f"Made by rpu-ssnn presets from-metrics. The on/off ratio is not part of the step: give "
        f"it to a study as tile: {{reference: {{on_off_ratio: {metrics.on_off:g}}}}}."
    )
    return entries_text({checked_name(name): entry_from_metrics(metrics)}, (comment,))


def _line(states: int, label: float) -> tuple[float, float]:
    """Returns step at weight zero and slope of a curve from -1 to 1 (a down curve is mirrored).

    Args:
        states: pulses from end to end.
        label: above 0 the first pulses have the most effect, below 0 the last.
    """
    if abs(label) < STRAIGHT:
        return 2.0 / states, 0.0
    a = math.copysign(curvature(abs(label)), label)
    # The asymptote lies below -1 if the step grows.
    asymptote = -1.0 - 2.0 / math.expm1(-1.0 / a)
    return -math.expm1(-1.0 / (a * states)) * asymptote, 1.0 / asymptote


def _spreads(metrics: PublishedMetrics) -> tuple[float, float, float]:
    """Returns deviations of step and asymmetry, and of both slopes, that reproduce the published
    deviation of the labels.

    aihwkit draws step, asymmetry and slopes independently. The slopes deviate as the labels imply;
    what is missing from the labels' mean square over up and down is assigned to the steps.
    """
    largest = max(_line(*sweep)[0] for sweep in metrics.sweeps)
    slopes, by_slopes, by_steps = [], 0.0, 0.0
    for states, label in metrics.sweeps:
        step, slope = _line(states, label)
        high = min(label + _LABEL_STEP, LARGEST_LABEL)
        low = max(high - 2 * _LABEL_STEP, -LARGEST_LABEL)
        per_label = (_line(states, high)[1] - _line(states, low)[1]) / (high - low)
        slopes.append(abs(per_label) * metrics.device_to_device)
        by_step = _swept(states, step * (1 + _CHANGE), slope) - _swept(
            states, step * (1 - _CHANGE), slope
        )
        by_slope = _swept(states, step, slope + _CHANGE) - _swept(states, step, slope - _CHANGE)
        by_slopes += (by_slope / (2 * _CHANGE) * slopes[-1]) ** 2
        # Step and asymmetry each deviate by a share of the larger step, for up and for down.
        by_steps += 2.0 * (by_step / (2 * _CHANGE) * largest / step) ** 2
    left = max(2.0 * metrics.device_to_device**2 - by_slopes, 0.0)
    return math.sqrt(left / by_steps), slopes[0], slopes[1]


def _swept(states: int, step: float, slope: float) -> float:
    """Returns the label of a sweep from -1 toward 1; a device that arrives early stays at 1."""
    pulse = np.linspace(0, states, min(states, _POINTS) + 1)
    if slope == 0.0:
        weight = step * pulse - 1.0
    else:
        # Each pulse covers the share step * slope of the way to the asymptote.
        kept = np.log1p(-min(step * slope, _WHOLE))
        weight = -1.0 - (1.0 + slope) / slope * np.expm1(pulse * kept)
    return label_of(np.minimum(weight, 1.0))
