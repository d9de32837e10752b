"""Recorded spike trains as lists of spikes: memory grows with spikes, not with slots."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from jaxtyping import Float32, Int32, Int64

type Events = Int64[np.ndarray, " events"]


@dataclass(frozen=True, eq=False)
class SpikeTrains:
    """Holds recordings of several lines; a line spikes at most once in a slot.

    Indexing (slice, positions or flags) selects recordings, like the rows of an array.

    Attributes:
        start: recording r has the spikes from `start[r]` up to, but not including, `start[r + 1]`.
        slot: the slot of each spike; slots do not descend within a recording.
        line: the line of each spike; lines ascend within a slot.
        lines: the number of lines.
    """

    start: Int64[np.ndarray, " recordings_plus_1"]
    slot: Int32[np.ndarray, " spikes"]
    line: Int32[np.ndarray, " spikes"]
    lines: int

    @classmethod
    def of_events(
        cls, recording: Events, slot: Events, line: Events, recordings: int, lines: int
    ) -> Self:
        """Makes trains of events in any order; several events of a line in one slot are one spike.

        Raises:
            ValueError: a recording, slot or line is negative or too large.
        """
        for name, values, most in (
            ("recording", recording, recordings),
            ("slot", slot, 2**31),
            ("line", line, lines),
        ):
            if len(values) and not 0 <= values.min() <= values.max() < most:
                raise ValueError(f"{name} must be at least 0 and below {most}")
        order = np.lexsort((line, slot, recording))
        recording, slot, line = recording[order], slot[order], line[order]
        first = np.ones(len(order), dtype=np.bool_)
        for values in (recording, slot, line):
            first[1:] &= values[1:] == values[:-1]
        first[1:] = ~first[1:]
        recording, slot, line = recording[first], slot[first], line[first]
        start = np.searchsorted(recording, np.arange(recordings + 1)).astype(np.int64)
        return cls(start, slot.astype(np.int32), line.astype(np.int32), lines)

    def __len__(self) -> int:
        return len(self.start) - 1

    @property
    def shape(self) -> tuple[int, int]:
        """Returns (recordings, lines), the shape of an array of rates."""
        return len(self), self.lines

    @property
    def slots(self) -> int:
        """Returns the number of slots up to the last one that has a spike."""
        return int(self.slot.max()) + 1 if len(self.slot) else 0

    def __getitem__(self, chosen: Any) -> Self:
        positions = np.arange(len(self))[chosen]
        lengths = np.diff(self.start)[positions]
        start = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        spikes = np.arange(start[-1]) + np.repeat(self.start[positions] - start[:-1], lengths)
        return type(self)(start, self.slot[spikes], self.line[spikes], self.lines)

    @property
    def recording(self) -> Int64[np.ndarray, " spikes"]:
        """Returns the recording of each spike."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """Returns all arrays, for a digest."""
        return self.start, self.slot, self.line, np.array([self.lines])

    def counts(self) -> Float32[np.ndarray, "recordings lines"]:
        """Returns the spikes of each line, whatever their slots."""
        counts = np.zeros(self.shape, dtype=np.float32)
        np.add.at(counts, (self.recording, self.line), 1.0)
        return counts

    def most_a_line(self) -> float:
        """Returns the largest count of a line in a recording; 0 where nothing spikes."""
        return float(self.counts().max(initial=0.0))

    def with_lines(self, lines: int) -> Self:
        """Returns the same spikes, with more lines in all."""
        return replace(self, lines=lines)

    def share_from(self, slot: int) -> float:
        """Returns the share of the spikes that come in this slot or later; it is 0 where there are
        none."""
        return float((self.slot >= slot).mean()) if len(self.slot) else 0.0

    def first_slots(self, slots: int) -> Self:
        """Returns the same recordings without their spikes from this slot on."""
        shown = self.slot < slots
        start = np.concatenate([[0], np.cumsum(shown)])[self.start].astype(np.int64)
        return type(self)(start, self.slot[shown], self.line[shown], self.lines)

    def time_shuffled(self, rng: np.random.Generator) -> Self:
        """Returns the same recordings with their slots, up to the last spike, in random order.

        Spikes of one slot stay together, and the count of each line is kept.
        """
        slot = self.slot.copy()
        for first, stop in zip(self.start[:-1], self.start[1:], strict=True):
            if stop > first:
                slot[first:stop] = rng.permutation(int(slot[stop - 1]) + 1)[slot[first:stop]]
        recordings, lines = self.shape
        return self.of_events(
            self.recording, slot.astype(np.int64), self.line.astype(np.int64), recordings, lines
        )
