"""If no law describes each pulse, whole cycles are fitted; devices are drawn from a fit."""

import math
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from device_presets import get_preset
from device_presets.fitting import FittedDevice, fit_file
from device_presets.jump_tables.table_device import SHIPPED
from device_presets.library.entry_writing import MOST_DRAWS, draws_file
from device_presets.library.steps_at_zero import mean_steps
from studies.cli import kept_fits
from studies.cli.presets import presets_app
from support.device_presets.fits import write_pulses

ENODE = SHIPPED / "ENODe"


@pytest.fixture(scope="module")
def enode() -> FittedDevice:
    """Returns the fit of a measured table that no law describes pulse by pulse."""
    return fit_file(ENODE, "enode")


@pytest.fixture(scope="module")
def asked(enode: FittedDevice, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Returns the command's result for this fit."""
    out = str(tmp_path_factory.mktemp("enode") / "enode.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept_fits, "fit_file", lambda *_, **__: enode)  # A second fit takes as long.
        result = CliRunner().invoke(
            presets_app, ["fit", str(ENODE), "--name", "mine", "--out", out]
        )
    assert result.exit_code == 0, result.output
    return result


def test_the_command_goes_from_a_measured_table_to_a_verdict(asked: Result) -> None:
    said = asked.output
    assert "describes the mean curve, but not each pulse." in said
    assert "The preset reproduces: the mean step (rms over the states), " in said
    assert "; NeuroSim's formula: 1." in said
    preset = get_preset(said.split("preset  ")[1].split("\n")[0])
    assert preset.technology == "measured"


def test_the_mean_curve_of_a_measured_device_is_nearer_than_neurosims(enode: FittedDevice) -> None:
    """A fit by likelihood alone was off by 2.6 %, with 58 % of the readings within the band."""
    errors = enode.cycles
    assert errors.held_out
    assert errors.asked.worst < 0.01 < errors.neurosim.worst
    assert 0.85 < errors.within_band < 0.97
    assert enode.usable
    assert "but not each pulse" in enode.sentence
    assert enode.models()["model"].iloc[0].endswith("fitted to the mean curve")


def test_drawn_devices_scatter_as_the_report_says(enode: FittedDevice, tmp_path: Path) -> None:
    file = tmp_path / "enode.yaml"
    enode.save(file, tmp_path / "enode.png")
    own = get_preset(str(file)).number("w_max")
    assert own == pytest.approx(enode.population.device().local[4], rel=1e-4)
    (states,) = (q for q in enode.quantities if q.name == "states")
    drawn = [get_preset(f"{draws_file(file)}:draw_{k + 1}") for k in range(MOST_DRAWS)]
    logs = np.log([2 * (one.w_max - one.w_min) / sum(mean_steps(one)) for one in drawn])
    error = math.log(states.high / states.low) / 4.2  # Student's t with 19 degrees of freedom
    assert 0.4 * error < logs.std(ddof=1) < 2.0 * error


def fit_of(devices: int, folder: Path) -> FittedDevice:
    """Returns a fit of devices whose steps differ by 20 %."""
    changes = {"levels": 40, "cycle_to_cycle": 0.3, "write_noise": 0.0, "step_spread": 0.2}
    preset = get_preset("capacitor", changes)
    return fit_file(write_pulses(folder / "a.csv", preset, devices, 40, cycles=2), "mine")


def test_draws_from_few_devices_reach_as_far_as_the_intervals(tmp_path: Path) -> None:
    """The interval of a mean over three devices has 4.3 standard errors on either side."""
    fit = fit_of(3, tmp_path)
    (step,) = (q for q in fit.quantities if q.name == "step")
    rng, p = np.random.default_rng(0), fit.population
    steps = np.array([p.step(p.drawn(rng)[0]) for _ in range(1000)])
    beyond = np.abs(steps - step.value) > (step.high - step.value) / 2
    assert 0.1 < beyond.mean() < 0.25, "the normal law has 0.03 there, Student's t 0.16"


def test_two_devices_are_known_as_well_as_their_pulses_show(tmp_path: Path) -> None:
    """Student's t of one degree of freedom made the interval of the step reach down to 0."""
    fit = fit_of(2, tmp_path)
    steps, p = np.exp(fit.population.fit.local[:, :2]).mean(axis=1), fit.population
    (step,) = (q for q in fit.quantities if q.name == "step")
    assert step.high - step.low < 0.2 * step.value
    assert "of the measured 2 devices alone" in step.note
    rng = np.random.default_rng(0)
    drawn = np.array([p.step(p.drawn(rng)[0]) for _ in range(1000)])
    assert 0.9 < np.mean((drawn > step.low) & (drawn < step.high)) < 0.98
    assert drawn.std() < abs(steps[1] - steps[0]) / 2
    (spread,) = (q for q in fit.quantities if q.name == "step_spread")
    assert not spread.determined or spread.high > 2 * spread.value
