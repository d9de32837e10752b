"""Cycles are recognised by the turns of the pulses, and the mean curve is that of one cycle."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from device_presets import get_preset
from device_presets.fitting.checks.goodness import judge
from device_presets.fitting.checks.whole_cycles import chosen_of, cycle_errors, open_loop
from device_presets.fitting.model.maximum_likelihood import fit_model
from device_presets.fitting.model.moments import fitted_to_moments, mean_gaps
from device_presets.fitting.model.preparation import Prepared, prepare, with_read_noise
from device_presets.fitting.model.selection import select_model
from device_presets.fitting.model.simulation import at_one_level, simulate
from device_presets.fitting.model.uncertainty import uncertainty
from device_presets.fitting.reading.reading import read
from device_presets.fitting.results.population import Population
from device_presets.fitting.results.quantities import report
from rpu_ssnn.devices.fit_form import LINEAR, PIECEWISE, SOFT_BOUNDS
from rpu_ssnn.devices.laws import FIT_FORMS
from support.device_presets.fits import ONE, ZERO, file_of, measured, write_pulses


def creeping(file: Path, cycles: int) -> Path:
    """Writes cycles of 40 equal steps each way with consecutive pulse numbers; down pulses are 2 %
    larger, so the device creeps down from cycle to cycle."""
    up = np.tile(np.repeat([True, False], 40), cycles)
    return file_of(file, 50 + np.concatenate([[0], np.cumsum(np.where(up, 0.5, -0.51))]), up)


def test_a_file_without_cycles_or_pulse_0_has_a_cycle_a_turn(tmp_path: Path) -> None:
    measurement = read(creeping(tmp_path / "a.csv", 5))
    assert len(set(measurement.cycle)) == 5
    assert any("cycles are found from the turns" in note for note in measurement.notes)
    prepared = prepare(measurement, None, None)
    alike = prepared.alike
    assert alike.shape == (5, 81)
    np.testing.assert_array_equal(alike[:, 0], 80 * np.arange(5))


@pytest.mark.parametrize("word", ["up", "down", "read", ""])
def test_the_reading_before_the_first_pulse_has_any_polarity(word: str, tmp_path: Path) -> None:
    """Device A begins with a sweep up and device B with one down. The first device once told the
    cycles of the second."""
    lines = ["device,pulse,polarity,conductance_uS"]
    for device, ways in (("A", ("up", "down")), ("B", ("down", "up"))):
        polarity = [word, *np.tile(np.repeat(ways, 20), 3)]
        steps = np.where(np.array(polarity[1:]) == "up", 1, -1)
        path = 50 + np.concatenate([[0], np.cumsum(steps)])
        lines += [
            f"{device},{k},{w},{g}" for k, (w, g) in enumerate(zip(polarity, path, strict=True))
        ]
    measurement = measured(tmp_path, lines)
    np.testing.assert_array_equal(measurement.cycle, np.tile([0, *np.repeat([0, 1, 2], 40)], 2))


@pytest.mark.parametrize("word", ["up", "read"])
def test_a_rest_before_each_sweep_begins_no_cycle(word: str, tmp_path: Path) -> None:
    lines = ["pulse,polarity,conductance_uS"]
    for way, start, step in [("up", 20, 1), ("down", 40, -1)] * 3:
        lines.append(f"0,{word},{start}")
        lines += [f"{k},{way},{start + k * step}" for k in range(1, 21)]
    measurement = measured(tmp_path, lines)
    np.testing.assert_array_equal(measurement.cycle, np.repeat([0, 1, 2], 42))
    assert measurement.n_pulses == 120


def test_the_error_of_the_mean_curve_is_that_of_a_cycle(tmp_path: Path) -> None:
    """A fit with equal steps both ways is off by 20 % of a step at the end of one cycle, and by
    five times as much at the end of five."""
    prepared = prepare(read(creeping(tmp_path / "a.csv", 5)), None, None)
    fit = fit_model(prepared, FIT_FORMS[0])
    errors = cycle_errors(fit)
    assert errors.held_out
    assert max(open_loop(fit, prepared.everything).worst, errors.asked.worst) < 1e-4
    wrong = fit.local.copy()
    wrong[:, 1] = wrong[:, 0]
    seen = open_loop(replace(fit, local=wrong), prepared.everything)
    span = prepared.span * prepared.scale.span * 1e6
    assert seen.up < 1e-4
    np.testing.assert_allclose(seen.down, 0.01 * 40 / np.sqrt(3) / span, rtol=0.05)


def test_neurosims_formula_may_be_abrupt_and_goes_on_where_it_ended(tmp_path: Path) -> None:
    """In the later cycles, up steps are a tenth larger: the error grows over the up sweep, and
    remains over the down sweep."""
    up, number = np.tile(np.repeat([True, False], 40), 4), np.arange(40)
    abrupt = np.exp(-number / 0.4)
    for steps, worst in ((abrupt, 1e-3), (np.ones(40), 0.2)):
        later = np.where(np.arange(len(up)) < len(up) / 2, 1.0, 1.1)
        moves = np.where(up, later if worst > 0.1 else 1.0, -1.0) * np.tile(steps, 8)
        path = 50 + np.concatenate([[0], np.cumsum(moves)])
        prepared = prepare(read(file_of(tmp_path / "a.csv", path, up)), None, None)
        found = cycle_errors(fit_model(prepared, FIT_FORMS[0])).neurosim
        assert found.worst < worst
    np.testing.assert_allclose(found.down / found.up, np.sqrt(3), rtol=0.05)


@pytest.mark.parametrize("seed", range(8))
def test_a_right_law_is_not_refused_by_chance(seed: int, tmp_path: Path) -> None:
    """The fit to one noisy cycle is judged by the other, where NeuroSim's formula may be nearer."""
    up, rng = np.tile(np.repeat([True, False], 60), 2), np.random.default_rng(seed)
    path = 50 + np.append(0, np.cumsum(np.where(up, 0.5, -0.5) * (1 + 0.5 * rng.normal(size=240))))
    prepared = prepare(read(file_of(tmp_path / "a.csv", path, up)), None, None)
    errors = cycle_errors(fit_model(prepared, FIT_FORMS[0]))
    assert errors.fine
    assert errors.scatter.passed


def test_noise_keeps_the_mean_curve_away_from_a_bound(tmp_path: Path) -> None:
    """A bound cuts off noise of 1.8 steps on one side. Without this effect the right law would end
    at the bound, and NeuroSim's formula, which follows the mean, would seem nearer."""
    file = write_pulses(tmp_path / "a.csv", get_preset("neurosim_alox_hfo2"), 10, 45, 2)
    prepared = prepare(read(file), ZERO, ONE)
    (form,) = (f for f in FIT_FORMS if f.code == LINEAR and f.shape and f.additive)
    fit = fit_model(prepared, form)
    whole = prepared.everything
    still = mean_gaps(fit, simulate(fit, None, 1)[0], whole)
    assert max(np.sqrt(np.mean(gap**2)) for gap in still) / 2 > 0.04  # The range is 2.
    assert open_loop(fit, whole).worst < 0.025
    assert open_loop(fitted_to_moments(fit, whole), whole).worst < 0.025


def test_sweeps_that_end_a_little_sooner_are_compared_as_far_as_they_go(tmp_path: Path) -> None:
    """The sweeps have 36 to 40 equal steps, as if a lab pulsed until a conductance was reached. A
    cycle that was broken off is left out."""
    lengths = [40, 38, 39, 40, 36, 37, 40, 40, 40, 12]
    up = np.repeat(np.arange(len(lengths)) % 2 == 0, lengths)
    path = 50 + np.concatenate([[0], np.cumsum(np.where(up, 0.5, -0.5))])
    prepared = prepare(read(file_of(tmp_path / "a.csv", path, up)), None, None)
    alike = prepared.alike
    assert alike.shape == (4, 1 + 36 + 37)
    np.testing.assert_array_equal(alike[:, 37] - alike[:, 0] - 1, lengths[:8:2])
    fit = fit_model(prepared, FIT_FORMS[0])
    errors = cycle_errors(fit)
    assert errors.held_out
    assert max(errors.asked.worst, errors.neurosim.worst) < 3e-3


def test_pulses_in_random_order_are_one_cycle(tmp_path: Path) -> None:
    up = np.random.default_rng(0).random(400) < 0.5
    path = 50 + np.concatenate([[0], np.cumsum(np.where(up, 0.5, -0.5))])
    assert not read(file_of(tmp_path / "a.csv", path, up)).cycle.any()


def test_numbers_that_start_again_begin_a_cycle(tmp_path: Path) -> None:
    """All sweeps go up and are numbered from 1; the file does not tell how the device was reset."""
    lines = ["pulse,polarity,conductance_uS"]
    lines += [f"{k},up,{10 + k}" for _ in range(3) for k in range(1, 31)]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    measurement = read(tmp_path / "a.csv")
    assert (len(set(measurement.cycle)), measurement.n_pulses) == (3, 3 * 29)


def one_cycle(file: Path, fall: np.ndarray, noise: float) -> Prepared:
    """Returns 40 pulses up whose steps shrink 25-fold, and 40 down along a curve from 1 to 0."""
    number, up = np.arange(41), np.repeat([True, False], 40)
    path = 10 * np.append(np.log1p(number) / np.log(41), fall[1:])
    steps = np.diff(path) * (1 + noise * np.random.default_rng(0).normal(size=80))
    return prepare(read(file_of(file, 20 + np.append(0, np.cumsum(steps)), up)), None, None)


def test_a_law_that_a_few_pulses_rule_out_is_not_as_good_as_another(tmp_path: Path) -> None:
    """Held-out pulses in the last states rule out a linear step by 2,000 log-units, while those in
    other states do not."""
    prepared = one_cycle(tmp_path / "a.csv", np.exp(-np.arange(41) / 4), 0.02)
    chosen = select_model(prepared).chosen
    assert cycle_errors(chosen.fit).asked.worst < 0.06


def test_one_cycle_is_not_far_behind_the_formula_that_follows_it(tmp_path: Path) -> None:
    """Soft bounds explain their misfit by noise, and pass their checks."""
    fall = 1 - np.log1p(100 * np.arange(41)) / np.log(4001)
    models = tuple(form for form in FIT_FORMS if form.code == SOFT_BOUNDS)
    selection = select_model(one_cycle(tmp_path / "a.csv", fall, 1.0), models)
    fit = selection.chosen.fit
    assert judge(fit).describes
    errors = cycle_errors(fit)
    assert not errors.fine
    assert chosen_of(selection)[2].asked.worst < errors.neurosim.worst


def test_too_few_cycles_leave_the_read_noise_to_the_likelihood(tmp_path: Path) -> None:
    """Without the scatter of cycles, read noise of 0.2 steps became cycle noise, and the report
    said that there is none. So few cycles may also scatter by a factor of four and more, so that
    they show nothing."""
    changes = {"levels": 20, "cycle_to_cycle": 0.3, "write_noise": 0.2, "step_spread": 0.0}
    preset = get_preset("reram_sb", {**changes, "w_max_spread": 0.0, "w_min_spread": 0.0})
    prepared = with_read_noise(
        prepare(read(write_pulses(tmp_path / "a.csv", preset, 2, 60, 1, 3)), ZERO, ONE)
    )
    likely = fit_model(prepared, next(form for form in FIT_FORMS if form.code == PIECEWISE))
    fit = fitted_to_moments(likely, prepared.everything)
    assert fit.shared[1] == likely.shared[1]
    told = {q.name: q for q in report(Population(fit, uncertainty(fit), [fit, fit]))}
    assert told["write_noise"].interval == "not determined"
    assert told["write_noise"].value == pytest.approx(0.2, rel=0.2)
    errors = cycle_errors(fit)
    wide, narrow = (0.5, 2.1), (0.6, 2.1)
    for limits, status in ((wide, "open"), (narrow, "ok")):
        checked = replace(errors, within_band=0.9, deviation=1.0, deviations=limits)
        assert checked.scatter.status == status


def test_blocks_of_up_and_of_down_sweeps_have_one_mean_curve(tmp_path: Path) -> None:
    """Only one direction was compared, and no word told that the first pulses were lost, not even
    that a sweep does not begin where one of another cycle ended. Two empty cells made one sweep
    two."""
    lines, rng = ["cycle,pulse,polarity,conductance_uS"], np.random.default_rng(0)
    for way, sign in (("up", 1), ("down", -1)):
        for cycle in range(4):
            path = 50 + 2 * cycle + sign * (np.cumsum(1 + 0.1 * rng.normal(size=30)) - 15)
            lines += [f"{cycle},{k},{way},{g:.4f}" for k, g in enumerate(path, 1)]
    for row in (40, 41):
        lines[row] = lines[row].rsplit(",", 1)[0] + ","
    measurement = measured(tmp_path, lines)
    assert measurement.size.startswith("229 pulses in 8 sweeps")
    assert measurement.notes[0].startswith("first pulses of 7 sweeps left out")
    prepared = prepare(measurement, None, None)
    assert prepared.alike.shape == (3, 60)  # Cycle 1 has a gap.
    assert np.isfinite(
        [*vars(cycle_errors(fit_model(prepared, FIT_FORMS[0])).asked).values()]
    ).all()
    level = at_one_level(prepared).series
    np.testing.assert_allclose(level.weight[prepared.alike[:, 1:]].mean(axis=1).std(), 0, atol=1e-9)
    assert np.abs(np.diff(level.weight)[level.pulse[1:] != 0]).max() < 0.1
