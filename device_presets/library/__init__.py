"""The presets: what their files may say, how one is found, and what it becomes in aihwkit."""

from device_presets.library.preset import Parameter, Preset
from device_presets.library.preset_lookup import get_preset, preset_names
from rpu_ssnn.common.errors import PresetError

__all__ = ["Parameter", "Preset", "PresetError", "get_preset", "preset_names"]
