"""The interface of a device, by which the synapses of every simulator ask for it."""

import math
from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Protocol, cast

from rpu_ssnn.common.errors import InputError

if TYPE_CHECKING:  # the laws import numba
    from rpu_ssnn.devices.laws.charge_trap import ChargeTrapPhysics
    from rpu_ssnn.devices.laws.jump_table import JumpTable
    from rpu_ssnn.devices.own_law import OwnLaw

PulsedDevice = Any
"""An aihwkit configuration of a device or of a cell of several (aihwkit ships no types)."""


class DeviceSource(Protocol):
    """A device that synapses can be built of, such as `Preset` or `CompoundDevice` of the package
    `device_presets`."""

    @property
    def pulse_physics(self) -> "ChargeTrapPhysics | None":
        """Returns the memory of pulses that aihwkit does not have; None: the device has none."""

    @property
    def own_law(self) -> "OwnLaw | None":
        """Returns the law of a user's own file that the devices follow; None: a law of the
        package."""

    @property
    def jump_tables(self) -> "Sequence[JumpTable] | None":
        """Returns the tables of measured jumps, one of which each device has; None: a step
        model."""

    @property
    def leak_time_constant_s(self) -> float:
        """Returns tau (s) of the decay exp(-t / tau) of a weight left alone; it is infinite without
        a leak."""

    @property
    def pair(self) -> bool:
        """Says whether each weight is a differential pair, whatever the tile's reference."""

    @property
    def in_parallel(self) -> int:
        """Returns how many devices on one output line all get every pulse of a weight; their mean
        is read."""

    def device(self, seconds_between_steps: float | None = None) -> PulsedDevice:
        """Returns a fresh aihwkit device configuration whose leak acts once in that time (s)."""


def loses_charge(device: DeviceSource) -> bool:
    """Says whether a device without pulses changes by itself: it leaks, or loses in log-time."""
    physics = device.pulse_physics
    in_log_time = physics is not None and physics.loss_per_decade > 0.0
    return in_log_time or math.isfinite(device.leak_time_constant_s)


def find_device(device: Any) -> DeviceSource:
    """Returns a device that a tile can be built of.

    Presets are no part of this package: an installed library of devices announces its function from
    a name to a device as an entry point of the group `rpu_ssnn.devices` (in its pyproject.toml).

    Args:
        device: a `DeviceSource`, or what the library knows: the name of a preset, or a device
            configuration of aihwkit.

    Raises:
        InputError: no library is installed, or it does not know the device.
    """
    if hasattr(device, "leak_time_constant_s") and hasattr(device, "pulse_physics"):
        return cast(DeviceSource, device)
    for library in entry_points(group="rpu_ssnn.devices"):
        found: DeviceSource = library.load()(device)
        return found
    raise InputError("find_device", "device", device, "needs an installed library of devices")
