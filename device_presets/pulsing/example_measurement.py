"""Simulates a measurement: pulses a preset on a tile and returns a table as a lab would export."""

import numpy as np
import pandas as pd

from device_presets.library.preset import Preset
from device_presets.pulsing.pulse_train import pulse_train
from rpu_ssnn.common.errors import require

ZERO_US = 60.0
ONE_US = 80.0
"""These conductances in microsiemens represent weights 0 and 1 in the table."""

LEAST_WEIGHT = -ZERO_US / (ONE_US - ZERO_US)

MOST_ROWS = 10_000_000


def example_measurement(
    preset: Preset, devices: int, pulses: int, cycles: int, seed: int
) -> pd.DataFrame:
    """Returns sweeps up and down, with a reading after every pulse.

    Args:
        preset: the device; without gradual down steps it is swept up once only.
        devices: the number of devices, drawn with the preset's spread.
        pulses: the number of pulses in each sweep.
        cycles: how many times each device is swept up and down.
        seed: the seed of the devices.

    Returns:
        Columns ``device``, ``cycle``, ``pulse`` (numbered across sweeps; 0 is the state before the
        first), ``polarity``, ``conductance_uS``.

    Raises:
        InputError: a count is below 1, there are more than `MOST_ROWS` rows in all, or a bound
            would be a negative conductance in the table.
    """
    for field, count in (("devices", devices), ("pulses", pulses), ("cycles", cycles)):
        require(1 <= count <= MOST_ROWS, preset.name, field, count, f"must be 1 to {MOST_ROWS}")
    allowed = f"must give at most {MOST_ROWS} rows: devices x pulses x cycles x 2"
    require(devices * pulses * cycles * 2 <= MOST_ROWS, preset.name, "devices", devices, allowed)
    allowed = f"must be at least {LEAST_WEIGHT:g} here, which is 0 uS in the table"
    require(preset.w_min >= LEAST_WEIGHT, preset.name, "w_min", preset.w_min, allowed)
    sweep = [True] * pulses + ([False] * pulses if preset.bidirectional else [])
    if not preset.bidirectional:
        cycles = 1
    train = sweep * cycles
    weights = pulse_train(preset, devices, train, None, seed)
    rows = len(weights)
    polarity = ["up", *("up" if up else "down" for up in train)]
    cycle = [1, *(1 + k // len(sweep) for k in range(len(train)))]
    conductance = np.maximum(ZERO_US + (ONE_US - ZERO_US) * weights, 0.0)
    return pd.DataFrame(
        {
            "device": np.tile(np.arange(1, devices + 1), rows),
            "cycle": np.repeat(cycle, devices),
            "pulse": np.repeat(np.arange(rows), devices),
            "polarity": np.repeat(polarity, devices),
            "conductance_uS": np.round(conductance.flatten(), 6),
        }
    )
