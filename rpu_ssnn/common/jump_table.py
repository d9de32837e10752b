"""Measured jumps of one device, as the native simulator takes them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64


@dataclass(frozen=True)
class JumpTable:
    """Distribution of the change of state by a pulse, by state and direction.

    Attributes:
        states: where the distribution is known, rising; the ends are the device's bounds.
        points: of the cumulative distribution, rising from 0 to 1; the same in all tables.
        up: change of state by a pulse up; as many columns in all tables.
        down: change of state by a pulse down (mostly below 0).
    """

    states: Float64[np.ndarray, " columns"]
    points: Float64[np.ndarray, " points"]
    up: Float64[np.ndarray, "columns points"]
    down: Float64[np.ndarray, "columns points"]
