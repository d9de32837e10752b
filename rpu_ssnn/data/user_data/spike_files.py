"""Files of spikes: lists of events, tensors of slots, and HDF5 in the layout of the Heidelberg
sets."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rpu_ssnn.common.errors import Fault, InputError, require
from rpu_ssnn.common.optional import opened_hdf5
from rpu_ssnn.data.spike_trains import SpikeTrains
from rpu_ssnn.data.user_data.raw import Part, Raw
from rpu_ssnn.data_spec import SpikeSpec

if TYPE_CHECKING:
    import h5py

LAYOUT = "spikes/times, spikes/units and labels"
"""The Heidelberg data sets (Cramer et al., IEEE TNNLS 2022) have one entry per recording."""

NEEDS_BIN = "must be given in the study's dataset, as {bin: LENGTH_OF_A_SLOT}, for recorded spikes"

MOST_RECORDINGS = 10_000_000
MOST_FILE_LINES = 1_000_000
"""`SpikeSpec.lines` has the same limit."""


def read_hdf5(path: Path, spec: SpikeSpec | None) -> Raw:
    """Returns the content of an HDF5 file laid out as `LAYOUT`, with times in the file's unit
    (often seconds).

    Raises:
        InputError: the file is not HDF5, has another layout, its times and units do not fit, or the
            study does not say how long a slot is.
    """
    layout = f"must hold numbers as {LAYOUT}, with one entry per recording"
    with opened_hdf5(path, "rpu-ssnn[spikes]", layout) as file:
        if spec is None:
            allowed = f"{NEEDS_BIN}; arrays of values must be in an .npz file"
            raise InputError(path, "spikes", None, allowed)
        return Raw(_recordings(path, file, spec), None)


def _recordings(path: Path, file: "h5py.File", spec: SpikeSpec) -> Part:
    for key in ("spikes/times", "spikes/units", "labels"):
        allowed = f"must be there; the file needs {LAYOUT}, as the Heidelberg sets have"
        require(key in file, path, key, None, allowed)
        shape = getattr(file[key], "shape", None)
        require(shape, path, key, Fault("it is no list"), f"must be one; the file needs {LAYOUT}")
        # Parts of a data set that were never written take no room in the file.
        size = math.prod(shape or ())
        allowed = f"must be at most {MOST_RECORDINGS}"
        require(size <= MOST_RECORDINGS, path, f"entries of {key}", size, allowed)
    times, units = file["spikes/times"], file["spikes/units"]
    labels = np.asarray(file["labels"][()])
    if labels.dtype.hasobject:  # h5py reads text of any length as objects
        labels = file["labels"].asstr()[()].astype(np.str_)
    allowed = f"must be {len(times)}, as in spikes/times"
    for name, counted in (("spikes/units", units), ("labels", labels)):
        count = len(counted)
        require(count == len(times), path, f"recordings of {name}", count, allowed)
    each_time = [_times(times[n]).ravel() for n in range(len(times))]
    each_unit = [np.asarray(units[n]).ravel() for n in range(len(units))]
    lengths = [len(entries) for entries in each_time]
    for n, (length, other) in enumerate(zip(lengths, map(len, each_unit), strict=True)):
        field = f"units of recording {n}"
        require(length == other, path, field, other, f"must be {length}, one per time")
    events = {
        "t": np.concatenate(each_time or [np.zeros(0)]),
        "x": np.concatenate([*each_unit, np.zeros(0, dtype=np.int64)]),
        "recording": np.repeat(np.arange(len(lengths)), lengths),
        "labels": labels,
    }
    return part_of_events(path, events, spec)


def part_of_events(where: Path, events: Mapping[str, np.ndarray], spec: SpikeSpec) -> Part:
    """Returns recordings made of events.

    Args:
        where: the file, for errors.
        events: `t` (time), `x` (line), `recording` (number, from 0) of each event, and `labels` of
            each recording; optionally `y` (row of a sensor) and `p` (polarity): the lines of a row
            follow those of the row before, and the lines of polarity p those of p - 1.

    Raises:
        InputError: arrays do not fit, or hold NaN or a negative time, line or recording; or all
            events lie in one slot.
    """
    labels, shape, kind = events["labels"], events["t"].shape, events["t"].dtype
    require(len(shape) == 1, where, "shape of t", shape, "must be one number per event")
    require(kind.kind in "biuf", where, "kind of t", str(kind), "must be numbers")
    n = len(events["t"])
    whole = {}
    for name in ("x", "recording", "y", "p"):
        if name not in events:
            continue
        shape = events[name].shape
        require(shape == (n,), where, f"shape of {name}", shape, f"must be {(n,)}, the shape of t")
        whole[name] = _whole(where, name, events[name])
    time = _times(events["t"])
    _refuse_event(
        where, "t", time, ~np.isfinite(time) | (time < 0.0), "must be a finite number, 0 or above"
    )
    allowed = f"must be below {len(labels)}, the number of labels"
    _refuse_event(
        where, "recording", whole["recording"], whole["recording"] >= len(labels), allowed
    )
    limit = spec.lines or MOST_FILE_LINES
    allowed = f"must be below {limit}, {'spikes.lines' if spec.lines else 'the limit of lines'}"
    line, shown, lines, sides = np.zeros(n, dtype=np.int64), "", 1, []
    for name in ("x", "y", "p"):
        sides.append(int(whole[name].max()) + 1 if name in whole and n else 1)
        if name in whole:
            line = line + lines * whole[name]
            shown = f"line {shown.removeprefix('line ')} + {lines} {name}" if shown else name
            _refuse_event(where, shown, line, line >= limit, allowed)
        lines *= sides[-1]
    lines = spec.lines or lines
    slot = _slots(time, spec.bin)
    _refuse_event(where, "t", time, slot >= 2**31, f"must be below {2**31} bins of {spec.bin:g}")
    trains = SpikeTrains.of_events(
        whole["recording"], slot.astype(np.int64), line, len(labels), lines
    )
    allowed = f"must be shorter than the recordings, which end at {time.max(initial=0.0):g}"
    require(trains.slots != 1, where, "spikes.bin", spec.bin, f"{allowed} in the file's unit")
    return Part(where, trains, labels, (trains.slots, lines), tuple(sides))


def numbered_alike(train: Part, test: Part, spec: SpikeSpec) -> tuple[Part, Part]:
    """Returns the same events, numbered so that equal x, y and p are the same line in both files.

    Each file numbers its lines by its own largest x and y; here the larger of both applies.

    Raises:
        InputError: a line is then beyond `spec.lines`, or beyond `MOST_FILE_LINES`; or the lines of
            tensors have several dimensions, of different sizes.
    """
    mine, theirs = train.shape[1:], test.shape[1:]
    fits = max(len(mine), len(theirs)) <= 1 or math.prod(mine) == math.prod(theirs)
    require(fits, test.where, "lines of x", theirs, f"must be {mine}, as in the training tensor")
    sides = [max(pair) for pair in zip(train.sides, test.sides, strict=False)]
    if max(sides[1:], default=1) == 1:  # lines are x, or those of a tensor
        return train, test
    return _renumbered(train, sides, spec), _renumbered(test, sides, spec)


def _renumbered(part: Part, sides: list[int], spec: SpikeSpec) -> Part:
    trains, (columns, rows, _) = part.rows, sides
    assert isinstance(trains, SpikeTrains)
    rest, x = np.divmod(trains.line.astype(np.int64), part.sides[0])
    p, y = np.divmod(rest, part.sides[1])
    line = x + columns * (y + rows * p)  # this keeps their order
    limit = spec.lines or MOST_FILE_LINES
    largest, field = int(line.max(initial=0)), f"line x + {columns} y + {columns * rows} p"
    allowed = f"must be below {limit}, where the largest x and y of both files number the lines"
    require(largest < limit, part.where, field, largest, allowed)
    lines = spec.lines or math.prod(sides)
    return replace(part, rows=replace(trains, line=line.astype(np.int32), lines=lines))


def part_of_tensor(where: Path, x: np.ndarray, y: np.ndarray, spec: SpikeSpec) -> Part:
    """Returns recordings made of a tensor [n, slots, lines...] in which whatever is not 0 is a
    spike.

    Raises:
        InputError: the tensor has fewer than three dimensions, NaN, or values below 0.
    """
    require(x.dtype.kind in "biuf", where, "kind of x", x.dtype.name, "must be numbers")
    require(x.ndim >= 3, where, "shape of x", x.shape, "must be [recordings, slots, lines]")
    flat = x.reshape(*x.shape[:2], math.prod(x.shape[2:]))
    wrong = np.argwhere(~(flat >= 0))
    if len(wrong):
        allowed = "must be 0 (no spike) or above"
        place = tuple(wrong[0].tolist())
        raise InputError(where, f"x at {place}", flat[place].item(), allowed)
    recording, slot, line = np.nonzero(flat)
    lines = spec.lines or flat.shape[2]
    allowed = f"must be at least {flat.shape[2]}, the lines of x"
    require(lines >= flat.shape[2], where, "spikes.lines", lines, allowed)
    slot = _slots(slot, spec.bin).astype(np.int64)
    trains = SpikeTrains.of_events(recording, slot, line, len(flat), lines)
    return Part(where, trains, y, (trains.slots, *x.shape[2:]))


def _times(values: Any) -> np.ndarray:
    """Returns the times in the precision of the file, which shows how far they are rounded."""
    times = np.asarray(values)
    return times if times.dtype.kind in "iuf" else times.astype(np.float64)


def _slots(time: np.ndarray, width: float) -> np.ndarray:
    """Returns the slots floor(time / width); rounding cannot move the start of a slot into the slot
    before.

    For example, 0.29 / 0.01 is 28.999999999999996, and belongs to slot 29.
    """
    kind = time.dtype if time.dtype.kind == "f" else np.dtype(np.float64)
    # Half precision only stores times, where others may be the rounded result of a calculation.
    steps = 0.5 if kind == np.float16 else 2.0
    slot = time.astype(np.float64) / width
    nearest = np.rint(slot)
    at_start = np.abs(slot - nearest) <= steps * float(np.finfo(kind).eps) * nearest
    return np.where(at_start, nearest, np.floor(slot))


def _whole(where: Path, name: str, values: np.ndarray) -> Any:
    numbers = np.asarray(values)
    kind = numbers.dtype
    require(kind.kind in "biuf", where, f"kind of {name}", str(kind), "must be whole numbers")
    wrong = ~np.isfinite(numbers) | (numbers < 0) | (numbers != np.floor(numbers))
    wrong |= numbers >= 2**31
    _refuse_event(where, name, numbers, wrong, "must be a whole number, 0 or above, below 2**31")
    return numbers.astype(np.int64)


def _refuse_event(
    where: Path, name: str, values: np.ndarray, wrong: np.ndarray, allowed: str
) -> None:
    if wrong.any():
        place = int(np.flatnonzero(wrong)[0])
        raise InputError(where, f"{name} of event {place}", values[place].item(), allowed)
