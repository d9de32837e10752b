"""The nearest mean curve, which is kept of one device that no model describes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from device_presets import get_preset
from device_presets.fitting import CsvLayout, FittedDevice, fit_file
from device_presets.fitting.mean_curve.errors import open_loop
from device_presets.fitting.mean_curve.least_squares import n_numbers, nearest_curve
from device_presets.fitting.model.first_guess import NOISES, first_guess
from device_presets.fitting.model.joint_fit import fit_at
from device_presets.fitting.model.maximum_likelihood import layout_of
from device_presets.fitting.model.simulation import noise_free_response
from device_presets.fitting.model.step_functions import MODELS, StepModel
from device_presets.fitting.model.weights import prepare
from device_presets.fitting.reading.measurement import read_measurement
from support.device_presets.fits import ONE, ZERO, file_of

ONE_OF_EACH = list({(m.code, m.shape): m for m in MODELS}.values())
"""One model of each mean step."""


def jumping(file: Path, devices: int = 1, cycles: int = 6) -> Path:
    """Exponential steps, of which one of five is five times as large and the others are none.

    No law of the noise here has two sizes of step, so that none describes the data.
    """
    rng = np.random.default_rng(3)
    way = np.tile(np.repeat([1.0, -1.0], 60), cycles)
    tables = []
    for device in range(devices):
        weight, read = -0.8, []
        for sign in (0.0, *way):
            large = 5.0 * (rng.random() < 0.2)
            step = 0.12 * np.exp(-1.5 * (1 + sign * weight)) * large * (1.0 + 0.3 * device)
            weight = float(np.clip(weight + sign * step, -1.0, 1.0))
            read.append(weight)
        columns = {
            "device": device,
            "cycle": np.append(0, np.repeat(np.arange(cycles), 120)),
            "pulse": np.arange(len(read)),
            "polarity": np.where(np.append(1.0, way) > 0, "up", "down"),
            "conductance": 1e6 * (ZERO + (ONE - ZERO) * np.array(read)),
        }
        tables.append(pd.DataFrame(columns))
    pd.concat(tables).to_csv(file, index=False)
    return file


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> FittedDevice:
    file = jumping(tmp_path_factory.mktemp("curve") / "data.csv")
    return fit_file(file, "mine", weight_zero=ZERO, weight_one=ONE, against_aihwkit=True)


def test_the_nearest_curve_is_kept_where_no_model_describes_one_device(
    fitted: FittedDevice,
) -> None:
    """Seen and held out, no curve is nearer: not that of the likelihood, not aihwkit's."""
    assert not fitted.verdict.describes
    assert fitted.selection.how.endswith("so the nearest mean curve is kept")
    (name, seen, held), *others = fitted.curves
    assert name == fitted.selection.chosen.name
    assert ", least squares" in name
    assert len(others) == 2
    assert held is not None
    for _, other, other_held in others:
        assert seen.both < 1.02 * other.both
        assert other_held is not None
        assert held.both < 1.02 * other_held.both


def test_the_models_that_were_compared_stay_in_the_table(fitted: FittedDevice) -> None:
    table = fitted.models()
    assert table["model"].str.startswith("* ").sum() == 1
    assert table["model"][0].startswith("* ")
    assert table["held-out log-likelihood"][0] == "not compared"
    assert (table["held-out log-likelihood"] == "0.0").sum() == 1
    assert len(table) > 6


def test_the_preset_of_the_curve_is_written_without_intervals_of_the_step(
    fitted: FittedDevice, tmp_path: Path
) -> None:
    found = {q.name: q for q in fitted.quantities}
    for name in ("step", "asymmetry", "nonlinearity up", "w_max"):
        assert found[name].interval == "-"
        assert "a fit of the mean curve gives no interval" in found[name].note
    fitted.save(tmp_path / "mine.yaml", tmp_path / "mine.png")
    preset = get_preset(str(tmp_path / "mine.yaml"))
    assert preset.model == fitted.selection.chosen.model.aihwkit_class or "Linear" in preset.model


def test_several_devices_keep_their_spreads(tmp_path: Path) -> None:
    """A mean curve does not tell how devices differ."""
    fit = fit_file(jumping(tmp_path / "data.csv", devices=3), "mine")
    assert not fit.verdict.describes
    assert "least squares" not in fit.selection.chosen.name
    assert next(q for q in fit.quantities if q.name == "step_spread").value is not None


def test_of_one_cycle_no_step_of_many_numbers_is_kept(tmp_path: Path) -> None:
    """A curve with as many bends as jumps would be the nearest one."""
    fit = fit_file(jumping(tmp_path / "data.csv", cycles=1), "mine", against_aihwkit=True)
    assert not fit.verdict.describes, fit.verdict
    assert fit.selection.chosen.fit.layout.noises_only
    assert n_numbers(fit.selection.chosen.model) <= 6
    (_, seen, held), *others = fit.curves
    assert held is None
    assert all(seen.both <= 1.001 * other.both for _, other, _ in others)


SHAPES = {
    "power": (1.5, 0.7),
    "exponential": (0.6, -2.0, 0.8, 1.5),
    "piecewise": (0.5, 0.3, -0.4, -1.0, -1.2, -0.5, 0.2, 0.4),
}


@pytest.mark.parametrize("model", ONE_OF_EACH, ids=lambda model: model.name)
def test_a_curve_of_each_step_is_found(model: StepModel, tmp_path: Path) -> None:
    """From steps that are half as large, and from the shape that fits start with."""
    slope = 0.4 if model.name.startswith("linear") else 0.0
    device = np.array([np.log(0.05), np.log(0.03), slope, slope, 0.9, -0.8])
    shape = np.array(SHAPES.get(model.name, (0.0,) * len(model.shape)))
    pulse = np.append(0, np.tile(np.repeat([1, -1], 80), 2)).astype(np.int8)
    weight = noise_free_response(np.full(len(pulse), -0.5), pulse, model.code, device, shape)
    up = pulse[1:] > 0
    file = file_of(tmp_path / "data.csv", 1e6 * (ZERO + (ONE - ZERO) * weight), up)
    prepared = prepare(read_measurement(file, CsvLayout()), ZERO, ONE)
    layout = layout_of(prepared, model)
    shared, local = first_guess(prepared, layout)
    shared[NOISES:], local[:, :2] = model.start, device[:2] - 0.7
    fit = nearest_curve(prepared, fit_at(prepared, layout, shared, local))
    errors = open_loop(fit, prepared.everything)
    assert errors.both < 2e-3, errors
