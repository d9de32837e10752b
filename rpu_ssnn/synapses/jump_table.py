"""What the native simulator takes for a device that is its measured statistics."""

from typing import Protocol

import numpy as np
from jaxtyping import Float64


class JumpTable(Protocol):
    """Distribution of the change of state by a pulse, by state and direction.

    `device_presets.jump_tables.table_device.JumpTable` is one.
    """

    @property
    def states(self) -> Float64[np.ndarray, " columns"]:
        """Where the distribution is known, rising; the ends are the device's bounds."""

    @property
    def points(self) -> Float64[np.ndarray, " points"]:
        """Of the cumulative distribution, rising from 0 to 1; the same in all tables."""

    @property
    def up(self) -> Float64[np.ndarray, "columns points"]:
        """Change of state by a pulse up; as many columns in all tables."""

    @property
    def down(self) -> Float64[np.ndarray, "columns points"]:
        """Change of state by a pulse down (mostly below 0)."""
