"""Tests which readings of a measured file count as outliers."""

from pathlib import Path

import numpy as np
import pytest

from device_presets.fitting.reading.measurement import Measurement, read_measurement


def measured(path: Path, readings: list[float], length: int) -> Measurement:
    """Reads a file with these readings, which go up and down in sweeps of a length."""
    lines = ["pulse,polarity,conductance_uS", f"0,up,{readings[0]}"]
    for number, reading in enumerate(readings[1:]):
        lines.append(f"{number + 1},{'down' if number // length % 2 else 'up'},{reading}")
    path.write_text("\n".join(lines) + "\n")
    return read_measurement(path)


def sweep(length: int) -> list[float]:
    return [10 + 0.5 * (k if k <= length else 2 * length - k) for k in range(2 * length + 1)]


def test_readings_that_lie_alone_are_set_to_their_neighbours(tmp_path: Path) -> None:
    readings = sweep(60)
    readings[30], readings[69] = 3.0, 40.0
    measurement = measured(tmp_path / "a.csv", readings, 60)
    plain = measured(tmp_path / "b.csv", sweep(60), 60)
    assert measurement.conductance == pytest.approx(plain.conductance)
    places = "row 32, row 71"
    told = f"2 readings replaced by the mean of the neighbours: {places}"
    assert set(measurement.notes) == {told, *plain.notes}


def test_single_empty_cells_are_set_to_the_middle_of_their_neighbours(tmp_path: Path) -> None:
    """Gaps leave few whole cycles, whose scatter could not be judged."""
    readings = sweep(60)
    readings[30] = float("nan")
    measurement = measured(tmp_path / "a.csv", readings, 60)
    assert measurement.conductance == pytest.approx(1e-6 * np.array(sweep(60)))
    assert measurement.n_pulses == 120


def test_a_device_that_often_flips_has_no_outliers(tmp_path: Path) -> None:
    readings = sweep(40)
    for k in (11, 31, 51, 71):  # random telegraph noise belongs to the device
        readings[k] = 40.0
    measurement = measured(tmp_path / "a.csv", readings, 40)
    assert not any("replaced" in note for note in measurement.notes)


def test_the_turn_of_a_short_sweep_is_no_outlier(tmp_path: Path) -> None:
    readings = [10.0, *(20.0, 30.0, 40.0, 30.0, 20.0, 10.0) * 8]
    measurement = measured(tmp_path / "a.csv", readings, 3)
    assert measurement.conductance == pytest.approx([1e-6 * reading for reading in readings])
