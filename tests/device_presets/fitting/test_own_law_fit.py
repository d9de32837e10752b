"""A fit of a law of the user's own finds the parameters that a simulated device has."""

from pathlib import Path

import numpy as np
import pandas as pd
from typer.testing import CliRunner

from device_presets import Preset, get_device
from device_presets.fitting.own_law import fit_own_law
from device_presets.pulsing.pulse_train import pulse_train
from studies.cli.presets import presets_app

LAW = Path(__file__).parents[2] / "support" / "device_presets" / "laws" / "trapping.py"
TRUE = {"step": 0.02, "asymmetry": 0.1, "trap_weight": 0.6, "trap_rate": 0.02}
NOISE, READ_NOISE = 0.3, 0.002
SWEEP, DEVICES = 60, 4


def measured(folder: Path) -> Path:
    """Four sweeps of each device, as a table with read noise; weight 1 is 15 uS, weight 0 10 uS."""
    spreads = dict.fromkeys(("w_max_spread", "w_min_spread", "step_spread"), 0.0)
    plain = {"w_max": 1, "w_min": -1, "asymmetry_spread": 0, "cycle_to_cycle": NOISE}
    device = get_device({"law": str(LAW), **spreads, **plain, **TRUE})
    assert isinstance(device, Preset)
    up = ([True] * SWEEP + [False] * SWEEP) * 2
    weights = pulse_train(device, DEVICES, up, -0.5, seed=3)
    weights += READ_NOISE * np.random.default_rng(0).standard_normal(weights.shape)
    pulses = len(up) + 1
    table = {
        "device": np.repeat(np.arange(DEVICES), pulses),
        "pulse": np.tile(np.arange(pulses), DEVICES),
        "polarity": ["", *("up" if way else "down" for way in up)] * DEVICES,
        "conductance_uS": 10.0 + 5.0 * weights.T.ravel(),
    }
    file = folder / "measured.csv"
    pd.DataFrame(table).to_csv(file, index=False)
    return file


def test_the_numbers_of_the_device_lie_within_their_intervals(tmp_path: Path) -> None:
    fit = fit_own_law(measured(tmp_path), "mine", LAW, None, 10.0, 15.0)
    found = fit.numbers.set_index("parameter")
    for name, true in (TRUE | {"cycle_to_cycle": NOISE, "read_noise": READ_NOISE}).items():
        value, low, high = found.loc[name, ["value", "low", "high"]]
        four_errors = 4.0 * (high - low) / 3.92
        assert abs(value - true) < four_errors, name
        assert four_errors < 0.6 * true + 0.1, name


def test_the_command_writes_a_preset_of_the_law(tmp_path: Path) -> None:
    out = tmp_path / "mine.yaml"
    options = ["--law", str(LAW), "--weight-zero", "10", "--weight-one", "15", "--out", str(out)]
    asked = ["fit", str(measured(tmp_path)), "--name", "mine", *options]
    said = CliRunner().invoke(presets_app, asked)
    assert said.exit_code == 0, said.output
    preset = get_device(str(out))
    assert isinstance(preset, Preset)
    assert preset.law.name == "trapping"
    assert str(preset.parameters["trap_rate"].source).startswith("measured.csv, column")
