"""Measures the steps of a preset's device on a tile of aihwkit."""

import dataclasses
import math

import torch

from device_presets import Preset
from device_presets.library.to_aihwkit import aihwkit_device
from device_presets.pulsing.pulse_train import _pulse, _tile


def steps_at(preset: Preset, weight: float) -> tuple[float, float]:
    """Returns the step sizes of the mean, noise-free device for one up and one down pulse.

    Returns:
        Both are positive, in units of weight; the down step is NaN if it is not gradual.
    """
    device = aihwkit_device(preset.name, preset.law, preset.values, None)
    for field in dataclasses.fields(device):
        if field.name.endswith(("_dtod", "_std")):
            setattr(device, field.name, 0.0)
    device.corrupt_devices_prob = 0.0
    changes = []
    for up in (True, False):
        tile = _tile(device, 1)
        tile.set_weights(torch.full((1, 1), weight))
        changes.append(abs(_pulse(tile, 1, up)[0] - weight))
    return changes[0], changes[1] if preset.bidirectional else math.nan


def steps_at_zero(preset: Preset) -> tuple[float, float]:
    """Returns the step sizes at weight zero."""
    return steps_at(preset, 0.0)
