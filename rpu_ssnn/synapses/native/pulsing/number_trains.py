"""Numbers as stochastic pulse trains: the pulse blocks of W - learning_rate x^T d (compiled).

In each slot an input line spikes with a probability proportional to x, an output line with one
proportional to |d|, each for itself. Where both spike, the device gets a pulse: in the mean as many
as the change asks for (Gokmen and Vlasov, Front. Neurosci. 2016). The scales of both probabilities,
and the length of a train, are those of aihwkit's update management. aihwkit's stochastic trains
follow the same law. A draw here follows from the key, the line, the presentation and the slot.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int8, Int32

from rpu_ssnn.compiled import compiled
from rpu_ssnn.synapses.native.random_numbers import random_word, uniform


class TrainLaw(NamedTuple):
    """How a pair of numbers becomes pulses."""

    longest: int
    """Slots of a train, at most."""
    balanced: bool
    """x and d are scaled so that both trains are equally full (update management)."""
    shortened: bool
    """A train is no longer than the largest change of its presentation needs (length management,
    which balances too)."""
    lead: int
    """Slots of a presentation before its trains."""
    key: np.uint64
    """Of all draws."""


type TrainRows = tuple[
    Int32[np.ndarray, " rows"],
    Int32[np.ndarray, " rows"],
    Int32[np.ndarray, " rows_plus_1"],
    Int32[np.ndarray, " pre_spikes"],
    Int32[np.ndarray, " rows_plus_1"],
    Int32[np.ndarray, " post_spikes"],
    Int8[np.ndarray, " post_spikes"],
]
"""The arrays of a `PulseBlock`, in its order (no named tuple: it leaves compiled code slowly)."""


@compiled
def number_trains(
    law: TrainLaw,
    x: Float32[np.ndarray, "batch n_in"],
    d: Float32[np.ndarray, "batch n_out"],
    steps: float,
    first: int,
    all_spikes: bool,
) -> TrainRows:
    """Trains of a batch; a slot without a coincidence has no row, unless all spikes matter.

    Args:
        law: of the trains.
        x: inputs, 0 or above.
        d: gradient of the loss to the outputs; a device goes up where d is negative.
        steps: learning rate over the step of a device: pulses for x d = 1.
        first: number of the batch's first presentation since training began.
        all_spikes: whether spikes matter that meet none.
    """
    batch, n_in = x.shape
    n_out, most = d.shape[1], batch * law.longest
    sample, slot = np.empty(most, np.int32), np.empty(most, np.int32)
    pre_start, post_start = np.zeros(most + 1, np.int32), np.zeros(most + 1, np.int32)
    pre, post = np.empty(1024, np.int32), np.empty(1024, np.int32)
    sign = np.empty(1024, np.int8)
    chance_in, chance_out = np.empty(n_in), np.empty(n_out)
    lines_in, lines_out = np.empty(n_in, np.int32), np.empty(n_out, np.int32)
    rows = 0
    for b in range(batch):
        active_in, largest_x = _active(x[b], lines_in)
        active_out, largest_d = _active(d[b], lines_out)
        if active_in == 0 or active_out == 0 or steps == 0.0:
            continue  # no change is wanted, so there is no train
        length, scale_in, scale_out = _scales(law, largest_x, largest_d, steps)
        for k in range(active_in):
            chance_in[k] = scale_in * x[b, lines_in[k]]
        for k in range(active_out):
            chance_out[k] = scale_out * abs(d[b, lines_out[k]])
        for t in range(length):
            draw = ((first + b) * law.longest + t) * (n_in + n_out)
            first_in, first_out = pre_start[rows], post_start[rows]
            post, sign = _room(post, first_out + n_out), _room(sign, first_out + n_out)
            end_out = first_out
            for k in range(active_out):
                line = lines_out[k]
                if uniform(random_word(law.key, np.uint64(draw + n_in + line))) < chance_out[k]:
                    post[end_out], sign[end_out] = line, 1 if d[b, line] < 0 else -1
                    end_out += 1
            if end_out == first_out and not all_spikes:
                continue
            pre, end_in = _room(pre, first_in + n_in), first_in
            for k in range(active_in):
                line = lines_in[k]
                if uniform(random_word(law.key, np.uint64(draw + line))) < chance_in[k]:
                    pre[end_in] = line
                    end_in += 1
            if end_in == first_in and (end_out == first_out or not all_spikes):
                continue
            sample[rows], slot[rows] = b, law.lead + t
            rows += 1
            pre_start[rows], post_start[rows] = end_in, end_out
    return (
        sample[:rows], slot[:rows], pre_start[: rows + 1], pre[: pre_start[rows]],
        post_start[: rows + 1], post[: post_start[rows]], sign[: post_start[rows]],
    )  # fmt: skip


@compiled
def _active(
    numbers: Float32[np.ndarray, " lines"], found: Int32[np.ndarray, " lines"]
) -> tuple[int, float]:
    """Put the lines whose number is not zero first; how many, and the largest number."""
    active, largest = 0, np.float32(0.0)
    for line in range(len(numbers)):
        size = abs(numbers[line])
        if size > np.float32(0.0):
            found[active] = line
            active += 1
            largest = max(largest, size)
    return active, float(largest)


@compiled
def _scales(
    law: TrainLaw, largest_x: float, largest_d: float, steps: float
) -> tuple[int, float, float]:
    """Length of a train, and probabilities for x = 1 and for d = 1 (whoever draws cuts them at 1).

    Balanced probabilities are above 1 only for d, and only where a change needs more pulses than
    the longest train has (as in aihwkit 1.2).
    """
    length, pulses = law.longest, steps * largest_x * largest_d
    if law.shortened:
        length = max(1, math.ceil(min(pulses, float(length))))
    if not (law.shortened or law.balanced):
        scale = math.sqrt(steps / length)
        return length, scale, scale
    most_x = min(1.0, math.sqrt(pulses / length))
    return length, most_x / largest_x, pulses / length / most_x / largest_d


@compiled
def _room(array: np.ndarray, size: int) -> np.ndarray:
    """The array, or a longer one with the same start."""
    if size <= len(array):
        return array
    longer = np.empty(2 * size, array.dtype)
    longer[: len(array)] = array
    return longer
