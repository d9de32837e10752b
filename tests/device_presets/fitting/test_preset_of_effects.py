"""What a fit with losses, widths and gaps becomes in preset, verdict and study."""

import math
from pathlib import Path

import numpy as np
import pytest
import yaml

from device_presets import get_preset
from device_presets.cards.card import card
from device_presets.fitting import FittedDevice, fit_file
from device_presets.fitting.checks.goodness import Verdict
from device_presets.fitting.checks.questions import Check
from device_presets.fitting.checks.whole_cycles import CurveErrors, CycleErrors
from device_presets.fitting.model.effects import LOG_LOSS, Effects
from device_presets.fitting.model.joint_fit import fit_at
from device_presets.fitting.model.maximum_likelihood import layout_of
from device_presets.fitting.model.preparation import prepare
from device_presets.fitting.model.selection import Score, Selection, select_model
from device_presets.fitting.model.uncertainty import uncertainty, with_unbiased_noise
from device_presets.fitting.reading.measurement import read_measurement
from device_presets.fitting.results.fitted_entry import fitted_entry
from device_presets.fitting.results.population import Population
from device_presets.fitting.results.quantities import report
from device_presets.fitting.results.time_and_width import effect_quantities, left_out
from device_presets.library.preset_lookup import preset_of
from device_presets.library.steps_at_zero import mean_steps
from rpu_ssnn.devices.fit_form import PIECEWISE, SOFT_BOUNDS
from rpu_ssnn.devices.laws import FIT_FORMS
from rpu_ssnn.spec.array_physics import RetentionSpec
from rpu_ssnn.spec.tile import TileSpec
from support.device_presets.fits import ONE, ZERO
from support.device_presets.timed import (
    STEP,
    Train,
    leak,
    log_loss,
    pulsed_factor,
    train,
    widths_and_gaps,
    write_train,
)
from support.device_presets.timed import WIDTH as WIDTH_S

THREE = np.array([1.0, 2.0, 4.0])
TIME = ("time_s",)


def test_soft_bounds_with_a_loss_become_a_charge_trap_of_slope_one(tmp_path: Path) -> None:
    """A preset with soft bounds could not include the loss."""
    done = train(60, 4, np.random.default_rng(3), shortest_s=0.1, longest_s=10.0, reads=4)
    device = Train(**done, slope=1.0, kept=log_loss(0.04, 1.0))
    measurement = read_measurement(write_train(tmp_path / "a.csv", device, 0, 3, TIME))
    prepared = prepare(measurement, ZERO, ONE)
    models = (FIT_FORMS[0], *(m for m in FIT_FORMS if m.code == SOFT_BOUNDS and not m.additive))
    fit = select_model(prepared, models).chosen.fit
    assert fit.layout.name == "soft bounds, noise follows step, log-time loss"
    population = Population(*with_unbiased_noise(fit))
    entry = fitted_entry(population, report(population), measurement)
    preset = preset_of("mine", entry)
    assert preset.law.name == "charge_trap"
    assert preset.number("on_off_ratio") == pytest.approx(ONE / (2 * ZERO - ONE))
    assert preset.number("loss_per_decade") == pytest.approx(0.04, rel=0.3)
    mean = population.device()
    for weight in (-0.7, 0.0, 0.5):
        theirs = [population.step_at(mean, up, weight) for up in (True, False)]
        np.testing.assert_allclose(mean_steps(preset, weight), theirs, rtol=1e-4)
    (noise,) = (told for told in left_out(population) if "read noise" in told)
    setting = yaml.safe_load(noise.split("sets tile: ")[1].removesuffix("."))
    of_range = TileSpec(**setting).device_read_noise.white_of_range
    assert 2 * of_range == pytest.approx(mean.read_noise, rel=0.01)


def test_a_loss_no_preset_holds_is_in_verdict_card_and_study(tmp_path: Path) -> None:
    """The loss leads to weight -1.5, which is -22.5 uS, and a study's loss to -1 at most."""
    done = train(60, 2, np.random.default_rng(3), shortest_s=0.1, longest_s=10.0, reads=4)
    measurement = read_measurement(write_train(tmp_path / "a.csv", Train(**done), 0, 2, TIME))
    prepared = prepare(measurement, 4.5e-5, 9e-5)
    model = next(m for m in FIT_FORMS if m.code == PIECEWISE)
    layout = layout_of(prepared, model, Effects((LOG_LOSS,)))
    shared = [*np.log([0.3, 0.01]), *model.start, *np.log([0.04, 1.0]), -1.5]
    local = np.tile([*np.log([STEP, STEP]), 0.0, 0.0, *np.array(prepared.ends)[:, 0]], (2, 1))
    fit = fit_at(prepared, layout, np.array(shared), local)
    population = Population(fit, uncertainty(fit))
    numbers = report(population)
    entry = fitted_entry(population, numbers, measurement)
    selection, verdict = Selection(Score(fit, None), (), (), ""), Verdict((Check("", "", "ok"),))
    errors = (CurveErrors(0.01, 0.01), True, None, 0.9, (0.85, 0.95), 0.0)
    cycles = CycleErrors(*errors, 1.0, (0.8, 1.25))
    fitted = FittedDevice(
        "mine", measurement, selection, population, numbers, verdict, cycles, entry
    )
    advice, wait = fitted.diagnosis.split("In the study, set ")[1].split(". No wait in the data ")
    longest = entry.parameters["longest_wait_s"].value  # to the pulse after four readings
    assert longest == pytest.approx(400.0, rel=0.03)
    assert wait.startswith(f"is longer than {longest:g} s, and what longer waits do is ")
    loss = RetentionSpec(**yaml.safe_load(f"{{{advice}}}")["tile"]["retention"])
    assert (loss.from_s, loss.toward_state) == (1.0, -1.0)
    assert loss.loss_per_decade * (1.0 - -1.0) == pytest.approx(0.04 * (1.0 - -1.5), rel=1e-3)
    assert "log-time loss (4 % a decade from 1 s) (left out: only" in fitted.diagnosis
    facts = {fact.what: (fact.value, fact.standing) for fact in card(preset_of("mine", entry))}
    assert facts["retention"] == ("log-time loss", "left out")
    notes = {number.name: number.note for number in numbers}
    assert notes["reset_level"].startswith("-22.5 uS, which is no conductance")
    assert list(fitted.models()["held-out log-likelihood"]) == ["by whole cycles"]
    assert "on_off_ratio" not in prepared.scale.sentence
    assert prepare(measurement, 4.5e-5, 7.5e-5).scale.sentence.endswith("{on_off_ratio: 5}}")


def test_a_number_at_the_limit_of_the_values_tried_is_not_determined(tmp_path: Path) -> None:
    done = train(60, 2, np.random.default_rng(3), shortest_s=0.1, longest_s=10.0, reads=4)
    file = write_train(tmp_path / "a.csv", Train(**done), 0, 1, TIME)
    prepared = prepare(read_measurement(file), ZERO, ONE)
    layout = layout_of(prepared, FIT_FORMS[0], Effects((LOG_LOSS,)))
    size, onset = math.log(STEP), float(layout.limits[0, -2])
    shared = np.array([*np.log([0.3, 0.3 * STEP]), math.log(0.02), onset, 0.0])
    fit = fit_at(prepared, layout, shared, np.array([[size, size, 0.0, 0.0, 1.0, -1.0]]))
    quantities = {q.name: q for q in effect_quantities(Population(fit, uncertainty(fit)))}
    one = quantities["loss_onset_s"]
    assert (one.interval, one.note) == ("not determined", "at the limit of the values tried")
    assert quantities["loss_per_decade"].low is not None


@pytest.mark.slow
def test_a_preset_carries_leak_and_pulse_width(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    done = train(80, 4, rng, shortest_s=0.01, longest_s=1.0, reads=6)
    done["width"] = WIDTH_S * rng.choice(THREE, len(done["way"]), p=[0.5, 0.25, 0.25])
    device = Train(
        **done,
        slope=0.3,
        rest=0.1,
        kept=leak(20.0),
        factor=lambda width, gap: (width / WIDTH_S) ** 0.5,
    )
    file = write_train(tmp_path / "a.csv", device, 0, 2)
    fit = fit_file(file, "mine", None, 1e6 * ZERO, 1e6 * ONE)
    quantities = {q.name: q for q in fit.quantities}
    for name, truth in (("leak_time_constant_s", 20.0), ("reset_level", 0.1)):
        low, high = quantities[name].low, quantities[name].high
        assert low <= truth <= high
    assert fit.verdict.describes, fit.verdict.failed
    fit.save(tmp_path / "mine.yaml", tmp_path / "mine.png")
    preset = get_preset(str(tmp_path / "mine.yaml"))
    assert preset.number("leak_time_constant_s") == pytest.approx(20.0, rel=0.05)
    assert preset.number("reset_level") == pytest.approx(0.1, abs=0.02)
    assert preset.value("pulse_width_s") == WIDTH_S
    assert preset.pulse_physics.width_factor(4 * WIDTH_S) == pytest.approx(2.0, rel=0.12)
    assert preset.number("write_noise") == pytest.approx(0.3, rel=0.2)
    assert "pulses of 3 V up, 3 V down" in preset.description


@pytest.mark.slow
def test_a_preset_of_a_charge_trap_has_its_knee_gap_and_loss(tmp_path: Path) -> None:
    done = widths_and_gaps(np.random.default_rng(9), 100, 4)
    file = write_train(tmp_path / "a.csv", Train(**done, slope=0.3, factor=pulsed_factor), 0, 3)
    fit = fit_file(file, "mine", None, 1e6 * ZERO, 1e6 * ONE)
    fit.save(tmp_path / "mine.yaml", tmp_path / "mine.png")
    preset = get_preset(str(tmp_path / "mine.yaml"))
    assert preset.law.name == "charge_trap"
    assert preset.number("width_knee_s") == pytest.approx(2e-6, rel=0.15)
    assert preset.number("width_steepness") == pytest.approx(4.0, rel=0.3)
    assert preset.number("gap_time_constant_s") == pytest.approx(1e-5, rel=0.3)
    assert preset.number("loss_per_decade") == 0.0
    assert preset.step == pytest.approx(STEP, rel=0.15)
    assert preset.number("write_noise") == pytest.approx(0.3, rel=0.2)
