"""Numbers as stochastic pulse trains: the pulse blocks of W - learning_rate x^T d (compiled).

In each slot an input line spikes with a probability proportional to x, an output line with one
proportional to |d|, independently. Where both spike, the device gets a pulse: on average as many as
the change needs (Gokmen and Vlasov, Front. Neurosci. 2016). The scales of both probabilities, and
the length of a train, are those of aihwkit's update management. aihwkit's stochastic trains follow
the same law. Each draw here depends only on the key, the line, the presentation and the slot.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, Int32

from rpu_ssnn.compiled import compiled, inner
from rpu_ssnn.random_numbers import random_word, uniform
from rpu_ssnn.synapses.base import PulseBlock, empty_block

type Numbers = Float32[np.ndarray, "batch lines"]


class TrainLaw(NamedTuple):
    """Describes how a pair of numbers becomes pulses."""

    longest: int
    """The largest number of slots in a train."""
    balanced: bool
    """x and d are scaled so that both trains are equally full (update management)."""
    shortened: bool
    """A train is no longer than the largest change of its presentation needs (length management,
    which balances too)."""
    lead: int
    """The slots of a presentation before its trains."""
    key: np.uint64
    """The key of all draws."""


def number_trains(
    law: TrainLaw, x: Numbers, d: Numbers, steps: float, first: int, all_spikes: bool
) -> PulseBlock:
    """Returns the trains of a batch; a slot without a coincidence has no row, unless all spikes
    matter.

    Args:
        law: gives the length of the trains and how full they are.
        x: inputs, 0 or above.
        d: gradient of the loss to the outputs; a device goes up where d is negative.
        steps: learning rate over the step of a device, which is the number of pulses for x d = 1.
        first: number of the batch's first presentation since training began.
        all_spikes: whether spikes without a coincidence matter too.
    """
    rows = len(x) * law.longest
    pre, post = (law.longest * int(np.count_nonzero(part)) for part in (x, d))
    block = empty_block(rows, pre, post)
    lines = max(x.shape[1], d.shape[1])
    chances, active = np.empty((2, lines)), np.empty((2, lines), np.int32)
    return block.first_rows(_draw(law, x, d, steps, first, all_spikes, block, chances, active))


@compiled
def _draw(
    law: TrainLaw, x: Numbers, d: Numbers, steps: float, first: int, all_spikes: bool,
    block: PulseBlock,
    chances: Float64[np.ndarray, "2 lines"], active: Int32[np.ndarray, "2 lines"],
) -> int:  # fmt: skip
    """Writes the trains into the block, and returns the number of its rows.

    Args:
        chances, active: working memory for the lines that can spike in a presentation, input lines
            first.
    """
    n_in, n_out = x.shape[1], d.shape[1]
    chance_in, chance_out, lines_in, lines_out = chances[0], chances[1], active[0], active[1]
    rows = 0
    for b in range(len(x)):
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
            first_in, first_out = block.pre_start[rows], block.post_start[rows]
            end_in, end_out = first_in, first_out
            for k in range(active_out):
                line = lines_out[k]
                if uniform(random_word(law.key, np.uint64(draw + n_in + line))) < chance_out[k]:
                    block.post[end_out] = line
                    block.sign[end_out] = 1 if d[b, line] < 0 else -1
                    end_out += 1
            if end_out == first_out and not all_spikes:
                continue
            for k in range(active_in):
                line = lines_in[k]
                if uniform(random_word(law.key, np.uint64(draw + line))) < chance_in[k]:
                    block.pre[end_in] = line
                    end_in += 1
            if end_in == first_in and (end_out == first_out or not all_spikes):
                continue
            block.sample[rows], block.slot[rows] = b, law.lead + t
            rows += 1
            block.pre_start[rows], block.post_start[rows] = end_in, end_out
    return rows


@inner
def _active(
    numbers: Float32[np.ndarray, " lines"], lines: Int32[np.ndarray, " lines"]
) -> tuple[int, float]:
    """Collects the lines whose number is not zero in `lines`, and returns how many there are and
    the largest absolute number."""
    active, largest = 0, np.float32(0.0)
    for line in range(len(numbers)):
        size = abs(numbers[line])
        if size > np.float32(0.0):
            lines[active] = line
            active += 1
            largest = max(largest, size)
    return active, float(largest)


@inner
def _scales(
    law: TrainLaw, largest_x: float, largest_d: float, steps: float
) -> tuple[int, float, float]:
    """Returns the length of a train, and probabilities for x = 1 and for d = 1 (the draw cuts them
    at 1).

    Balanced probabilities are above 1 only for d, and only where a change needs more pulses than
    the longest train has slots (as in aihwkit 1.2).
    """
    length, pulses = law.longest, steps * largest_x * largest_d
    if law.shortened:
        length = max(1, math.ceil(min(pulses, float(length))))
    if not (law.shortened or law.balanced):
        scale = math.sqrt(steps / length)
        return length, scale, scale
    most_x = min(1.0, math.sqrt(pulses / length))
    return length, most_x / largest_x, pulses / length / most_x / largest_d
