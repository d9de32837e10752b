"""Turns the conductances of a measurement into weights, and looks for read noise and bounds."""

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from device_presets.fitting.model.effects import Timing, timing_of
from device_presets.fitting.model.series import Series
from device_presets.fitting.reading.measurement import Measurement
from device_presets.fitting.reading.units import ARBITRARY, in_unit
from device_presets.fitting.sweeps import rests_of, runs_of
from rpu_ssnn.common.errors import InputError, require

RESOLUTION = 2e-6
"""Closer weights are equal: this is a few times the single precision in which aihwkit computes."""

LEAST_READ_NOISE = 10 * RESOLUTION
"""A read noise (weights) up to this size counts as none."""

_MOST_AVERAGED, _READINGS = 25, 2.0
"""A moving mean has at most so many readings, and as many as make its read noise half a step."""

_FEWEST_IN_A_ROW = 3
"""Some pulses must follow each other in one direction, since SET and RESET in turn show no step
between states."""

_REPEATS_AT_A_BOUND = 3

_LEAST_REST = 0.3
"""At a bound, more than this share of the pulses has no effect; noise moves a device off the bound
at most half the time."""

_DIFFERENT = 100.0
"""Weights differ if they are this many resolutions apart. A device without noise reaches an end of
its range from the same weight in each cycle."""

_UNLIKE = 0.1
"""The lengths of sweeps that are compared may differ by this share."""

_CURVE_POINTS = 20_000
_FEWEST_TIES = 50
_NOISE_SCORE = 4.0


@dataclass(frozen=True)
class WeightScale:
    """Converts conductances to weights: w = (g - zero) / (one - zero).

    Args:
        zero, one: Conductances of weight 0 and weight 1, in siemens.
        unit: The unit of the user's conductances, a key of ``SIEMENS``; reports use it.
    """

    zero: float
    one: float
    unit: str = "S"

    @property
    def span(self) -> float:
        """Returns the conductance of a unit of weight, in siemens."""
        return self.one - self.zero

    @property
    def phrase(self) -> str:
        """Returns a phrase with both conductances in the user's unit."""
        return f"weight 0 is {self.shown(self.zero)}, weight 1 is {self.shown(self.one)}"

    @property
    def on_off_ratio(self) -> float | None:
        """Returns the conductance of weight 1 over that of weight -1; None if it is above 1000,
        since a study's default, an infinite ratio, is then as good."""
        lowest = self.zero - self.span
        return float(f"{self.one / lowest:.3g}") if lowest > 1e-3 * self.one else None

    @property
    def sentence(self) -> str:
        """Returns a sentence with both conductances in the user's unit, and the on/off ratio."""
        ratio = self.on_off_ratio
        told = f"; a study sets tile: {{reference: {{on_off_ratio: {ratio:g}}}}}" if ratio else ""
        return f"W{self.phrase[1:]}{told}"

    def shown(self, siemens: float) -> str:
        """Returns a conductance in the user's unit."""
        return in_unit(siemens, self.unit)


@dataclass(frozen=True)
class Prepared:
    """Holds a measurement with weights in place of conductances.

    Args:
        series: The rows in the form that the filter reads.
        device, cycle: [rows] device and cycle of each row.
        scale: The conductances of the weights.
        noisy: Whether the fit has read noise.
        read_noise: First estimate of the read noise, in weights; 0 if none shows.
        labels: [devices] the name of each device.
        timing: Times, widths and ranges of amplitudes; None if the file has none of them.
    """

    series: Series
    device: np.ndarray
    cycle: np.ndarray
    scale: WeightScale
    noisy: bool
    read_noise: float
    labels: tuple[str, ...]
    timing: Timing | None = None

    @property
    def n_devices(self) -> int:
        """Returns the number of devices."""
        return len(self.series.start) - 1

    @property
    def has_down(self) -> bool:
        """Returns whether any pulse goes down."""
        return bool((self.series.pulse < 0).any())

    @property
    def rests(self) -> bool:
        """Returns whether there are retention readings, at least two in a stretch."""
        return bool((self.series.rests & ~self.series.begins).any())

    @cached_property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns [devices] highest and lowest weights; with read noise, those of moving means,
        which are short if the noise is small, since a mean around a turn misses the end."""
        s, moved = self.series, np.abs(np.diff(self.series.weight[self.runs])).sum()
        in_steps = self.read_noise * np.ptp(self.runs, axis=1).sum() / max(moved, RESOLUTION)
        most = math.ceil(min((_READINGS * in_steps) ** 2, _MOST_AVERAGED))
        return extremes(s.weight, s.pulse, s.begins, s.start, most)

    @property
    def span(self) -> float:
        """Returns the mean measured range of the devices."""
        highest, lowest = self.ends
        return float(np.mean(highest - lowest))

    @cached_property
    def own_cycle(self) -> np.ndarray:
        """Returns [rows] the number of the row's cycle among the cycles of its device, from 0.

        It is 0 everywhere if any device has only one cycle: no cycle can then be held out of every
        device.
        """
        own = np.zeros(len(self.device), dtype=np.int64)
        for first, end in pairwise(self.series.start):
            cycles, own[first:end] = np.unique(self.cycle[first:end], return_inverse=True)
            if len(cycles) < 2:
                return np.zeros_like(own)
        return own

    @cached_property
    def beginnings(self) -> np.ndarray:
        """Returns [rows] whether a stretch or a cycle begins: the last reading of one cycle is the
        state from which the next begins."""
        begins = self.series.begins
        ends = np.append(self.own_cycle[1:] != self.own_cycle[:-1], False)
        return np.asarray(begins | (ends & ~np.append(begins[1:], True)))

    @cached_property
    def runs(self) -> np.ndarray:
        """Returns [runs, 2] the first and the last row of each run of pulses, see `runs_of`."""
        return runs_of(self.series.pulse, self.device)

    @cached_property
    def alike(self) -> np.ndarray:
        """Returns [stretches, rows] the rows of stretches or cycles with equal sweeps, of the kind
        with the most rows. Sweeps that differ in length by a tenth at most are cut to the shortest.
        The first row of each stretch is the state before its first pulse. A stretch that begins
        after a missing reading has a state of its own, and is like those that begin at the same
        pulse of another cycle. If up and down sweeps are stretches of their own, those of one cycle
        stand in one row."""
        pulse, own = self.series.pulse, self.own_cycle
        begun = np.flatnonzero(np.diff(self.device, prepend=-1) | np.diff(own, prepend=-1))
        starts = np.flatnonzero(self.beginnings)
        ends = np.append(starts[1:], len(pulse))
        ends[:-1] += ~self.series.begins[starts[1:]]  # a cycle's last reading begins the next one
        # Stretches are grouped by where they begin, and by their sweeps' polarities.
        kinds: dict[tuple[int, bytes], list[np.ndarray]] = defaultdict(list)
        for first, end in zip(starts, ends, strict=True):
            pulses = pulse[first + 1 : end]
            if not pulses.any():
                continue
            sweeps = np.flatnonzero(np.diff(pulses, prepend=2))  # no pulse is 2
            into = int(first - begun[np.searchsorted(begun, first + 1, "right") - 1])
            late = into if into > 1 and own.any() else 0
            kinds[late, pulses[sweeps].tobytes()].append(np.append(first + 1 + sweeps, end))
        every = [starts[:1, None]]
        for edges in map(np.array, kinds.values()):
            lengths = np.diff(edges, axis=1)
            for kind in np.unique(lengths, axis=0):
                near = (np.abs(lengths - kind) <= _UNLIKE * kind).all(axis=1)
                shortest = lengths[near].min(axis=0)
                sweep = np.repeat(np.arange(len(shortest)), shortest)
                within = np.arange(len(sweep)) - (np.cumsum(shortest) - shortest)[sweep]
                every.append(np.hstack([edges[near][:, :1] - 1, edges[near][:, sweep] + within]))
        best = max(every, key=_extent)
        found, place = [best], self.device * len(pulse) + own
        for rows in every[1:]:
            if len(np.unique(np.append(pulse[best[0, 1:]], -pulse[rows[0, 1:]]))) == 1:
                pair = sorted((best, rows), key=lambda of: int(of[0, 0]))
                places = (place[of[:, -1]] for of in pair)
                _, *at = np.intersect1d(*places, return_indices=True)
                found.append(np.hstack([of[same] for of, same in zip(pair, at, strict=True)]))
        return np.ascontiguousarray(max(found, key=_extent)[:, :_CURVE_POINTS])

    @property
    def floor(self) -> float:
        """Returns the weight of 0 S, below which no bound can be; normalised values may be
        negative."""
        return -math.inf if self.scale.unit == ARBITRARY else -self.scale.zero / self.scale.span

    @property
    def everything(self) -> np.ndarray:
        """Returns [rows] True everywhere, for a fit that counts every row."""
        return np.ones(len(self.device), dtype=np.bool_)


def prepare(found: Measurement, zero: float | None, one: float | None) -> Prepared:
    """Turns a measurement into weights, and looks for read noise and bounds.

    Args:
        zero, one: Conductances of weights 0 and 1 in siemens; by default the middle and the top of
            the mean measured range, rounded to three digits of the range.

    Raises:
        InputError: ``zero`` lies outside the measured range, ``one`` is not above it by 0.1 to 10
            times this range, a device has no pulses in a direction that others have, or there are
            too few in a row.
    """
    turns = np.flatnonzero(np.diff(found.pulse[found.pulse != 0], prepend=0, append=0))
    longest = int(np.diff(turns).max())  # Readings without a pulse may lie between the pulses.
    allowed = f"must be {_FEWEST_IN_A_ROW} or more: sweep up and down, or use presets table"
    require(longest >= _FEWEST_IN_A_ROW, found.name, "pulses in a row", longest, allowed)
    for way, name in ((1, "up"), (-1, "down")):
        has = np.unique(found.device[found.pulse == way])
        if 0 < len(has) < found.n_devices:
            label = next(label for k, label in enumerate(found.labels) if k not in has)
            allowed = "must be at least 1, as for other devices: add some, or drop this device"
            raise InputError(found.name, f"{name} pulses of {label}", 0, allowed)
    start = np.searchsorted(found.device, np.arange(found.n_devices + 1))
    scale = _scale(found, start, zero, one)
    weight = (found.conductance - scale.zero) / scale.span
    rests = rests_of(found.pulse, found.begins)
    resolution = _resolution(weight[~rests])
    variance, noisy = read_noise_of(weight, found.pulse, found.device)
    clips, ones = np.ones((2, found.n_devices), dtype=np.bool_), np.ones(len(weight))
    prepared = Prepared(
        series=Series(
            weight, found.pulse, found.begins, rests, ones, ones, start, clips, resolution, rest=0.0
        ),
        device=found.device,
        cycle=found.cycle,
        scale=scale,
        noisy=True,
        read_noise=math.sqrt(variance),
        labels=found.labels,
        timing=timing_of(found),
    )
    return prepared if noisy else without_read_noise(prepared)


def _extent(rows: np.ndarray) -> tuple[int, int]:
    """Returns the number of rows of stretches, and that of each."""
    return rows.size, rows.shape[1]


def with_read_noise(prepared: Prepared) -> Prepared:
    """Prepares the data for a fit with read noise: bounds are fitted, and clip until the fit finds
    them flat."""
    series = prepared.series
    variance, _ = read_noise_of(series.weight, series.pulse, prepared.device)
    series = series._replace(clips=np.ones_like(series.clips))
    noise = prepared.read_noise or math.sqrt(variance)
    return replace(prepared, series=series, noisy=True, read_noise=noise)


def without_read_noise(prepared: Prepared) -> Prepared:
    """Prepares the data for a fit without read noise: a device is at a bound if it stays at its
    extreme weight, or reaches exactly this weight from different ones."""
    series = prepared.series
    clips = np.empty_like(series.clips)
    for device, (first, end) in enumerate(pairwise(series.start)):
        own = series.weight[first:end], series.pulse[first:end], series.rests[first:end]
        clips[:, device] = [_is_at_bound(*own, sign, series.resolution) for sign in (1, -1)]
    return replace(prepared, series=series._replace(clips=clips), noisy=False, read_noise=0.0)


def _scale(
    found: Measurement, start: np.ndarray, zero: float | None, one: float | None
) -> WeightScale:
    ends = extremes(found.conductance, found.pulse, found.begins, start, _MOST_AVERAGED)
    high, low = (of_devices.mean() for of_devices in ends)
    digit = 10.0 ** (math.floor(math.log10(high - low)) - 2)
    middle = digit * round((high + low) / 2 / digit) if zero is None else zero
    half = digit * max(1, round((high - low) / 2 / digit))
    by_default = middle + half if zero is None else digit * round(high / digit)
    top = by_default if one is None else one
    least, most, span = found.conductance.min(), found.conductance.max(), high - low
    lowest, highest, zero_is, one_is = (in_unit(g, found.unit) for g in (least, most, middle, top))
    allowed = f"must be within the measured range, {lowest} to {highest}"
    require(least <= middle <= most, found.name, "--weight-zero", zero_is, allowed)
    allowed = f"must be above --weight-zero, {zero_is}, by 0.1 to 10 times the measured range"
    require(0.1 <= (top - middle) / span <= 10.0, found.name, "--weight-one", one_is, allowed)
    return WeightScale(float(middle), float(top), found.unit)


def read_noise_of(weight: np.ndarray, pulse: np.ndarray, device: np.ndarray) -> tuple[float, bool]:
    """Returns the variance of the read noise of weights, and whether there is any: neighbouring
    steps then oppose each other."""
    products, squares, weights_total = 0.0, 0.0, 0
    for first, last in runs_of(pulse, device):
        if last - first < 3:
            continue
        steps = np.diff(weight[first : last + 1])
        # A parabola removes the trend of the run; the rest is noise.
        at = np.arange(len(steps))
        steps -= np.polynomial.Polynomial.fit(at, steps, 2)(at) if len(at) > 8 else steps.mean()
        pairs = steps[1:] * steps[:-1]
        products += float(pairs.sum())
        squares += float((pairs**2).sum())
        weights_total += len(pairs)
    if not weights_total or squares == 0.0:
        return 0.0, False
    score = -products / math.sqrt(squares)
    variance = max(-products / weights_total, 0.0)
    return variance, score > _NOISE_SCORE and math.sqrt(variance) > LEAST_READ_NOISE


def extremes(
    values: np.ndarray, pulse: np.ndarray, begins: np.ndarray, start: np.ndarray, most: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns [devices] the highest and the lowest value of each device in stretches
    with pulses.

    Args:
        values: [rows], device after device.
        pulse, begins: [rows] as in ``Series``.
        start: [devices + 1] first row of each device, and the end.
        most: They are those of moving means of at most this many readings.
    """
    ends, reached = [], ~rests_of(pulse, begins)
    for first, end in pairwise(start):
        own, *of = (rows[first:end][reached[first:end]] for rows in (values, pulse, begins))
        size = min(most, _window(*of))
        if size > 1:
            own = np.convolve(own, np.full(size, 1 / size), mode="valid")
        ends.append((own.max(), own.min()))
    highest, lowest = np.array(ends).T
    return highest, lowest


def _window(pulse: np.ndarray, begins: np.ndarray) -> int:
    """Returns the number of readings of a device in a moving mean. It is at most a quarter of the
    longest sweep: a mean over whole sweeps hides the range."""
    pulsed = np.flatnonzero(pulse)
    turns = pulsed[1:][pulse[pulsed[1:]] != pulse[pulsed[:-1]]]
    breaks = np.concatenate([np.flatnonzero(begins), turns, [len(pulse)]])
    longest = int(np.diff(np.sort(breaks)).max())
    return max(1, min(_MOST_AVERAGED, len(pulse) // 40, longest // 4))


def _is_at_bound(
    weight: np.ndarray, pulse: np.ndarray, rests: np.ndarray, sign: int, resolution: float
) -> bool:
    """Returns whether pulses in this direction leave the device exactly where it is, mostly at its
    end; or bring it to exactly this end from different weights, which does not count if an
    instrument's digits make weights equal."""
    end, other = (weight[~rests].max(), weight[~rests].min())[::sign]
    before, pulsed = weight[:-1], pulse[1:] == sign
    still = pulsed & (np.abs(np.diff(weight)) <= resolution)
    from_end = pulsed & (np.abs(before - end) <= resolution)
    # Noise may also hold the device at its other end, and some pulses do not move it.
    rest = pulsed & ~from_end & (np.abs(before - other) > resolution)
    at_end = float(still[from_end].mean()) if from_end.any() else 0.0
    elsewhere = float(still[rest].mean()) if rest.any() else 0.0
    often = int((still & from_end).sum()) >= _REPEATS_AT_A_BOUND
    if often and at_end > _LEAST_REST and elsewhere < at_end / 2:
        return True
    came_from = before[pulsed & ~from_end & (np.abs(weight[1:] - end) <= resolution)]
    different = len(came_from) > 1 and float(np.ptp(came_from)) > _DIFFERENT * resolution
    return different and resolution <= RESOLUTION


def _resolution(weight: np.ndarray) -> float:
    """Returns the distance below which weights are equal; it is larger if an instrument's digits
    show."""
    between = weight[(weight < weight.max()) & (weight > weight.min())]
    values = np.unique(between)
    if len(between) < _FEWEST_TIES or len(values) > len(between) / 2:
        return RESOLUTION
    digit = float(np.diff(values).min()) if len(values) > 1 else 0.0
    return max(RESOLUTION, digit / math.sqrt(12.0))
