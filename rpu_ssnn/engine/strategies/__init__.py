"""Ways to run the loop over slots: threads, and the time at which pulses reach the synapses.

`Workers`: reads are linear. Workers share a batch, and each dispatches its own pulses when its
    buffer is full or the schedule requires it.
`Batched`: reads are calls. One thread runs the presentations of a batch slot by slot.
"""

from rpu_ssnn.engine.strategies.base import WeightCopies
from rpu_ssnn.engine.strategies.batched import Batched
from rpu_ssnn.engine.strategies.workers import Workers

__all__ = ["Batched", "WeightCopies", "Workers"]
