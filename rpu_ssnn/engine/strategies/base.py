"""The base class of strategies, and what all strategies share: copies of weights, and workers."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from rpu_ssnn.engine.parameters import Parameters
from rpu_ssnn.engine.propagation import Matrices
from rpu_ssnn.engine.pulses import PulseBuffers
from rpu_ssnn.engine.state import Presentations, Recording
from rpu_ssnn.spec import Schedule
from rpu_ssnn.synapses.base import PulseBlock, Synapses


class WeightCopies:
    """Keeps copies of the weights as linear reads give them; `refresh` updates changed ones.

    Args:
        synapses: the synapses of all crossbars.

    Attributes:
        linear: whether all reads are matrix products; only then do the matrices hold anything.
    """

    def __init__(self, synapses: Sequence[Synapses]) -> None:
        self._synapses = synapses
        ends = np.cumsum([0, *(a * b for a, b in (s.shape for s in synapses))])
        self.matrices = Matrices(np.zeros(ends[-1], np.float32), np.zeros(ends[-1], np.float32))
        weights, transposed = self.matrices
        self._places = []
        """The views of each crossbar [n_in, n_out] and [n_out, n_in]; no gradient passes the
        first."""
        for layer, (each, (a, b)) in enumerate(zip(synapses, pairwise(ends), strict=True)):
            passed = transposed[a:b] if layer > 0 else transposed[:0]
            turned = passed.reshape(-1, each.shape[0])
            self._places.append((weights[a:b].reshape(each.shape), turned))
        self._seen = [-1] * len(synapses)
        self.linear = True
        self.refresh()

    def refresh(self) -> None:
        """Updates the crossbars that have changed since the last refresh."""
        for layer, synapses in enumerate(self._synapses):
            if synapses.changes == self._seen[layer]:
                continue
            matrix, turned = self._places[layer]
            known = self._seen[layer] >= 0
            if known and synapses.write_changes(self._seen[layer], matrix, turned):
                self._seen[layer] = synapses.changes
                continue
            read = synapses.linear_read()
            if read is None:
                self.linear = False
                return
            self._seen[layer] = synapses.changes
            matrix[:] = read
            if len(turned):
                turned[:] = read.T


@dataclass
class Strategy(ABC):
    """Runs the simulation of presentations.

    A strategy commits pulses for the schedules `slot` and `presentation`; the network commits
    batches.

    Attributes:
        synapses: the synapses of each crossbar.
        reads: copies of their weights.
        training, inference: parameters with and without dropout.
        schedule: when reads see changed weights.
        threads: largest number of workers.
        pool: a pool of `threads` - 1 threads.
    """

    synapses: Sequence[Synapses]
    reads: WeightCopies
    training: Parameters
    inference: Parameters
    schedule: Schedule
    threads: int
    pool: ThreadPoolExecutor

    @property
    def all_spikes(self) -> list[bool]:
        """Returns for each crossbar whether slots without a coincidence are needed too."""
        return [each.needs_all_spikes for each in self.synapses]

    def dispatch(self, out: PulseBuffers) -> None:
        """Passes the pulses of each crossbar to its synapses, and empties the buffer."""
        for place, each in enumerate(self.synapses):
            if out.rows[place]:
                block = PulseBlock(*(array[place] for array in out.blocks))
                each.update(block.first_rows(int(out.rows[place])))
        out.rows[:] = 0

    def settle(self) -> None:
        """Lets the synapses act on all pulses so far."""
        for each in self.synapses:
            each.settle()

    def commit(self, presentations: range) -> None:
        """Makes the pulses so far visible to reads."""
        for each in self.synapses:
            each.commit(presentations)
        self.reads.refresh()

    @abstractmethod
    def train(self, shown: Presentations) -> None:
        """Shows all presentations, and dispatches their pulses in the order that synapses need."""

    @abstractmethod
    def infer(self, shown: Presentations, recording: Recording) -> None:
        """Shows all presentations without label, gradient or pulses.

        Raises:
            ValueError: a recording is requested, and reads are not matrix products.
        """
