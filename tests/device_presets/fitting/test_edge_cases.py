"""Tests files and devices at the limits of what a fit can handle."""

import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from device_presets import get_preset
from device_presets.fitting import fit_file
from device_presets.fitting.checks import goodness
from device_presets.fitting.checks.whole_cycles import training_rows
from device_presets.fitting.model.maximum_likelihood import fit_model
from device_presets.fitting.model.moments import fitted_to_moments
from device_presets.fitting.model.preparation import prepare, with_read_noise
from device_presets.fitting.model.selection import _folds, select_model
from device_presets.fitting.reading.measurement import Measurement
from device_presets.fitting.reading.reading import read
from device_presets.fitting.reading.thinning import MOST_PULSES
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.devices.fit_form import CONSTANT, LINEAR, PIECEWISE
from rpu_ssnn.devices.laws import FIT_FORMS
from support.device_presets.fits import COARSE_RERAM, ONE, ZERO, file_of, write_pulses

STEP = 0.02


def measured(weights: list[np.ndarray], pulses: list[np.ndarray]) -> Measurement:
    """Returns devices with these weights; the first row of each has no pulse and begins a
    stretch."""
    pulse = np.concatenate(pulses)
    device = np.repeat(np.arange(len(pulses)), [len(p) for p in pulses]).astype(np.int32)
    return Measurement(
        name="made",
        column="conductance_uS",
        conductance=ZERO + (ONE - ZERO) * np.concatenate(weights),
        pulse=pulse.astype(np.int8),
        begins=np.diff(device, prepend=-1) != 0,
        device=device,
        cycle=np.zeros(len(pulse), dtype=np.int32),
        unit="uS",
        notes=(),
        labels=tuple(f"device {k}" for k in range(len(pulses))),
    )


def triangles(length: int, cycles: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns [pulses] polarities and [pulses + 1] conductances of steps of 1 uS from 20 uS."""
    up = np.tile(np.repeat([True, False], length), cycles)
    return up, 20 + np.concatenate([[0], np.cumsum(np.where(up, 1.0, -1.0))])


@pytest.mark.parametrize(("length", "cycles"), [(3, 160), (5, 100), (10, 100), (25, 40)])
def test_short_sweeps_are_not_averaged_away(length: int, cycles: int, tmp_path: Path) -> None:
    """Averages once kept only a fifth of the range for sweeps of 10 pulses."""
    up, path = triangles(length, cycles)
    read_noise = 0.1 * np.random.default_rng(0).standard_normal(len(path))
    for noise in (0.0 * read_noise, read_noise):
        measurement = read(file_of(tmp_path / "data.csv", path + noise, up))
        prepared = prepare(measurement, None, None)
        span = prepared.scale.span * prepared.span
        assert 0.85 * length < 1e6 * span < 1.7 * length


def test_set_and_reset_in_turn_are_no_sweeps(tmp_path: Path) -> None:
    """A fit of them used to describe the data, with 2.4 states."""
    up, path = triangles(1, 100)
    with pytest.raises(InputError, match=r"a\.csv: pulses in a row: 1 .* presets table"):
        prepare(read(file_of(tmp_path / "a.csv", path, up)), None, None)


@pytest.mark.parametrize("name", ["both", "clipped"])
def test_no_device_loses_a_direction_or_changes_in_a_long_file(name: str, tmp_path: Path) -> None:
    """Here each sweep begins a stretch, and a device that stays at its bound has stretches without
    a change."""
    steps, tables = np.arange(1.0, 301.0), []
    for device in range(100):
        if name == "both":
            columns = {
                "cycle": np.repeat([1, 2], 300),
                "pulse": np.tile(np.arange(300), 2),
                "polarity": np.repeat(["up", "down"], 300),
                "conductance_uS": np.concatenate([20 + steps, 320 - steps]),
            }
        else:
            path = np.minimum(20 + np.arange(600), 300)
            columns = {"pulse": np.arange(600), "polarity": "up", "conductance_uS": path}
        tables.append(pd.DataFrame({"device": device, **columns}))
    file = tmp_path / "data.csv"
    pd.concat(tables).to_csv(file, index=False)
    measurement = read(file)
    assert 0.9 * MOST_PULSES < measurement.n_pulses < 1.1 * MOST_PULSES
    prepared = prepare(measurement, None, None)
    assert prepared.has_down == (name == "both")
    assert (np.subtract(*prepared.ends) > 0).all()


def test_few_down_pulses_of_a_long_sweep_are_kept(tmp_path: Path) -> None:
    """One of three stretches of 500 pulses used to be kept, but not the only one with down
    pulses."""
    up = np.arange(40_300) < 40_000
    path = 20 + np.concatenate([[0], np.cumsum(np.where(up, 0.001, -0.1))])
    measurement = read(file_of(tmp_path / "data.csv", path, up))
    assert int((measurement.pulse < 0).sum()) == 300


def test_no_device_is_held_out_whole_where_cycles_number_through_devices(tmp_path: Path) -> None:
    up, path = triangles(50, 1)
    tables = []
    for device in range(3):
        table = pd.read_csv(file_of(tmp_path / "data.csv", path, up))
        tables.append(table.assign(device=device, cycle=device))
    pd.concat(tables).to_csv(tmp_path / "data.csv", index=False)
    prepared = prepare(read(tmp_path / "data.csv"), None, None)
    fold = _folds(prepared)
    for device in range(3):
        assert len(np.unique(fold[prepared.device == device])) == 3
    fit = fit_model(prepared, FIT_FORMS[0])
    assert training_rows(fit) is None


def test_cycles_of_each_device_are_held_out(tmp_path: Path) -> None:
    """The labels of cycles may differ between devices."""
    up, path = triangles(20, 4)
    tables = []
    for device in range(2):
        table = pd.read_csv(file_of(tmp_path / "data.csv", path, up))
        cycle = 4 * device + np.maximum(table["pulse"] - 1, 0) // 40
        tables.append(table.assign(device=device, cycle=cycle))
    pd.concat(tables).to_csv(tmp_path / "data.csv", index=False)
    prepared = prepare(read(tmp_path / "data.csv"), None, None)
    fold = _folds(prepared)
    own = np.array([0, *np.repeat([0, 1, 2, 0], 40)])
    np.testing.assert_array_equal(fold, np.tile(own, 2))
    rows = training_rows(fit_model(prepared, FIT_FORMS[0]))
    np.testing.assert_array_equal(rows, np.tile(np.arange(161) <= 80, 2))


@pytest.mark.parametrize("missing", [0, 1])
def test_the_mean_curve_where_a_cycle_lacks_a_reading(missing: int, tmp_path: Path) -> None:
    """The stretches of the cycles then differ, and the curve is that of the complete cycle, which
    used to leave nothing to fit, or nothing to hold out."""
    up, path = triangles(50, 1)
    whole = pd.read_csv(file_of(tmp_path / "data.csv", path, up))
    cycles = [whole.assign(cycle=cycle) for cycle in range(2)]
    cycles[missing] = cycles[missing].drop(index=35)
    pd.concat(cycles).to_csv(tmp_path / "data.csv", index=False)
    prepared = prepare(read(tmp_path / "data.csv"), None, None)
    assert training_rows(fit_model(prepared, FIT_FORMS[0])) is None


def test_a_step_that_no_preset_holds_does_not_rule_out_all_others() -> None:
    """Up steps grow differently in each device, by more than aihwkit's linear step allows. All
    models but the linear one used to be ruled out, which left only the constant step."""
    rng = np.random.default_rng(0)
    pulse = np.concatenate([[0], np.tile(np.repeat([1, -1], 60), 2)])
    weights = []
    for slope in (1.0, 1.15, 1.3, 1.45):
        weight = [-0.6]
        for way in pulse[1:]:
            step = STEP * (1 + slope * weight[-1] if way > 0 else 1.0)
            step *= way * (1 + 0.02 * rng.standard_normal())
            weight.append(float(np.clip(weight[-1] + step, -1, 1)))
        weights.append(np.array(weight))
    models = tuple(
        m for m in FIT_FORMS if m.code == PIECEWISE or (m.additive and m.code in (CONSTANT, LINEAR))
    )
    selection = select_model(prepare(measured(weights, [pulse] * 4), ZERO, ONE), models)
    linear = max(selection.scores, key=lambda score: score.fit.total)
    assert (linear.model.code, linear.held_out) == (LINEAR, None)
    assert selection.chosen.model.code == PIECEWISE
    assert selection.chosen.held_out is not None


def test_exact_readings_without_pulses_are_no_predictions_that_miss_by_too_little() -> None:
    """After each sweep come 120 equal readings. They are predicted exactly, which must not count
    against the true model."""
    rng = np.random.default_rng(0)
    pulse = np.array([0, *([1] * 100 + [0] * 120 + [-1] * 100 + [0] * 120) * 2])
    weight = np.cumsum(pulse * 0.01 * (1 + 0.3 * rng.standard_normal(len(pulse))))
    fit = fit_model(prepare(measured([weight], [pulse]), ZERO, ONE), FIT_FORMS[0])
    checks = goodness.judge(fit).checks
    (predictions,) = (check for check in checks if "prediction errors" in check.question)
    assert predictions.passed, predictions


def test_too_few_predictions_leave_the_verdict_open() -> None:
    pulse = np.array([0] + [1] * 13)
    noise = 1 + 0.3 * np.random.default_rng(0).standard_normal(14)
    weight = np.cumsum(pulse * 0.1 * noise)
    fit = fit_model(prepare(measured([weight], [pulse]), None, None), FIT_FORMS[0])
    verdict = goodness.judge(fit)
    assert "as far as they can be checked (" in verdict.sentence


def test_a_device_that_does_not_move_is_named(tmp_path: Path) -> None:
    """One stuck device is among four that move; its fit used to take the noise for steps."""
    rng, tables = np.random.default_rng(0), []
    up, path = triangles(20, 3)
    for name in ("A1", "A2", "A3", "A4", "A5"):
        moved = path if name != "A4" else np.full_like(path, 25.0)
        polarity = ["up", *np.where(up, "up", "down")]
        reading = moved + rng.normal(0, 0.3, len(moved))
        columns = {"device": name, "pulse": range(len(up) + 1), "polarity": polarity}
        tables.append(pd.DataFrame({**columns, "conductance_uS": reading}))
    file = tmp_path / "data.csv"
    pd.concat(tables).to_csv(file, index=False)
    with pytest.raises(
        InputError, match="'A4' is not allowed; must move with its pulses as the others"
    ):
        read(file)
    others = pd.concat(one for one in tables if one["device"].iloc[0] != "A4")
    others.to_csv(file, index=False)
    assert read(file).n_devices == 4


@pytest.mark.parametrize("late", [None, 4])
def test_an_abrupt_device_is_told(late: int | None) -> None:
    """Each of five up pulses sets the device with a probability of 0.8; 40 down pulses reset it. Or
    the first up pulse sets it, and in one cycle the third, which used to be taken for a jump.

    Models with cycle noise of a third of the range used to be accepted for it.
    """

    rng, weights, pulses = np.random.default_rng(3), [-0.9], [0]
    for cycle in range(8):
        for number, way in enumerate((1,) * 5 + (-1,) * 40):
            state = weights[-1]
            sets = rng.random() < 0.8 if late is None else number >= 2 * (cycle == late)
            if way < 0:
                state -= 0.06 * (state + 0.95) * (1 + 0.4 * rng.normal())
            elif state < 0.2 and sets:
                state = 1 + 0.08 * rng.normal()
            weights.append(state)
            pulses.append(way)
    readings = np.array(weights) + 0.02 * rng.normal(size=len(weights))
    made = measured([readings], [np.array(pulses)])
    made = replace(made, cycle=np.append(0, np.repeat(np.arange(8), 45)).astype(np.int32))
    linear = next(m for m in FIT_FORMS if m.code == LINEAR)
    fit = fit_model(with_read_noise(prepare(made, ZERO, ONE)), linear)
    (abrupt,) = goodness.judge(fit).defects
    assert abrupt.name == "abrupt"
    assert "presets table" in abrupt.advice


def test_read_noise_may_hide_the_cycle_noise_of_all_models(tmp_path: Path) -> None:
    """The likelihood is flat down to no noise in each plausible model, so no interval is given."""
    device = get_preset("reram_sb", COARSE_RERAM)
    file = write_pulses(tmp_path / "data.csv", device, 6, 80, seed=28)
    fit = fit_file(file, "mine", None, 1e6 * ZERO, 1e6 * ONE)
    (noise,) = (q for q in fit.quantities if q.name == "cycle_to_cycle")
    assert noise.value < 1e-3
    assert (noise.low, noise.high) == (None, None)


def test_no_bound_is_fitted_below_0_siemens(tmp_path: Path) -> None:
    """Readings stay above 3 uS, and the steps shrink toward -5 uS, as a linear step describes."""
    rng, up, path = np.random.default_rng(0), np.tile(np.repeat([True, False], 60), 3), [5.0]
    for rises in up:
        step = 0.03 * (60 - path[-1] if rises else -5 - path[-1])
        path.append(path[-1] + step * (1 + 0.2 * rng.normal()))
    assert min(path) > 3
    prepared = prepare(read(file_of(tmp_path / "a.csv", np.array(path), up)), None, None)
    selection = select_model(prepared, tuple(m for m in FIT_FORMS if m.code != PIECEWISE))
    assert selection.chosen.model.code == LINEAR
    fits = [score.fit for score in selection.scores]
    fits += [fitted_to_moments(fit, prepared.everything) for fit in fits]
    assert min(fit.local[:, 5].min() for fit in fits) >= prepared.floor - 1e-9


def write_sweeps(file: Path, rows: int, sweep_length: int, devices: int = 1) -> None:
    """Writes up and down sweeps with a constant step of 0.02 uS, device after device."""
    rng = np.random.default_rng(0)
    with file.open("w") as opened:
        opened.write("device,pulse,polarity,conductance_uS\n")
        for device in range(devices):
            for start in range(0, rows // devices, 2 * sweep_length):
                number = np.arange(start, start + 2 * sweep_length)
                place = number % (2 * sweep_length)
                up = place < sweep_length
                value = np.where(up, place + 1, 2 * sweep_length - 1 - place) * 0.02 + 5
                value += rng.normal(0, 0.01, len(value))  # read noise
                words = np.where(up, "up", "down")
                opened.writelines(
                    f"{device},{k},{w},{v:.3f}\n"
                    for k, w, v in zip(number, words, value, strict=True)
                )


@pytest.mark.parametrize("sweep_length", [250, 500, 1000])
def test_a_thinned_file_does_not_keep_step_with_sweeps(sweep_length: int, tmp_path: Path) -> None:
    """With sweeps of 500 pulses, every tenth stretch of 500 would hold up pulses only."""
    file = tmp_path / "sweeps.csv"
    write_sweeps(file, 200_000, sweep_length, devices=2)
    measurement = read(file)
    assert 0.9 * MOST_PULSES <= measurement.n_pulses <= MOST_PULSES
    assert 0.25 < np.mean(measurement.pulse[measurement.pulse != 0] > 0) < 0.75
    assert measurement.n_devices == 2
    assert 0.4 < np.mean(measurement.device == 0) < 0.6
    top = 5 + 0.02 * sweep_length
    assert measurement.conductance.max() == pytest.approx(top * 1e-6, abs=0.1e-6)
    assert measurement.conductance.min() == pytest.approx(5e-6, abs=0.1e-6)


@pytest.mark.slow
def test_ten_million_rows_are_fitted_or_refused_in_bounded_memory(tmp_path: Path) -> None:
    """Runs the whole command in a new process: four devices, sweeps of 500 pulses, 0.2 GB of file.

    It takes about a minute on one core, half of it for reading, and 1.6 GiB at its peak. A bad cell
    in the last row gives one line.
    """
    file = tmp_path / "long.csv"
    write_sweeps(file, 10_000_000, 500, devices=4)
    command = [sys.executable, "-m", "studies.cli", "presets", "fit", str(file), "--name", "long"]
    command += ["--out", str(tmp_path / "long.yaml"), "--plot", str(tmp_path / "long.png")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024  # MiB on Linux
    assert done.returncode == 0, done.stdout + done.stderr
    assert "9999996 measured pulses" in done.stdout
    assert get_preset(str(tmp_path / "long.yaml")).levels == pytest.approx(500, rel=0.05)
    assert peak < 2500
    with file.open("a") as opened:
        opened.write("3,2500000,up,none of it\n")
    refused_run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused_run.returncode == 2
    assert refused_run.stderr.count("\n") == 1
    assert "row 10000002" in refused_run.stderr
    assert "none of it" in refused_run.stderr
