"""Tests how fits use columns of time, pulse width and amplitude."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from device_presets import get_preset
from device_presets.fitting.checks.goodness import judge
from device_presets.fitting.model.effects import GAP, LEAK, LOG_LOSS, WIDTH, Effects, timing_of
from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.preparation import prepare
from device_presets.fitting.model.selection import select_model
from device_presets.fitting.model.uncertainty import uncertainty, with_unbiased_noise
from device_presets.fitting.reading.measurement import Measurement, read_measurement
from device_presets.fitting.results.fitted_entry import fitted_entry
from device_presets.fitting.results.population import Population
from device_presets.fitting.results.quantities import report
from device_presets.fitting.results.time_and_width import left_out
from device_presets.library.entry_writing import entries_text
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.devices.fit_form import CONSTANT, LINEAR, SOFT_BOUNDS
from rpu_ssnn.devices.laws import FIT_FORMS
from rpu_ssnn.devices.laws.charge_trap import ChargeTrapPhysics
from support.device_presets.fits import ONE, ZERO, measured
from support.device_presets.timed import (
    PHYSICS,
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
from support.studies.harness import declared_trials, small_study

THREE = np.array([1.0, 2.0, 4.0])
TIME, BOTH = ("time_s",), ("time_s", "pulse_width_s")


def effects_of(
    file: Path, terms: tuple[str, ...], numbers: list[float]
) -> tuple[Measurement, np.ndarray, np.ndarray]:
    """Returns the measurement, the share that is kept and the factor on the step, [rows] each."""
    measurement = read_measurement(file)
    series = prepare(measurement, ZERO, ONE).series
    applied = Effects(terms).applied(series, timing_of(measurement), np.array(numbers))
    return measurement, applied.kept, applied.factor


def test_terms_are_the_physics_of_charge_traps(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    done = train(40, 2, rng, shortest_s=8e-6, longest_s=1e-3, reads=3)
    done["width"] = rng.choice([2e-6, WIDTH_S, WIDTH_S, 5e-6], len(done["way"]))
    file = write_train(tmp_path / "a.csv", Train(**done), seed=0)
    power = 1.0 + PHYSICS.width_steepness
    logs = np.log([PHYSICS.loss_per_decade, 1e-4, PHYSICS.width_knee_s, power, 1e-5])
    numbers = [*logs[:2], 0.0, *logs[2:]]
    measurement, kept, factor = effects_of(file, (LOG_LOSS, WIDTH, GAP), numbers)
    given = measurement.conditions
    pulsed = np.flatnonzero(np.isfinite(given.gap_s) & (measurement.pulse != 0))
    for row in pulsed:
        width, gap = float(given.width_s[row]), float(given.gap_s[row])
        expected = PHYSICS.width_factor(width) / PHYSICS.width_factor(WIDTH_S)
        expected *= 1 + (1 / PHYSICS.used_share(width) - 1) * math.exp(-gap / 1e-5)
        assert factor[row] == pytest.approx(expected, rel=1e-9)
    # The losses before successive readings without pulses add up to the loss since the last pulse.
    reads = np.flatnonzero(measurement.pulse == 0)[1:4]
    since = given.elapsed_s[reads].sum()
    assert np.prod(kept[reads]) == pytest.approx(
        1 - PHYSICS.loss_per_decade * math.log10(1 + since / 1e-4)
    )


def chosen(
    folder: Path, done: Train, columns: tuple[str, ...], seed: int = 0, devices: int = 1
) -> JointFit:
    """Returns the fit of constant steps to these devices, with the terms that held-out pulses
    support."""
    file = write_train(folder / "data.csv", done, seed, devices, columns)
    prepared = prepare(read_measurement(file), ZERO, ONE)
    return select_model(prepared, FIT_FORMS[:1]).chosen.fit


def assert_within(fit: JointFit, truth: dict[str, float], most_error: float = 0.5) -> None:
    """Checks that the 95 % intervals of the numbers hold the truth and are narrow enough."""
    names = fit.layout.effects.names
    values = fit.layout.effects_of(fit.shared)
    variances = np.diag(uncertainty(fit).shared)[-len(names) :]
    assert set(names) == set(truth)
    for name, value, variance in zip(names, values, variances, strict=True):
        expected = math.log(truth[name]) if name.startswith("log_") else truth[name]
        assert 0 < math.sqrt(variance) < most_error, name
        assert abs(value - expected) < 2 * math.sqrt(variance), name


def test_a_leak_comes_back_from_uneven_times(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    done = train(60, 4, rng, shortest_s=0.01, longest_s=1.0)
    fit = chosen(tmp_path, Train(**done, rest=0.2, kept=leak(5.0)), TIME)
    assert fit.layout.effects.terms == (LEAK,)
    assert_within(fit, {"log_tau": 5.0, "rest": 0.2}, 0.15)


@pytest.mark.parametrize("read", [0.02, 0.3])
def test_a_leak_is_told_by_readings_without_pulses_alone(read: float, tmp_path: Path) -> None:
    """Even read noise that does not matter to pulses limits what such readings tell."""
    rng = np.random.default_rng(2)
    done = train(60, 4, rng, reads=6)
    fit = chosen(tmp_path, Train(**done, read=read, rest=-0.1, kept=leak(3.0)), TIME)
    assert fit.layout.effects.terms == (LEAK,)
    assert_within(fit, {"log_tau": 3.0, "rest": -0.1}, 0.15)
    spaced = train(60, 4, rng)
    fit = chosen(tmp_path, Train(**spaced, kept=leak(3.0)), TIME)
    assert fit.prepared.timing.asked == ()
    assert fit.layout.effects.terms == ()


@pytest.mark.parametrize("read_after_pulse", [True, False])
def test_a_wait_between_pulse_and_reading_needs_a_reading_after_the_pulse(
    read_after_pulse: bool, tmp_path: Path
) -> None:
    """The rows are as in docs/how-to/measured_devices.md; without a reading right after the pulse
    the leak is biased."""
    rng = np.random.default_rng(4)
    lines, time, weight, tau = ["pulse,polarity,conductance_uS,time_s"], 0.0, 0.0, 5.0
    lines.append(f"0,up,{1e6 * ZERO},0")
    for pulse, way in enumerate(np.tile(np.repeat([1, -1], 60), 4), 1):
        weight += way * STEP * (1 + 0.3 * rng.normal())
        polarity = "up" if way > 0 else "down"
        if read_after_pulse:
            lines.append(f"{pulse},{polarity},{1e6 * (ZERO + (ONE - ZERO) * weight)},{time}")
            polarity = "read"
        wait = float(rng.choice([0.01, 0.1, 1.0]))
        time += wait
        weight *= math.exp(-wait / tau)
        lines.append(f"{pulse},{polarity},{1e6 * (ZERO + (ONE - ZERO) * weight)},{time}")
    prepared = prepare(measured(tmp_path, lines), ZERO, ONE)
    fit = select_model(prepared, FIT_FORMS[:1]).chosen.fit
    assert fit.layout.effects.terms == (LEAK,)
    if read_after_pulse:
        assert_within(fit, {"log_tau": tau, "rest": 0.0}, 0.15)
        assert judge(fit).describes
    else:
        with pytest.raises(AssertionError):
            assert_within(fit, {"log_tau": tau, "rest": 0.0}, 0.15)


def test_without_a_leak_none_is_claimed(tmp_path: Path) -> None:
    done = train(60, 4, np.random.default_rng(3), shortest_s=0.01, longest_s=1.0, reads=4)
    assert chosen(tmp_path, Train(**done), TIME).layout.effects.terms == ()


def test_a_loss_in_log_time_is_no_bound(tmp_path: Path) -> None:
    """Pulses and loss balance at 0.8 in a device whose bounds are at 2, so 0.8 is not a bound."""
    rng = np.random.default_rng(4)
    done = train(100, 2, rng, shortest_s=0.3, longest_s=30.0, reads=4)
    device = Train(**done, bound=2.0, kept=log_loss(0.02, 1.0))
    fit = chosen(tmp_path, device, TIME)
    assert fit.layout.effects.terms == (LOG_LOSS,)
    assert_within(fit, {"log_loss": 0.02, "log_onset": 1.0, "rest": 0.0})
    assert not fit.prepared.series.clips.any()
    assert fit.prepared.ends[0][0] < 1.2


def three_widths(folder: Path, grown: Callable[[np.ndarray], np.ndarray]) -> JointFit:
    """Returns the fit of a device in cycles of one width each, `THREE` times the usual one.

    Args:
        grown: width over the usual one -> factor on the step.
    """
    done = train(30, 12, np.random.default_rng(1))
    done["width"] = WIDTH_S * np.repeat(np.tile(THREE, 2), 60)[[0, *range(360)]]
    factor = {"factor": lambda width, gap: float(grown(width / WIDTH_S))}
    return chosen(folder, Train(**done, cycle=0.2, read=0.1, **factor), BOTH, seed=1)


@pytest.mark.parametrize(
    "grown",
    [
        lambda width: (width - 0.3) / 0.7,
        lambda width: width,
        lambda width: width**0.7,
        lambda width: width**0.3,
        lambda width: np.log1p(width / 0.3) / np.log1p(1 / 0.3),
    ],
)
def test_a_step_that_grows_more_or_less_than_in_proportion_to_the_width_comes_back(
    grown: Callable[[np.ndarray], np.ndarray], tmp_path: Path
) -> None:
    """A search that begins where the step is proportional to the width used to stay there."""
    fit = three_widths(tmp_path, grown)
    assert fit.layout.effects.terms == (WIDTH,)
    knee, power = np.exp(fit.shared[-2:])
    steps = THREE / (1 + (knee / WIDTH_S / THREE) ** (power - 1))
    np.testing.assert_allclose(steps / steps[0], grown(THREE), rtol=0.1)
    assert np.exp(fit.shared[0]) == pytest.approx(0.2, rel=0.15)
    assert judge(fit).describes


@pytest.mark.parametrize(
    ("grown", "seed"), [(lambda width: 0.3 * width, 1), (lambda width: 0.324 * width - 0.097, 0)]
)
def test_read_noise_of_a_step_hides_neither_the_width_nor_a_width_that_recurs_each_third_cycle(
    grown: Callable[[float], float], seed: int, tmp_path: Path
) -> None:
    """The search used to begin with the cycle noise of a fit without the width, and the cycles of
    one width used to be held out together."""
    done = train(60, 12, np.random.default_rng(0))
    done["width"] = WIDTH_S * np.repeat(np.tile(THREE, 2), 120)[[0, *range(720)]]
    factor = {"factor": lambda width, gap: grown(width / WIDTH_S)}
    device = Train(**done, slope=0.3, read=grown(1.0), **factor)
    file = write_train(tmp_path / "data.csv", device, seed, 2, BOTH)
    prepared = prepare(read_measurement(file), ZERO, ONE)
    linear = next(m for m in FIT_FORMS if m.code == LINEAR and m.additive and m.shape)
    soft = next(m for m in FIT_FORMS if m.code == SOFT_BOUNDS and m.additive)
    fit = select_model(prepared, (FIT_FORMS[0], linear, soft)).chosen.fit
    assert fit.layout.name == f"{linear.name}, width"
    factors = np.unique(fit.arguments[0].factor[fit.prepared.series.pulse != 0])
    np.testing.assert_allclose(factors, [grown(x) / grown(1.0) for x in THREE], rtol=0.05)
    assert judge(fit).describes


def test_a_width_whose_steps_the_law_does_not_have_is_named(tmp_path: Path) -> None:
    fit = three_widths(tmp_path, lambda width: np.interp(width, THREE, [1.0, 2.5, 2.0]))
    (found,) = (one for one in judge(fit).defects if one.name == "width")
    assert found.what.startswith("at a width of 6e-06 s, steps ")
    assert 1.2 < float(found.what.split(" are ")[1].split()[0]) < 1.7


@pytest.fixture(scope="module")
def trap(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, JointFit]:
    """Returns a fit of a charge trap to pulses of 1.2 to 5 us and 2.8 to 3.2 V, and its folder."""
    folder, rng = tmp_path_factory.mktemp("trap"), np.random.default_rng(6)
    done = widths_and_gaps(rng, 60, 4)
    done["volts"] = rng.choice([2.8, 3.2], len(done["way"]))
    device = Train(**done, factor=pulsed_factor)
    return folder, chosen(folder, device, (*BOTH, "amplitude_v"))


def test_knee_and_gap_of_a_charge_trap_come_back(trap: tuple[Path, JointFit]) -> None:
    fit = trap[1]
    assert set(fit.layout.effects.terms) == {WIDTH, GAP}
    assert_within(fit, {"log_knee": 2e-6, "log_power": 5.0, "log_gap_tau": 1e-5})
    assert np.exp(fit.local[0, 0]) == pytest.approx(STEP, rel=0.2)


def test_a_study_pulses_as_it_was_measured(trap: tuple[Path, JointFit]) -> None:
    """The preset knows the widths and gaps of its fit, and states that differences in amplitude
    were ignored."""
    folder, fit = trap
    population = Population(*with_unbiased_noise(fit))
    measurement = read_measurement(folder / "data.csv")
    entry = fitted_entry(population, report(population), measurement)
    assert "pulses of 2.8 to 3.2 V up, 2.8 to 3.2 V down" in entry.description
    told = " ".join(left_out(population))
    assert "all amplitudes are treated alike" in told
    file = folder / "mine.yaml"
    file.write_text(entries_text({"mine": entry}, ()))
    with pytest.raises(
        InputError, match=r"pulse_width_s: 6e-06 .* measured range, 1.2e-06 to 5e-06 s"
    ):
        get_preset(str(file), {"pulse_width_s": 6e-6})
    given = measurement.conditions
    gaps = given.gap_s[np.isfinite(given.gap_s) & (measurement.pulse != 0)]
    shortest, longest = gaps.min() + WIDTH_S, gaps.max() + WIDTH_S
    with pytest.raises(InputError, match=rf"pulse_period_s.* measured range, {shortest:g} to"):
        get_preset(str(file), {"pulse_period_s": 0.9 * shortest})

    def physics(width: float, slot: float) -> ChargeTrapPhysics | None:
        case = {
            "device": str(file),
            "label": "mine",
            "hyperparameters": {"weight_range": 2.0, "learning_rate": 8.0},
            "overrides": {"pulse_width_s": width},
            "tile": {"simulator": "native", "slot_seconds": slot},
        }
        method = declared_trials(small_study(cases=[case], reference="mine"))[0].settings.method
        return method.simulated.pulse_physics

    short, long = physics(2e-6, 1e-9), physics(5e-6, 0.9 * longest)
    assert short.shortest_slot_s == pytest.approx(gaps.min() + 5e-6, rel=1e-5)
    assert short.width_factor() < 0.5 * long.width_factor()
    with pytest.raises(InputError, match=rf"slot_seconds.* at most {longest:g} s, the longest"):
        physics(2e-6, 1.1 * longest)


def test_steps_without_memory_ask_for_no_gap_and_no_width(tmp_path: Path) -> None:
    done = widths_and_gaps(np.random.default_rng(7), 60, 2)
    fit = chosen(tmp_path, Train(**done), BOTH)
    assert set(fit.prepared.timing.asked) == {LEAK, LOG_LOSS, WIDTH, GAP}
    assert fit.layout.effects.terms == ()


def test_a_linear_step_that_grows_toward_the_bounds_comes_back(tmp_path: Path) -> None:
    """aihwkit supports such a step (`allow_increasing`)."""
    done = train(100, 3, np.random.default_rng(10))
    file = write_train(tmp_path / "a.csv", Train(**done, slope=-0.5, read=0.0), 0, 2, ())
    prepared = prepare(read_measurement(file), ZERO, ONE)
    linear = tuple(m for m in FIT_FORMS if m.code in (CONSTANT, LINEAR) and m.additive and m.shape)
    best = select_model(prepared, (FIT_FORMS[0], *linear)).chosen
    assert best.model.code == LINEAR
    np.testing.assert_allclose(best.fit.shape, [-0.5, -0.5], atol=0.2)
