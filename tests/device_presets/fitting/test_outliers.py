"""A swapped polarity and single wrong readings: found in the raw data; readings with their rows."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from device_presets import get_preset
from device_presets.fitting.reading.outliers import doubt_of, spike_sentence, spikes
from device_presets.fitting.reading.reading import read
from device_presets.pulsing.example_measurement import example_measurement


def sweeps(name: str = "ecram") -> pd.DataFrame:
    """Two devices, one after the other, two cycles."""
    preset = get_preset(name, {"levels": 100})
    table = example_measurement(preset, devices=2, pulses=60, cycles=2, seed=0)
    return table.sort_values("device", kind="stable", ignore_index=True)


def sentence(file: Path, table: pd.DataFrame) -> str:
    table.to_csv(file, index=False)
    return spike_sentence(read(file))


def test_wrong_readings_are_named_by_device_and_row(tmp_path: Path) -> None:
    file, table = tmp_path / "a.csv", sweeps()
    assert sentence(file, table) == ""
    second = int(np.flatnonzero(table["device"] != table["device"][0])[0])
    wrong = [30, 95, second + 50]
    column = table.columns.get_loc("conductance_uS")
    table.iloc[wrong, column] *= [3.0, 0.3, 2.5]
    told = sentence(file, table)
    first, other = table["device"][0], table["device"][second]
    assert told.startswith(f"3 of {len(table)} readings jump away")
    # A row is a line of the file: the names are row 1, the first reading is row 2.
    values = [f"{table.iloc[row, column]:.6g} uS" for row in wrong]
    assert (
        f"device {first}: rows 32 ({values[0]}), 97 ({values[1]}); "
        f"device {other}: row {second + 52} ({values[2]}) (a row is"
    ) in told
    assert file.read_text().splitlines()[32 - 1].startswith(str(table["device"][30]))
    table.iloc[wrong, column] = np.nan
    assert sentence(file, table) == ""


def test_at_most_ten_are_named(tmp_path: Path) -> None:
    table = pd.concat([sweeps().query("device == device.iloc[0]")] * 4, ignore_index=True)
    table["device"] = np.repeat([1, 2, 3, 4], len(table) // 4)
    wrong = np.arange(20, 20 + 12 * 40, 40)
    table.loc[wrong, "conductance_uS"] *= 3.0
    told = sentence(tmp_path / "a.csv", table)
    assert told.startswith("12 of ")
    assert "; and 2 more (" in told
    assert told.count(",") == 10 - told.count("device ") + 1  # one in the explanation


@pytest.mark.parametrize("name", ["reram_es", "pcm", "hfo2_with_failed", "charge_trap", "ideal"])
def test_noise_and_jumps_of_a_device_are_no_outliers(name: str, tmp_path: Path) -> None:
    table = example_measurement(get_preset(name), devices=4, pulses=100, cycles=3, seed=1)
    assert sentence(tmp_path / "a.csv", table) == ""


def test_many_spikes_are_noise(tmp_path: Path) -> None:
    table = sweeps()
    table.loc[10::25, "conductance_uS"] *= 3.0
    assert sentence(tmp_path / "a.csv", table) == ""


def test_long_pulses_up_and_down_are_no_outlier_where_widths_are_told(tmp_path: Path) -> None:
    table = sweeps()
    table = table[table["device"] == table["device"][0]].reset_index(drop=True)
    place = int(np.flatnonzero(np.diff(table["polarity"] == "up"))[0])  # the last up pulse
    table["pulse_width_s"] = 1e-6
    table.loc[[place, place + 1], "pulse_width_s"] = 1e-3
    table.loc[place, "conductance_uS"] *= 2.0
    file = tmp_path / "a.csv"
    assert sentence(file, table) == ""
    assert sentence(file, table.drop(columns="pulse_width_s")) != ""


def test_a_step_up_that_stays_is_no_spike(tmp_path: Path) -> None:
    table = sweeps()
    table.loc[30:, "conductance_uS"] += 40.0
    file = tmp_path / "a.csv"
    table.to_csv(file, index=False)
    assert len(spikes(read(file))) == 0


@pytest.mark.parametrize("name", ["ecram", "pcm", "ideal"])
def test_a_swapped_polarity_is_told(name: str, tmp_path: Path) -> None:
    file, preset = tmp_path / "a.csv", get_preset(name, {"cycle_to_cycle": 0.1})
    table = example_measurement(preset, devices=4, pulses=100, cycles=3, seed=1)
    table.to_csv(file, index=False)
    assert "polarity" not in doubt_of(read(file))
    both = len(set(table["polarity"])) == 2
    if both:
        table["polarity"] = table["polarity"].map({"up": "down", "down": "up"})
    else:
        table["conductance_uS"] = 200 - table["conductance_uS"]
    table.to_csv(file, index=False)
    told = "pulses marked up lower the conductance"
    told += ", pulses marked down raise the conductance" if both else ""
    told += ": is the polarity swapped? A pulse up must raise the conductance"
    assert doubt_of(read(file)) == told


def test_noise_alone_has_no_polarity(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for trial in range(20):
        table = sweeps()
        table["conductance_uS"] = 60 + rng.normal(size=len(table))
        table.to_csv(tmp_path / f"{trial}.csv", index=False)
        assert "polarity" not in doubt_of(read(tmp_path / f"{trial}.csv"))
