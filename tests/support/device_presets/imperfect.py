"""Takes some imperfections out of presets."""

from dataclasses import replace

from device_presets import Preset


def without(preset: Preset, *, spread: bool = False, noise: bool = False) -> Preset:
    """Returns the same device without some of its imperfections.

    Args:
        spread: whether to take out every device-to-device deviation, and failed devices.
        noise: whether to take out cycle-to-cycle and write noise.
    """
    parameters = dict(preset.parameters)
    for name, parameter in preset.parameters.items():
        spreads = name.endswith("_spread") or name == "failed_share"
        if (spread and spreads) or (noise and name in ("cycle_to_cycle", "write_noise")):
            parameters[name] = replace(parameter, value=0.0, source=None, assumption="taken out")
    return replace(preset, parameters=parameters)
