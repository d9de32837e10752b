"""Device presets as a study sees them: checked names and overrides, complete parameters."""

import math
from collections.abc import Mapping
from typing import Any

from rpu_ssnn.errors import InputError
from rpu_ssnn.spec import NEEDS_MEMORY, TileSpec


def parameters_of(
    device: str, prefix: str = "", overrides: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """All parameters of a device, so that an edited preset makes another unit.

    Args:
        device: name of a preset, or a preset file.
        prefix: dotted key of the case, for the error.
        overrides: parameters that differ from the preset's.

    Raises:
        InputError: unknown device or parameter, a value out of range, or a device that cannot be
            trained by pulses both ways.
    """
    from device_presets import PresetError, get_preset  # only studies with devices need it

    given = overrides or {}
    start = f"{prefix}." if prefix else ""
    try:
        preset = get_preset(device, given)
    except PresetError as error:
        raise InputError(
            "study", start + _key(error.field, error.value, given), error.value, error.allowed
        ) from error
    if preset.one_directional_because is not None:
        allowed = f"moves one way only: {preset.one_directional_because}"
        raise InputError("study", f"{start}device", device, allowed)
    values = {name: parameter.value for name, parameter in preset.parameters.items()}
    # JSON has no infinity (a device that does not leak has an infinite time constant).
    return {
        name: str(value) if isinstance(value, float) and math.isinf(value) else value
        for name, value in values.items()
    }


def check_tile(device: str, overrides: Mapping[str, Any], tile: TileSpec) -> None:
    """What only some devices can be asked for.

    Raises:
        InputError: reference simulation or storage of a device without memory of its pulses.
    """
    from device_presets import get_preset

    if get_preset(device, overrides).pulse_physics is not None:
        return
    if tile.simulator == "reference":
        raise InputError("study", "tile.simulator", tile.simulator, NEEDS_MEMORY)
    if tile.storage_seconds > 0:
        raise InputError("study", "tile.storage_seconds", tile.storage_seconds, NEEDS_MEMORY)


def _key(field: str, value: object, overrides: Mapping[str, Any]) -> str:
    """The study's key for what the preset library calls ``field``."""
    if field in overrides:
        return f"overrides.{field}"
    if field == "parameter":  # an unknown one, whose name is the value
        return f"overrides.{value}"
    return "overrides" if overrides else "device"
