"""A library of analog memory devices with the source of every number, for aihwkit tiles.

>>> get_preset("charge_trap", {"cycle_to_cycle": 0.1}).device()  # an aihwkit device
"""

from device_presets.cells.compound_device import CompoundDevice, get_device
from device_presets.cells.compounds import COMPOUNDS, compound_names
from device_presets.library import get_preset, preset_names
from device_presets.plots.pulse_response import plot_pulse_response
from device_presets.preset import Parameter, Preset
from device_presets.pulsing import pulse_response, steps_at_zero
from device_presets.tables import describe, overview
from rpu_ssnn.common.errors import PresetError

__all__ = [
    "COMPOUNDS",
    "CompoundDevice",
    "Parameter",
    "Preset",
    "PresetError",
    "compound_names",
    "describe",
    "get_device",
    "get_preset",
    "overview",
    "plot_pulse_response",
    "preset_names",
    "pulse_response",
    "steps_at_zero",
]
