"""Fits by aihwkit's own tool: what they know, what they do not, and their error held out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from device_presets import get_preset
from device_presets.fitting import CsvLayout, FittedDevice, fit_file
from device_presets.fitting.mean_curve.aihwkit_trace import trace_fit
from device_presets.fitting.mean_curve.errors import open_loop, training_rows
from device_presets.fitting.mean_curve.least_squares import mean_curve
from device_presets.fitting.model.weights import prepare
from device_presets.fitting.reading.measurement import read_measurement
from support.device_presets.fits import sweeps

SHIFT = 0.05  # uS


def two_cycles(file: Path, clock: bool = False) -> Path:
    """Six devices under AR(1) read noise; the second cycle lies a little higher.

    Args:
        clock: with a column of times, which begin anew with the second cycle.
    """
    table = pd.read_csv(
        sweeps(file, 0, 3.0, devices=6, pulses=150, pulses_of_memory=8.0, cycle=0.3, spread=0.3)
    )
    second = table["pulse"] > 300
    table["cycle"] = np.where(second, 2, 1)
    table["conductance"] += SHIFT * second
    if clock:
        table["time_s"] = table["pulse"] % 301
    table.to_csv(file, index=False)
    return file


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> FittedDevice:
    file = two_cycles(tmp_path_factory.mktemp("trace") / "data.csv")
    return fit_file(file, "mine", method="aihwkit")


def test_only_the_noises_have_intervals(fitted: FittedDevice) -> None:
    found = {q.name: q for q in fitted.quantities}
    for name in ("step", "states", "asymmetry", "nonlinearity up", "w_max", "w_min"):
        assert found[name].value is not None
        assert found[name].interval == "-"
        assert "a fit of the mean curve gives no interval" in found[name].note
    noise, memory = found["cycle_to_cycle"], found["correlation length"]
    assert noise.low is not None
    assert noise.high is not None
    assert noise.low < noise.high
    assert memory.low is not None


def test_spreads_are_assumptions_of_the_preset(fitted: FittedDevice) -> None:
    spreads = [q for q in fitted.quantities if q.name.endswith("_spread")]
    assert len(spreads) == 6
    assert all(q.value is None for q in spreads)
    for quantity in spreads:
        entry = fitted.entry.parameters[quantity.name]
        assert entry.assumption is not None
        assert "does not tell how devices differ" in entry.assumption


def test_the_preset_is_written_and_read(fitted: FittedDevice, tmp_path: Path) -> None:
    fitted.save(tmp_path / "mine.yaml", tmp_path / "mine.png")
    assert "step_spread: unknown" in (tmp_path / "mine.yaml").read_text()
    assert get_preset(str(tmp_path / "mine.yaml")).number("step_spread") == 0.0


def test_the_only_model_is_not_ruled_out_and_its_curve_is_counted(fitted: FittedDevice) -> None:
    (row,) = fitted.models().to_dict("records")
    assert row["held-out log-likelihood"] == "not compared"
    assert row["numbers"] == 6 + 4  # the curve's and the noises'


def test_read_noise_with_memory_is_found(fitted: FittedDevice) -> None:
    assert fitted.selection.chosen.fit.layout.memory
    assert np.ptp(fitted.selection.chosen.fit.local, axis=0).max() == 0.0


def test_cycles_held_out_are_held_out(fitted: FittedDevice) -> None:
    """The curve is fitted again without them."""
    ((_, seen, held),) = fitted.curves
    fit = fitted.selection.chosen.fit
    training = training_rows(fit)
    assert training is not None
    without = trace_fit(prepare(fitted.measurement, None, None), training)
    assert held == open_loop(without, ~training)
    assert not np.array_equal(without.local, fit.local)
    assert held != seen


def test_a_curve_is_the_mean_of_the_cycles_that_count(tmp_path: Path) -> None:
    """Each cycle is a stretch of its own here, and all have the same pulses."""
    file = two_cycles(tmp_path / "data.csv", clock=True)
    prepared = prepare(read_measurement(file, CsvLayout()), None, None)
    counted = prepared.cycle == prepared.cycle.min()
    ((curve, _),) = mean_curve(prepared, counted)
    mine = prepared.series.weight[counted].reshape(6, -1).mean(axis=0)
    np.testing.assert_allclose(curve, mine)
