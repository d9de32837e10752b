"""Ways to run the loop over slots: threads, and the time at which pulses reach the synapses.

`Serial`: reads are linear. One worker trains, and dispatches pulses when a buffer is full or the
    schedule requires it.
`Threaded`: workers share a batch. Each dispatches its own pulses: float weights sum them in any
    order, and native devices collect and sort them.
`Ordered`: workers share a batch. Then one thread dispatches in the order of the presentations, for
    devices.
`Batched`: reads are calls. One thread runs the presentations of a batch slot by slot.
"""

from rpu_ssnn.engine.strategies.base import Job, Strategy
from rpu_ssnn.engine.strategies.batched import Batched
from rpu_ssnn.engine.strategies.ordered import Ordered, buffer_count
from rpu_ssnn.engine.strategies.serial import Serial, Threaded

__all__ = ["Job", "Strategy", "choose_strategy"]


def choose_strategy(job: Job) -> Strategy:
    """Returns the fastest strategy that meets the needs of the schedule and the synapses."""
    if not job.reads.linear:
        return Batched(job)
    if job.threads == 1 or job.schedule != "batch":
        return Serial(job)
    if not any(each.ordered for each in job.synapses):
        return Threaded(job)
    # Pulses of a very long presentation do not fit a buffer.
    return Ordered(job) if buffer_count(job.training, job.threads) >= job.threads else Serial(job)
