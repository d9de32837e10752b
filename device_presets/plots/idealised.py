"""A preset with its spread or its noise taken out, to see one thing at a time."""

import dataclasses

from device_presets.preset import Preset

_NOISE = ("cycle_to_cycle", "write_noise")


def without(preset: Preset, *, spread: bool = False, noise: bool = False) -> Preset:
    """The same device, calmer.

    Args:
        preset: the device.
        spread: take out every device-to-device deviation, and failed devices.
        noise: take out cycle-to-cycle and write noise.
    """
    parameters = dict(preset.parameters)
    for name, parameter in preset.parameters.items():
        spreads = name.endswith("_spread") or name == "failed_share"
        if (spread and spreads) or (noise and name in _NOISE):
            parameters[name] = dataclasses.replace(
                parameter, value=0.0, source=None, assumption="taken out"
            )
    return dataclasses.replace(preset, parameters=parameters)
