"""The numbers that all devices of an array share, as a compiled step reads them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np
from jaxtyping import Float32

from rpu_ssnn.devices.device_record import RECORD

PerDevice = Float32[np.ndarray, " devices"]


class Jumps(NamedTuple):
    """Holds the distributions of jumps by table; the jumps up of table k are in row 2k of `changes`
    and `means`, and its jumps down in row 2k + 1."""

    states: Float32[np.ndarray, "tables columns"]
    points: Float32[np.ndarray, " points"]
    changes: Float32[np.ndarray, "two_tables columns points"]
    means: Float32[np.ndarray, "two_tables columns"]


NO_JUMPS = Jumps(*(np.zeros((1,) * axes, dtype=np.float32) for axes in (2, 1, 3, 2)))
"""Stands in where devices have steps and no tables of jumps."""


class OwnShared(NamedTuple):
    """Holds the shared numbers that the step of a user-defined law reads."""

    noise: np.float32
    """The deviation of a step from pulse to pulse, as a share of the step."""
    numbers: Float32[np.ndarray, " n"]
    """The law's own parameters, in the order of its file."""


type OwnStep = Callable[[OwnShared, Any, np.float32, bool, np.float32], np.float32]


class Shared(NamedTuple):
    """Holds the numbers of a law that are the same for all devices; by default nothing acts."""

    noise: np.float32 = np.float32(0.0)
    """The deviation of a step from pulse to pulse, as a share of the step."""
    write_noise: np.float32 = np.float32(0.0)
    """The deviation of the read value from the state, drawn at each pulse and write (states)."""
    noise_follows_step: bool = True
    """True if noise is a share of the local step, False if it is one of the step at state zero."""
    has_reference: bool = False
    """True if `a` of a device is a reference that is subtracted from the device's own state."""
    rest: np.float32 = np.float32(0.0)
    """The state of a device that has lost all charge."""
    range_noise: np.float32 = np.float32(0.0)
    """The further deviation of a pulse, as a share of the device's range."""
    quantum: np.float32 = np.float32(0.0)
    """The states that one charge makes; a step of s states has a further variance of s times
    this."""
    half_window: np.float32 = np.float32(0.0)
    """The number of pulses after which the window has closed by half; 0 where it never closes."""
    wear_exponent: np.float32 = np.float32(1.0)
    numbers: Float32[np.ndarray, " n"] = np.zeros(1, dtype=np.float32)
    """The law's own numbers, in the order of its file."""
    jumps: Jumps = NO_JUMPS
    own: OwnStep | None = None
    """The compiled step of a user-defined law (`own_step`)."""


def own_step(step: Callable[..., Any]) -> Any:
    """Compiles the step of a user-defined law, and returns it as a pointer that kernels can call.

    Kernels inline the steps of the package, but call this one through the pointer, so that they
    need not be compiled again for each law. Both take the same arguments.

    Raises:
        numba.core.errors.NumbaError: numba cannot compile the step.
    """
    single, flag = numba.types.float32, numba.types.boolean
    type_of: Callable[[Any], Any] = numba.typeof
    shared = type_of(OwnShared(np.float32(0.0), np.zeros(1, dtype=np.float32)))
    signature = single(shared, numba.from_dtype(RECORD), single, flag, single)
    return numba.cfunc(signature, error_model="numpy")(step)


def shared_of(config: Any) -> Shared:
    """Returns shared numbers with only the noises that every aihwkit device configuration gives."""
    write_noise = getattr(config, "write_noise_std", 0.0) * config.dw_min
    return Shared(np.float32(config.dw_min_std), np.float32(write_noise))
