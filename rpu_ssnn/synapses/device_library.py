"""Devices by name, from whichever installed package offers them.

Presets are no part of this package: a library announces its function from a name to a device as an
entry point of the group `rpu_ssnn.devices` (in its pyproject.toml), and is loaded when asked for.
"""

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any, cast

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.device_source import DeviceSource

GROUP = "rpu_ssnn.devices"


def find_device(device: Any) -> DeviceSource:
    """A device that a tile can be built of.

    Args:
        device: one already (`DeviceSource`), or what an installed library knows: the name of a
            preset, an aihwkit device configuration.

    Raises:
        InputError: no library is installed, or several, or it does not know the device.
    """
    if _is_device(device):
        return cast(DeviceSource, device)
    found = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
    if not found:
        allowed = f"needs a library of devices: no package offers an entry point {GROUP}"
        raise InputError("find_device", "device", device, allowed)
    if len(found) > 1:
        names = ", ".join(entry.value for entry in found)
        raise InputError("find_device", "library", names, "must be one: uninstall the others")
    library: Callable[[Any], DeviceSource] = found[0].load()
    return library(device)


def refuse_other_than_device(device: Any) -> None:
    """Refuses the name of a device, which only a library of devices knows.

    Raises:
        InputError: no device.
    """
    if not _is_device(device):
        call = f'get_preset("{device}")' if isinstance(device, str) else "get_device(...)"
        allowed = f"must be a device: pass {call} of the package device_presets"
        raise InputError("synapses", "device", device, allowed)


def _is_device(device: Any) -> bool:
    return hasattr(device, "leak_time_constant_s") and hasattr(device, "pulse_physics")
