"""Defines the format of preset files, finds presets and turns them into aihwkit devices."""

from device_presets.library.preset import Parameter, Preset
from device_presets.library.preset_lookup import get_preset, preset_names

__all__ = ["Parameter", "Preset", "get_preset", "preset_names"]
