"""What the tests of fits share: measured files, made by pulsing tiles."""

from pathlib import Path

import numpy as np
import pandas as pd

from device_presets import Preset
from device_presets.pulsing import pulse_train

ZERO, ONE = 50e-6, 60e-6
"""Conductances (S) that weights 0 and 1 stand for in the files."""


def pulses_table(
    preset: Preset, devices: int, pulses: int, cycles: int = 1, seed: int = 0
) -> pd.DataFrame:
    """Up and down sweeps of ``pulses`` each, read after every pulse; row 0 is the beginning."""
    train = ([True] * pulses + [False] * pulses) * cycles
    weights = pulse_train(preset, devices, train, None, seed)
    rows = len(weights)
    polarity = ["up"] + ["up" if up else "down" for up in train]
    cycle = [0] + [k // (2 * pulses) for k in range(len(train))]
    conductance = (ZERO + (ONE - ZERO) * weights.flatten()) * 1e6
    return pd.DataFrame(
        {
            "device": np.tile(np.arange(devices), rows),
            "cycle": np.repeat(cycle, devices),
            "pulse": np.repeat(np.arange(rows), devices),
            "polarity": np.repeat(polarity, devices),
            "conductance": conductance,
        }
    )


def write_pulses(
    path: Path, preset: Preset, devices: int, pulses: int, cycles: int = 1, seed: int = 0
) -> Path:
    """``pulses_table`` as a CSV; returns ``path``."""
    pulses_table(preset, devices, pulses, cycles, seed).to_csv(path, index=False)
    return path
