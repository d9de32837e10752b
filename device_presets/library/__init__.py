"""Defines the format of preset files, finds presets and turns them into aihwkit devices."""

from device_presets.library.preset import Parameter, Preset
from device_presets.library.preset_lookup import get_preset, preset_names
from rpu_ssnn.common.errors import PresetError

__all__ = ["Parameter", "Preset", "PresetError", "get_preset", "preset_names"]
