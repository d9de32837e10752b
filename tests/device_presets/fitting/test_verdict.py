"""Tests fits that must not be trusted, that files are written completely or not, and commands."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from device_presets import get_preset
from device_presets.cards.card import card
from device_presets.fitting import FittedDevice, fit_file
from device_presets.fitting.checks.defects import _growing_noise
from device_presets.fitting.checks.goodness import _excess, _moves
from device_presets.fitting.checks.whole_cycles import CurveErrors
from device_presets.fitting.model.effects import LEAK, Effects
from device_presets.fitting.model.joint_fit import fit_at
from device_presets.fitting.model.maximum_likelihood import layout_of
from device_presets.fitting.model.preparation import prepare, with_read_noise, without_read_noise
from device_presets.fitting.reading.measurement import read_measurement
from device_presets.fitting.results.intervals import (
    Quantity,
    as_far_as_determined,
    is_log_normal,
    spread_interval,
)
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.devices.laws import FIT_FORMS
from studies.cli import kept_fits
from studies.cli.presets import presets_app
from support.device_presets.fits import ONE, ZERO, file_of, write_pulses


def noise_only(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Returns readings that scatter around one level, whatever the pulses do."""
    up = np.tile(np.repeat([True, False], 50), 4)
    return 20 + rng.normal(0, 1, len(up) + 1), up


def abrupt(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Returns readings of a switch that makes its whole change in a single pulse."""
    up = np.tile(np.repeat([True, False], 50), 4)
    level = np.tile(np.repeat([10.0, 30.0, 10.0], [20, 50, 30]), 4)
    return np.concatenate([[10.0], level]) + rng.normal(0, 0.05, len(up) + 1), up


def fatiguing(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Returns readings whose steps shrink with every pulse since the turn, not with the state."""
    up = np.tile(np.repeat([True, False], 60), 4)
    since = np.tile(np.arange(60), 8)
    size = np.tile(np.repeat([1.0, 0.12, 1.2, 0.1, 0.15, 1.1, 0.12, 1.3], 60), 1)
    step = size * np.exp(-since / 15) * np.where(up, 1, -1)
    path = 40 + np.concatenate([[0], np.cumsum(step)])
    return path + rng.normal(0, 0.005, len(path)), up


@pytest.fixture(scope="module", params=[abrupt, fatiguing])
def poor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> FittedDevice:
    file = tmp_path_factory.mktemp("poor") / "data.csv"
    return fit_file(file_of(file, *request.param(np.random.default_rng(1))), "mine")


def test_a_fit_that_does_not_describe_the_data_says_so(poor: FittedDevice, tmp_path: Path) -> None:
    fit = poor
    assert not fit.verdict.describes, fit.verdict
    fit.save(tmp_path / "mine.yaml", tmp_path / "mine.png")
    assert "DOES NOT DESCRIBE THE DATA" in (tmp_path / "mine.yaml").read_text()


def test_read_noise_does_not_hide_that_a_short_sweep_moves_the_device(tmp_path: Path) -> None:
    """Steps are a third of the read noise, so a single pulse has no visible effect."""
    rng = np.random.default_rng(3)
    up = np.repeat([True, False], 80)
    path = 20 + np.concatenate([[0], np.cumsum(np.where(up, 0.1, -0.1))])
    file = file_of(tmp_path / "data.csv", path + rng.normal(0, 0.3, len(path)), up)
    fit = fit_file(file, "mine")
    check = next(c for c in fit.verdict.checks if c.question.startswith("Do pulses move"))
    assert check.passed, check.answer


def test_noise_alone_does_not_fail_however_few_pulses_a_group_has() -> None:
    """With eighty groups of eight pulses and noise of five steps, one in ten thousand may fail."""
    rng, draws = np.random.default_rng(6), 300
    checks = [_excess(list(5.0 * rng.standard_normal((80, 8)))) for _ in range(draws)]
    assert sum(not check.passed for check in checks) <= 1


@pytest.mark.parametrize("pulses", [8, 1000])
def test_a_step_that_is_off_is_told_by_how_much(pulses: int) -> None:
    rng = np.random.default_rng(7)
    groups = list(0.5 + 0.1 * rng.standard_normal((16, pulses)))
    check = _excess(groups)
    assert not check.passed
    assert 0.35 < float(check.answer.split("at least ")[1].split()[0]) <= 0.5


def test_the_command_fits_and_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    conductance, up = noise_only(np.random.default_rng(1))
    file = file_of(tmp_path / "noise.csv", conductance, up)
    command = ["fit", str(file), "--name", "mine", "--out", str(tmp_path / "mine.yaml")]
    poor = CliRunner().invoke(presets_app, command)
    assert poor.exit_code == 3, poor.output
    *steps, last = poor.stderr.splitlines()
    assert all(step.startswith("... ") for step in steps)
    assert "no model describes the data: " in last
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.png", "noise.csv"]
    monkeypatch.setattr(kept_fits, "fit_file", None)  # The second command must not fit again.
    taken = CliRunner().invoke(presets_app, [*command, "--accept-poor-fit"])
    assert taken.exit_code == 0, taken.output
    accepted = get_preset(str(tmp_path / "mine.yaml"))
    assert accepted.technology == "measured"
    drawn = get_preset(f"{tmp_path / 'mine_draws.yaml'}:draw_1")
    told = (tmp_path / "mine.yaml").read_text().count("#   FAIL ")
    assert len(accepted.failed_checks) == len(drawn.failed_checks) == told > 0
    shown = CliRunner().invoke(presets_app, ["show", str(tmp_path / "mine.yaml"), "--no-plot"])
    assert f"The fit failed checks: {accepted.failed_checks[0]}" in shown.output


def test_a_bound_beyond_the_data_and_cycles_that_scatter_otherwise_are_told(tmp_path: Path) -> None:
    """The steps of a device that is read from 10 to 50 uS would end at 2 and at 70 uS."""
    path, up = [10.0], np.tile(np.repeat([True, False], 60), 3)
    for way, noise in zip(up, np.random.default_rng(0).normal(0, 0.1, len(up)), strict=True):
        path.append(path[-1] + (0.9 * (70 - path[-1]) if way else -0.9 * (path[-1] - 2)) / 60)
        path[-1] += noise
    fit = fit_file(file_of(tmp_path / "data.csv", np.array(path), up), "mine")
    assert "The lower bound was not measured: pulse down until devices stop." in fit.remarks
    fit.save(tmp_path / "mine.yaml", tmp_path / "mine.png")
    preset = get_preset(str(tmp_path / "mine.yaml"))
    assert "extrapolated from the steps" in str(preset.parameters["w_min"].assumption)
    assert card(preset)[0].standing == "extrapolated"
    (lower,) = (q for q in fit.quantities if q.name == "w_min")
    (states,) = (q for q in fit.quantities if q.name == "states")
    assert (lower.interval, states.interval) == ("not determined", "not determined")
    (down,) = (q for q in fit.quantities if q.name == "nonlinearity down")
    assert down.note.startswith("the step loses this share up to the end of the measured range")
    cycles = replace(fit.cycles, within_band=0.33, by_chance=(0.64, 1.0), deviation=1.0)
    off = replace(fit, cycles=cycles)
    assert off.checks[-1].line.startswith("FAIL Do whole cycles scatter as in simulations? 33 %")
    assert "(a good fit has 64 to 100 %, so this fails); cycles deviate" in off.checks[-1].answer
    wrong = replace(fit.cycles, deviation=0.5, deviations=(0.75, 1.25))
    assert wrong.scatter.line.endswith("(a good fit has 0.75 to 1.25, so this fails).")
    assert wrong.excess == 1.5
    assert off.sentence == f"{fit.verdict.sentence}, but not the scatter of cycles"
    assert "measure more cycles" in off.diagnosis
    wide = replace(fit, cycles=replace(cycles, within_band=0.62, by_chance=(0.38, 1.0)))
    assert wide.checks[-1].status == "open"
    assert "the scatter of cycles" not in wide.diagnosis.split("The readings show")[0]
    failed = replace(fit.verdict, checks=tuple(replace(c, status="FAIL") for c in off.checks))
    near = {"asked": CurveErrors(0.01, 0.01), "within_band": 0.9}
    for share, told in ((0.6, " and the scatter of cycles"), (0.4, "")):
        one = replace(fit.cycles, **near, by_chance=(share, 1.0), deviation=1.0)
        said = replace(fit, verdict=failed, cycles=one).sentence
        assert said == f"The fit describes the mean curve{told}, but not each pulse"


@pytest.mark.parametrize(("rises", "advice"), [(True, "white_of_current"), (False, "no setting")])
def test_the_advice_on_noise_depends_on_where_it_is_larger(rises: bool, advice: str) -> None:
    state = np.linspace(-1.0, 1.0, 3000)
    (found,) = _growing_noise(2.0 + (state if rises else -state), state)
    assert advice in found.advice


def test_bad_input_leaves_nothing_behind(tmp_path: Path) -> None:
    file = write_pulses(tmp_path / "data.csv", get_preset("capacitor", {"levels": 40}), 2, 50)
    with pytest.raises(InputError, match="name: 'my device' is not allowed"):
        fit_file(file, "my device")
    assert [p.name for p in tmp_path.iterdir()] == ["data.csv"]


@pytest.mark.parametrize("poor", [fatiguing], indirect=True)
def test_a_fit_that_cannot_be_written_leaves_nothing(poor: FittedDevice, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"mine: file: .*mine\.xyz"):
        poor.save(tmp_path / "mine.yaml", tmp_path / "mine.xyz")
    with pytest.raises(InputError, match="can be written"):
        poor.save(tmp_path / "nowhere" / "mine.yaml", tmp_path / "mine.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("between", [0.0, 0.5, 3.0])
def test_intervals_of_spreads_hold_where_the_fits_errors_are_in_doubt(between: float) -> None:
    """There are six devices, and the variance of a fit, 1, is itself estimated from ten numbers."""
    rng, draws = np.random.default_rng(4), 500
    held = 0
    for _ in range(draws):
        values = np.sqrt(between**2 + 1.0) * rng.standard_normal(6)
        within = np.full(6, rng.chisquare(10) / 10)
        _, low, high = spread_interval(values, within, relative=False, doubt=2 / 10)
        held += low <= between <= high
    assert held / draws > 0.92
    assert between == 0.0 or held / draws < 0.985


def test_a_device_whose_fit_leaves_it_open_does_not_hide_the_spread_of_the_others() -> None:
    rng, draws = np.random.default_rng(5), 1000
    within = np.array([0.05**2] * 7 + [3.0**2])
    found = np.array(
        [
            spread_interval(1 + rng.normal(0, np.sqrt(0.1**2 + within)), within, relative=False)
            for _ in range(draws)
        ]
    )
    estimate, low, high = found.T
    assert np.median(estimate) == pytest.approx(0.1, rel=0.1)
    assert ((low <= 0.1) & (high >= 0.1)).mean() == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("doubt", [0.0, 0.1, 4.0, 1e9])
@pytest.mark.parametrize("within", [0.0, 1e-12, 1.0, 1e6])
def test_intervals_of_spreads_are_there_for_any_doubt(doubt: float, within: float) -> None:
    for scale in (0.0, 1e-6, 1.0, 1e3):
        values = scale * np.array([1.0, -0.5, 0.2, 0.7])
        estimate, low, high = spread_interval(values, np.full(4, within), False, doubt)
        assert 0.0 <= low <= estimate <= high < np.inf or estimate == high == 0.0


def test_log_normal_spread_is_told_from_normal() -> None:
    rng = np.random.default_rng(4)
    assert is_log_normal(np.exp(rng.normal(0, 0.7, 40)))
    assert not is_log_normal(1 + rng.normal(0, 0.1, 40))
    assert not is_log_normal(np.exp(rng.normal(0, 0.7, 5)))  # These are too few to decide.
    assert not is_log_normal(np.full(10, 0.002))  # All devices are equal.


@pytest.mark.parametrize(
    ("name", "value", "low", "high", "shown"),
    [
        ("step", 0.08479, -1.695e14, 1.695e14, "not determined"),
        ("step", 0.08, 0.0001, 0.16, "not determined"),
        ("step", 0.08, 0.07, 0.09, "0.07 to 0.09"),
        ("step", 0.08, -0.01, 0.17, "0 to 0.17"),  # A step cannot be negative.
        ("states", 24.0, -4.1e16, 4.1e16, "not determined"),
        ("asymmetry", 0.6, -1.5, 2.7, "not determined"),
        ("asymmetry", 0.6, -0.5, 1.7, "-0.5 to 1"),
        ("nonlinearity up", 0.0, -7637.0, 7637.0, "not determined"),
        ("reset_level", -0.34, -1.961e5, 1.961e5, "not determined"),
        ("w_max", 1.0, -2e3, 2e3, "not determined"),
        ("write_noise", 0.2, -0.1, 0.5, "-0.1 to 0.5"),
        ("w_max_spread", 0.0, 0.0, 0.4, "not determined"),
        ("step_spread", 0.0, 0.0, 0.08, "0 to 0.08"),
        ("step_spread", 0.3, 0.0, 0.6, "0 to 0.6"),
        ("step_spread", 0.1, 0.04, 0.9, "0.04 to 0.9"),
        ("step_spread", 0.25, 0.13, 1.84, "not determined"),  # from three devices
        ("w_max", 1.03, 0.037, 2.023, "not determined"),
        ("loss_onset_s", 1e-6, 1e-8, 1e-4, "1e-08 to 0.0001"),
    ],
)
def test_an_interval_that_says_nothing_is_not_printed(
    name: str, value: float, low: float, high: float, shown: str
) -> None:
    quantity = as_far_as_determined(Quantity(name, value, low, high, "1"))
    assert (quantity.value, quantity.interval) == (value, shown)


@pytest.mark.parametrize("leaks", [True, False])
def test_the_step_of_the_checks_holds_no_read_noise_or_loss(leaks: bool, tmp_path: Path) -> None:
    """There is either read noise of two steps, or a leak that balances the pulses after 40."""
    rng, step, tau = np.random.default_rng(0), 0.02, 20.0
    way = np.ones(4000, dtype=np.int64) if leaks else np.tile(np.repeat([1, -1], 100), 6)
    weight = np.zeros(len(way) + 1)
    for k, sign in enumerate(way, 1):
        weight[k] = weight[k - 1] * (math.exp(-1.0 / tau) if leaks else 1.0) + sign * step
        weight[k] += 0.3 * step * rng.standard_normal() * leaks
    noise = 0.0 if leaks else 2 * step * rng.standard_normal(len(weight))
    lines = ["pulse,polarity,conductance_uS,time_s"]
    for k, w in enumerate(weight + noise):
        polarity = "up" if way[max(k - 1, 0)] > 0 else "down"
        lines.append(f"{k},{polarity},{1e6 * (ZERO + w * (ONE - ZERO)):.6f},{k}")
    file = tmp_path / "data.csv"
    file.write_text("\n".join(lines) + "\n")
    prepared = prepare(read_measurement(file), ZERO, ONE)
    prepared = without_read_noise(prepared) if leaks else with_read_noise(prepared)
    layout = layout_of(prepared, FIT_FORMS[0], Effects((LEAK,) if leaks else ()))
    shared = np.array([*np.log([0.3, 2 * step]), *([math.log(tau), 0.0] if leaks else [])])
    size = math.log(step)
    fit = fit_at(prepared, layout, shared, np.array([[size, size, 0.0, 0.0, 5.0, -5.0]]))
    trace = fit.trace()
    moved = np.isfinite(trace.expected) & (fit.prepared.series.pulse != 0)
    assert float(np.mean(trace.step[moved])) == pytest.approx(step)
    assert _moves(fit, trace).passed
