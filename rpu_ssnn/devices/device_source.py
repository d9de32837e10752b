"""The interface through which the synapses of every simulator use a device."""

import math
from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.devices.cell import Cell, PulsedDevice

if TYPE_CHECKING:  # the laws import numba
    from rpu_ssnn.devices.laws.charge_trap import ChargeTrapPhysics
    from rpu_ssnn.devices.laws.jump_table import JumpTable
    from rpu_ssnn.devices.own_law import OwnLaw


@runtime_checkable
class DeviceSource(Protocol):
    """A device from which synapses can be built, such as `Preset` or `CompoundDevice` of the
    package `device_presets`."""

    @property
    def pulse_physics(self) -> "ChargeTrapPhysics | None":
        """Returns the device's memory of pulses, which aihwkit does not have, or None without
        one."""

    @property
    def own_law(self) -> "OwnLaw | None":
        """Returns the user-defined law that the devices follow, or None for a law of the
        package."""

    @property
    def jump_tables(self) -> "Sequence[JumpTable] | None":
        """Returns the tables of measured jumps, of which each device has one, or None for a step
        model."""

    @property
    def leak_time_constant_s(self) -> float:
        """Returns tau (s) of the decay exp(-t / tau) of an idle weight; it is infinite without a
        leak."""

    @property
    def cell(self) -> Cell:
        """Returns what is known of the cell of devices that holds one weight."""

    def device(self, seconds_between_steps: float | None = None) -> PulsedDevice:
        """Returns a fresh aihwkit device configuration whose leak acts once in that time (s)."""


def loses_charge(device: DeviceSource) -> bool:
    """Returns whether a device changes without pulses: it leaks, or loses charge in log-time."""
    physics = device.pulse_physics
    in_log_time = physics is not None and physics.loss_per_decade > 0.0
    return in_log_time or math.isfinite(device.leak_time_constant_s)


def find_device(device: Any) -> DeviceSource:
    """Returns a device from which a tile can be built.

    Presets are not part of this package: an installed library of devices announces its function
    from a name to a device as an entry point of the group `rpu_ssnn.devices` (in its
    pyproject.toml).

    Args:
        device: a `DeviceSource`, or something that the library knows: the name of a preset, or a
            device configuration of aihwkit.

    Raises:
        InputError: no library is installed, or it does not know the device.
    """
    if isinstance(device, DeviceSource):
        return device
    for library in entry_points(group="rpu_ssnn.devices"):
        source: DeviceSource = library.load()(device)
        return source
    raise InputError("find_device", "device", device, "needs an installed library of devices")
