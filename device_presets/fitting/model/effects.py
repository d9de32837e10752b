"""Describes how time and pulse width act on a device, in addition to the step at its state.

    weight before a pulse = rest + kept (weight after the row before - rest)
    step = step(state) * factor

`leak` and `log-time loss` are two laws of `kept`: exp(-elapsed / tau), and the share that
``ChargeTrapPhysics.kept`` leaves until the row, divided by the share that it leaves until the row
before, both since the device's last pulse. `width` and `gap` are the width_factor and step_factor
of that class. The noise of a pulse is multiplied by its factor. Time between pulses adds no noise.
Retention readings, in stretches without pulses, have a read noise of their own.
"""

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from device_presets.fitting.model.series import Series
from device_presets.fitting.reading.measurement import Measurement
from rpu_ssnn.devices.common_parameters import LONGEST_PULSE_S, SHORTEST_PULSE_S
from rpu_ssnn.devices.laws.charge_trap import MOST_STEEP, share_kept

LEAK, LOG_LOSS, WIDTH, GAP = "leak", "log-time loss", "width", "gap"

ASSUMED_STEEPNESS = 4.0
"""The knee has this steepness if all pulses have one width, as in ``charge_trap_pulsed``."""

_VARIED = {"times": 1.5, "widths": 1.05}
"""A dependence is fitted if the largest value exceeds this many times the smallest. Leak between
evenly spaced pulses cannot be distinguished from a step that falls linearly with the state."""

_LEAST_TIME = 1e-9
"""Shorter times (s) count as this one in ratios."""


@dataclass(frozen=True)
class Timing:
    """Holds the conditions of the rows for the terms, [rows] each; see ``Conditions``.

    Args:
        elapsed, age, gap: Times in seconds.
        width: Pulse width in seconds; `width_0` on rows without a pulse.
        width_0: The most frequent width, whose isolated pulse makes the fitted step; NaN: unknown.
        volts: Lowest and highest amplitude of the up and of the down pulses; empty if unknown.
        asked: The terms that these rows can determine.
    """

    elapsed: np.ndarray
    age: np.ndarray
    gap: np.ndarray
    width: np.ndarray
    width_0: float
    volts: tuple[tuple[float, float], ...]
    asked: tuple[str, ...]

    @property
    def least_log_onset(self) -> float:
        """Returns the logarithm of a tenth of the shortest time (s) between readings. These do not
        show whether a loss began still earlier, and an onset far too early would ruin a device
        within a slot."""
        spaced = self.elapsed[self.elapsed > 0.0]
        return math.log(0.1 * max(spaced.min(initial=math.inf), _LEAST_TIME))


def timing_of(found: Measurement) -> Timing | None:
    """Returns the conditions of a measurement; None if it has no columns for them."""
    given = found.conditions
    if given is None:
        return None
    pulsed, inside = found.pulse != 0, ~found.begins
    asked = []
    if _varied(given.elapsed_s[inside], "times"):
        asked += [LEAK, LOG_LOSS]
    widths = given.width_s[pulsed]
    width_0 = math.nan
    if np.isfinite(widths).all() and len(widths):
        values, counts = np.unique(widths, return_counts=True)
        width_0 = float(values[np.argmax(counts)])
        asked += [WIDTH] if _varied(widths, "widths") else []
        gaps = given.gap_s[pulsed]
        asked += [GAP] if _varied(gaps[np.isfinite(gaps)], "times") else []
    ways = (given.amplitude_v[found.pulse == way] for way in (1, -1))
    known = (sizes for sizes in ways if len(sizes) and np.isfinite(sizes).all())
    volts = tuple((float(sizes.min()), float(sizes.max())) for sizes in known)
    width = np.where(pulsed, np.nan_to_num(given.width_s, nan=width_0), width_0)
    return Timing(given.elapsed_s, given.age_s, given.gap_s, width, width_0, volts, tuple(asked))


def _varied(values: np.ndarray, kind: str) -> bool:
    least = max(float(values.min()), _LEAST_TIME) if len(values) else 1.0
    return bool(len(values) and values.max() > _VARIED[kind] * least)


@dataclass(frozen=True)
class Effects:
    """Holds the terms of a fit, whose numbers all devices share.

    Args:
        terms: Some of the constants above, each at most once.
        least_log_onset: The logarithm of the shortest onset (s) of a log-time loss.
        rests: Whether there are retention readings, whose read noise is the last number.
    """

    terms: tuple[str, ...] = ()
    least_log_onset: float = -math.inf
    rests: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Returns the names of the numbers, in order; those with log in front are logarithms."""
        of_terms = dict.fromkeys(name for term in self.terms for name in _NUMBERS[term])
        return (*of_terms, "log_read") if self.rests else tuple(of_terms)

    @property
    def limits(self) -> list[tuple[float, float]]:
        """Returns the limits of the numbers, in the same order. A law of gaps is known only for
        steps that grow at least in proportion to the width."""
        least = {"log_onset": self.least_log_onset}
        least |= {"log_power": 0.0} if GAP in self.terms else {}
        found = ((name, *_LIMITS[name]) for name in self.names)
        return [(max(low, least.get(name, low)), high) for name, low, high in found]

    def values(self, numbers: np.ndarray) -> dict[str, float]:
        """Returns the numbers by name, with logarithms undone and `log_` removed."""
        return {
            name.removeprefix("log_"): math.exp(n) if name.startswith("log_") else float(n)
            for name, n in zip(self.names, numbers, strict=True)
        }

    def rest_noise(self, numbers: np.ndarray) -> float:
        """Returns the read noise (weights) of retention readings; 0 if there are none."""
        return math.exp(numbers[-1]) if self.rests else 0.0

    def applied(self, series: Series, timing: Timing | None, numbers: np.ndarray) -> Series:
        """Returns the series with the effects of its times and widths, by these numbers."""
        if timing is None or not self.terms:
            return series
        given = self.values(numbers)
        kept, factor = np.ones(len(series.weight)), np.ones(len(series.weight))
        if LEAK in self.terms:
            kept = np.exp(-timing.elapsed / given["tau"])
        if LOG_LOSS in self.terms:
            share, onset = given["loss"], given["onset"]
            now = np.where(np.isfinite(timing.age), timing.age + timing.elapsed, 0.0)
            left = share_kept(np.where(np.isfinite(timing.age), timing.age, 0.0), share, onset)
            kept = kept * share_kept(now, share, onset) / np.maximum(left, 1e-12)
        if "knee" in given:
            short = np.log(given["knee"] / np.append(timing.width, timing.width_0))
            steep = given.get("power", 1.0 + ASSUMED_STEEPNESS) - 1.0
            lacks = np.exp(np.minimum(steep * short, MOST_STEEP))
        if WIDTH in self.terms:
            factor = timing.width / timing.width_0 * (1.0 + lacks[-1]) / (1.0 + lacks[:-1])
        if GAP in self.terms:
            factor = factor * (1.0 + lacks[:-1] * np.exp(-timing.gap / given["gap_tau"]))
        return series._replace(kept=kept, factor=factor, rest=given.get("rest", 0.0))


_NUMBERS = {
    LEAK: ("log_tau", "rest"),
    LOG_LOSS: ("log_loss", "log_onset", "rest"),
    WIDTH: ("log_knee", "log_power"),
    GAP: ("log_knee", "log_gap_tau"),
}

_LIMITS = {
    "log_tau": (math.log(1e-9), math.log(1e12)),
    "rest": (-3.0, 3.0),
    "log_loss": (math.log(1e-6), 0.0),
    "log_onset": (math.log(1e-12), math.log(1e9)),
    "log_knee": (math.log(SHORTEST_PULSE_S), math.log(LONGEST_PULSE_S)),
    "log_power": (math.log(0.01), math.log(1.0 + MOST_STEEP)),
    "log_gap_tau": (math.log(1e-12), math.log(1e9)),
    "log_read": (math.log(1e-6), math.log(2.0)),
}
"""The limits are those of a preset's parameters, if these have any. `rest` is in weights, and
`power` is the steepness plus one: steps grow with this power of the width on one side of the knee,
and in proportion to the width on the other."""


def starts(effects: Effects, term: str, timing: Timing) -> list[dict[str, float]]:
    """Returns starting points of the search for a term's numbers.

    Args:
        effects: The terms of the fit, this one included.
    """
    spaced = timing.elapsed[timing.elapsed > 0]
    rests = (0.0, -1.0, 1.0)
    if term == LEAK:
        times = np.geomspace(0.3 * np.median(spaced), 100.0 * spaced.sum(), 16)
        return _grid(log_tau=times, rest=rests)
    if term == LOG_LOSS:
        onsets = np.median(spaced) * 10.0 ** np.arange(-3.0, 3.0)
        return _grid(log_loss=(0.001, 0.01, 0.03, 0.1, 0.3), log_onset=onsets, rest=rests)
    if term == WIDTH:
        knees = np.geomspace(0.1 * timing.width.min(), 3.0 * timing.width.max(), 12)
        return _grid(log_knee=knees, log_power=(0.3, 2, 4, 11))
    gaps = timing.gap[np.isfinite(timing.gap) & (timing.gap > 0)]
    knees = timing.width_0 * np.array([0.3, 2.0, 10.0]) ** (1.0 / ASSUMED_STEEPNESS)
    axes = {} if WIDTH in effects.terms else {"log_knee": knees}
    return _grid(**axes, log_gap_tau=np.geomspace(0.3 * gaps.min(), gaps.max(), 12))


def _grid(**axes: Iterable[float]) -> list[dict[str, float]]:
    """Returns all combinations of some values of each number; the last number varies fastest."""
    numbers = [
        [math.log(value) if name.startswith("log_") else value for value in values]
        for name, values in axes.items()
    ]
    return [dict(zip(axes, chosen, strict=True)) for chosen in itertools.product(*numbers)]
