"""The state of a training as arrays, from which a newly built network can continue.

States are taken between batches only (in practice at the end of an epoch). Buffers, sums over a
batch and membranes are empty then, and not part of a state.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt64

from rpu_ssnn.common.errors import RpuSsnnError

State = dict[str, np.ndarray]
"""Arrays by name: everything that training changes.

Settings and seed determine the rest (initial weights, spread of devices).
"""

WORD = 2**64


class StateError(RpuSsnnError, ValueError):
    """Reports a state that belongs to another network or to other settings."""


@dataclass(frozen=True)
class EpochRow:
    """Holds the results of one epoch of training.

    Accuracies are shares in [0, 1]; the training accuracy is that of the training presentations
    themselves (weights still changing, dropout on). Rates are spikes per neuron and slot; spikes
    are per presentation and layer, from the input on (forward) or from the first hidden layer on
    (gradient). All three are empty where a network trains without spikes.
    """

    epoch: int
    train_accuracy: float
    validation_accuracy: float = math.nan
    seconds: float = math.nan
    rates: tuple[float, ...] = ()
    forward_spikes: tuple[float, ...] = ()
    gradient_spikes: tuple[float, ...] = ()


@dataclass(frozen=True)
class TrainingState:
    """Holds the state of a training at the end of an epoch.

    Attributes:
        epochs: number of finished epochs.
        arrays: weights, devices, counters and generators.
        curve: one row per epoch.
    """

    epochs: int
    arrays: State
    curve: tuple[EpochRow, ...]


def checked(state: State, like: State) -> State:
    """Returns the state, if it has the names, shapes and dtypes of ``like``.

    Raises:
        StateError: the names, shapes or dtypes differ.
    """
    if state.keys() != like.keys():
        raise StateError(f"it holds {sorted(state)} instead of {sorted(like)}")
    for name, mine in like.items():
        array = state[name]
        if (array.shape, array.dtype) != (mine.shape, mine.dtype):
            other = f"{mine.dtype} {mine.shape}"
            raise StateError(f"{name} is {array.dtype} {array.shape} instead of {other}")
    return state


def joined(parts: Mapping[str, State]) -> State:
    """Returns several states as one; each name starts with that of its part."""
    return {f"{part}.{name}": a for part, state in parts.items() for name, a in state.items()}


def part_of(state: State, part: str) -> State:
    """Returns one part of a joined state."""
    start = f"{part}."
    return {name.removeprefix(start): a for name, a in state.items() if name.startswith(start)}


def generator_state(rng: np.random.Generator) -> UInt64[np.ndarray, "6"]:
    """Returns the position of a PCG64 generator (numpy's default) in its sequence, as 64-bit
    words."""
    whole = rng.bit_generator.state
    inner = whole["state"]
    return np.array(
        [
            *divmod(inner["state"], WORD),
            *divmod(inner["inc"], WORD),
            whole["has_uint32"],
            whole["uinteger"],
        ],
        dtype=np.uint64,
    )


def restore_generator(rng: np.random.Generator, state: UInt64[np.ndarray, "6"]) -> None:
    """Sets a PCG64 generator to a position of `generator_state`."""
    high, low, inc_high, inc_low, has_uint32, uinteger = (int(word) for word in state)
    rng.bit_generator.state = {
        "bit_generator": "PCG64",
        "state": {"state": high * WORD + low, "inc": inc_high * WORD + inc_low},
        "has_uint32": has_uint32,
        "uinteger": uinteger,
    }
