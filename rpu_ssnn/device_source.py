"""What synapses ask of a device, whichever simulator holds it."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # the laws import numba
    from rpu_ssnn.devices.laws.charge_trap import ChargeTrapPhysics
    from rpu_ssnn.devices.laws.jump_table import JumpTable
    from rpu_ssnn.devices.own_law import OwnLaw

PulsedDevice = Any
"""An aihwkit configuration of a device or of a cell of several (aihwkit ships no types)."""


class DeviceSource(Protocol):
    """What a tile asks of a device; `device_presets.Preset`, `CompoundDevice` and `TableDevice` are
    ones."""

    @property
    def pulse_physics(self) -> "ChargeTrapPhysics | None":
        """What the device does beyond aihwkit; None where it does nothing beyond."""

    @property
    def own_law(self) -> "OwnLaw | None":
        """The law of a user's own file that the devices follow; None: a law of the package."""

    @property
    def jump_tables(self) -> "Sequence[JumpTable] | None":
        """Measured jumps, of which each device has those of one table; None: a step model."""

    @property
    def leak_time_constant_s(self) -> float:
        """A weight left alone decays as exp(-t / this) (s); infinite where it does not leak."""

    @property
    def pair(self) -> bool:
        """Whether each weight is a differential pair, whatever the tile's reference scheme."""

    @property
    def in_parallel(self) -> int:
        """Devices on one output line that all get every pulse of a weight; their mean is read."""

    def device(self, seconds_between_steps: float | None = None) -> PulsedDevice:
        """A fresh aihwkit device configuration whose leak acts once in that time (s)."""


def loses_charge(device: DeviceSource) -> bool:
    """Whether a device that gets no pulse changes by itself: it leaks, or loses in log-time."""
    physics = device.pulse_physics
    in_log_time = physics is not None and physics.loss_per_decade > 0.0
    return in_log_time or math.isfinite(device.leak_time_constant_s)
