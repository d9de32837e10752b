"""The base class of strategies, and the data that all strategies share."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rpu_ssnn.engine.parameters import Parameters
from rpu_ssnn.engine.pulses import PulseBuffers, block_of
from rpu_ssnn.engine.state import (
    Lookahead,
    Presentations,
    Recording,
    WorkerState,
    make_lookahead,
    make_worker_state,
)
from rpu_ssnn.engine.weight_copies import WeightCopies
from rpu_ssnn.spec import Schedule
from rpu_ssnn.synapses.base import Synapses


@dataclass(frozen=True)
class Job:
    """Data of a network for its strategy.

    Attributes:
        synapses: of each crossbar.
        reads: copies of their weights.
        training, inference: parameters with and without dropout.
        schedule: when changed weights are seen by the reads.
        threads: workers at most.
        pool: `threads` - 1 threads.
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
        """For each crossbar, whether slots without a coincidence are needed too."""
        return [each.needs_all_spikes for each in self.synapses]

    def dispatch(self, out: PulseBuffers) -> None:
        """Pass the pulses of each crossbar to its synapses, and empty the buffer."""
        for place, each in enumerate(self.synapses):
            if out.rows[place]:
                each.update(block_of(out, place))
        out.rows[:] = 0

    def commit(self, presentations: range) -> None:
        """Make the pulses so far visible to reads."""
        for each in self.synapses:
            each.commit(presentations)
        self.reads.refresh()


@dataclass(frozen=True)
class Worker:
    """A state and a lookahead, for one thread at a time."""

    state: WorkerState
    lookahead: Lookahead


def make_workers(net: Parameters, n: int) -> list[Worker]:
    """n workers at rest."""
    return [Worker(make_worker_state(net), make_lookahead(net)) for _ in range(n)]


class Strategy(ABC):
    """Runs the simulation of presentations.

    A strategy commits pulses for the schedules `slot` and `presentation`; the network commits
    batches.
    """

    @abstractmethod
    def train(self, shown: Presentations) -> None:
        """Show all presentations, and dispatch their pulses in the order that synapses need."""

    @abstractmethod
    def infer(self, shown: Presentations, recording: Recording) -> None:
        """Show all presentations without label, gradient or pulses.

        Raises:
            ValueError: a recording is requested, and reads are not matrix products.
        """
