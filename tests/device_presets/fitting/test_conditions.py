"""Columns of time, pulse width and amplitude: how they are read, and what fits make of them."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from device_presets import PresetError, get_preset
from device_presets.fitting import fit_file
from device_presets.fitting.checks.goodness import judge
from device_presets.fitting.model.effects import (
    AMPLITUDE,
    GAP,
    LEAK,
    LOG_LOSS,
    WIDTH,
    Effects,
    timing_of,
)
from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.preparation import prepare
from device_presets.fitting.model.selection import filtered, select_model
from device_presets.fitting.model.uncertainty import uncertainty, with_unbiased_noise
from device_presets.fitting.reading.measurement import Measurement, read_measurement
from device_presets.fitting.results.effects_entry import left_out
from device_presets.fitting.results.fitted_entry import fitted_entry
from device_presets.fitting.results.population import Population
from device_presets.fitting.results.quantities import report
from device_presets.library.preset_lookup import preset_of
from device_presets.library.steps_at_zero import mean_steps
from rpu_ssnn.devices.fit_form import CONSTANT, LINEAR, SOFT_BOUNDS
from rpu_ssnn.devices.laws import FIT_FORMS
from support.device_presets.fits import ONE, ZERO
from support.device_presets.timed import STEP, VOLTS, Train, leak, log_loss, train, write_train
from support.device_presets.timed import WIDTH as WIDTH_S

PHYSICS = get_preset("charge_trap_pulsed").pulse_physics
TIME, BOTH = ("time_s",), ("time_s", "pulse_width_s")


def measured(folder: Path, lines: list[str]) -> Measurement:
    file = folder / "a.csv"
    file.write_text("\n".join(lines) + "\n")
    return read_measurement(file)


def test_a_reading_before_the_first_pulse_needs_no_time_and_is_no_cycle(tmp_path: Path) -> None:
    head, sweeps = "device,cycle,pulse,polarity,conductance_uS", []
    for device in "AB":
        sweeps.append(f"{device},0,0,read,20")
        for cycle in (1, 2):
            ups = [f"{device},{cycle},{k},up,{20 + k}" for k in range(1, 16)]
            downs = [f"{device},{cycle},{k},down,{35 - k}" for k in range(1, 16)]
            sweeps += [*ups, *downs]
    found = measured(tmp_path, [head, *sweeps])
    assert found.size == "120 pulses in 8 sweeps, 2 devices, 2 cycles"
    assert list(np.unique(found.cycle)) == [0, 1]
    assert found.cycle[0] == found.cycle[1] == 0
    as_pulses = measured(tmp_path, [head, *(line.replace("0,0,read", "1,0,up") for line in sweeps)])
    for name in ("conductance", "pulse", "begins", "device", "cycle"):
        assert np.array_equal(getattr(found, name), getattr(as_pulses, name))
    with pytest.raises(PresetError, match=r"row 3: column polarity: 'read'.*or pulse number 0"):
        measured(tmp_path, [head, "A,1,0,read,20", "A,1,1,read,20", *sweeps[1:31]])


def up_and_down(n: int = 14) -> list[tuple[str, float]]:
    """Polarity and conductance: one pulse up and one down, so that no sweep hides a wrong row."""
    return [("up" if k % 2 else "down", 20.0 + k % 2 + 0.1 * k) for k in range(2 * n + 1)]


def test_readings_without_a_pulse_stay_in_their_stretch(tmp_path: Path) -> None:
    lines = ["pulse,polarity,conductance_uS,time_s,pulse_width_s"]
    time = 0.0
    for k, (polarity, g) in enumerate(up_and_down()):
        time += 1.0
        lines.append(f"{k},{polarity},{g},{time},0.25")
        for word in ("read", "0", ""):
            if k == 5:
                time += 10.0
                lines.append(f"{k},{word},{g - 0.01},{time},")
    found = measured(tmp_path, lines)
    given = found.conditions
    assert given is not None
    assert list(np.flatnonzero(found.pulse == 0)) == [0, 6, 7, 8]
    assert list(np.flatnonzero(found.begins)) == [0]
    np.testing.assert_allclose(given.elapsed_s[5:10], [1, 10, 10, 10, 1])
    np.testing.assert_allclose(given.age_s[5:10], [0, 0, 10, 20, 30])
    np.testing.assert_allclose(given.gap_s[5:10], [0.75, 10, 20, 30, 30.75])
    assert given.gap_s[1] == math.inf  # no pulse is known before the first


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("5,up,21.5,5,", "5,up,21.5,3.5,", ("row 7", "column time_s", "3.5", "not be before")),
        ("5,up,21.5,5,", "5,up,21.5,,", ("row 7", "column time_s", "in each row")),
        (",0,1e-6,3", ",,1e-6,3", ("row 2", "column time_s", "in each row")),
        (",1e-6,3", ",0,3", ("column pulse_width_s", "0.0", "from 1e-12 to 10000")),
        (",1e-6,3", ",,3", ("row 3", "column pulse_width_s", "must be a width")),
        (",1e-6,3", ",1e-6,0", ("column amplitude_v", "other than zero")),
        (",1e-6,3", ",1e-6,x", ("column amplitude_v", "'x'", "must be a finite number")),
        ("time_s", "humidity", ("column polarity", "needs a column time_s")),
    ],
)
def test_wrong_conditions_are_one_line_with_file_row_and_column(
    old: str, new: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    lines = ["pulse,polarity,conductance_uS,time_s,pulse_width_s,amplitude_v"]
    lines += [f"{k},{p},{g},{k},1e-6,3" for k, (p, g) in enumerate(up_and_down())]
    lines.append("28,read,20,90,,")
    with pytest.raises(PresetError) as caught:
        measured(tmp_path, [line.replace(old, new) for line in lines])
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_a_clock_that_begins_anew_with_a_cycle_begins_a_stretch(tmp_path: Path) -> None:
    lines = ["pulse,polarity,conductance_uS,time_s,cycle"]
    lines += [f"{k},{p},{g},{k % 15},{k // 15}" for k, (p, g) in enumerate(up_and_down())]
    found = measured(tmp_path, lines)
    assert list(np.flatnonzero(found.begins)) == [0, 15]
    assert "clock begins anew" in found.notes[-1]


def test_no_time_has_passed_since_a_pulse_of_the_clock_before(tmp_path: Path) -> None:
    """The second cycle begins with two readings: no pulse of its clock is known before them."""
    lines = ["pulse,polarity,conductance_uS,time_s,cycle"]
    for k, (polarity, g) in enumerate(up_and_down()):
        word = "read" if k in (15, 16) else polarity
        lines.append(f"{k},{word},{g},{k % 15},{k // 15}")
    given = measured(tmp_path, lines).conditions
    assert given is not None
    np.testing.assert_array_equal(given.age_s[15:18], np.inf)
    assert given.age_s[19] == 0.0


def effects_of(
    file: Path, terms: tuple[str, ...], numbers: list[float]
) -> tuple[Measurement, np.ndarray, np.ndarray]:
    """Share kept and factor on the step, [rows] each."""
    found = read_measurement(file)
    series = prepare(found, ZERO, ONE).series
    applied = Effects(terms).applied(series, timing_of(found), np.array(numbers))
    return found, applied.kept, applied.factor


def test_terms_are_the_physics_of_charge_traps(tmp_path: Path) -> None:
    assert PHYSICS is not None
    rng = np.random.default_rng(0)
    done = train(40, 2, rng, shortest_s=8e-6, longest_s=1e-3, reads=3)
    done["width"] = rng.choice([2e-6, WIDTH_S, WIDTH_S, 5e-6], len(done["way"]))
    file = write_train(tmp_path / "a.csv", Train(**done), seed=0)
    logs = np.log([PHYSICS.loss_per_decade, 1e-4, PHYSICS.width_knee_s, 4.0, 1e-5])
    numbers = [*logs[:2], 0.0, *logs[2:]]
    found, kept, factor = effects_of(file, (LOG_LOSS, WIDTH, GAP), numbers)
    given = found.conditions
    assert given is not None
    pulsed = np.flatnonzero(np.isfinite(given.gap_s) & (found.pulse != 0))
    for row in pulsed:
        width, gap = float(given.width_s[row]), float(given.gap_s[row])
        expected = PHYSICS.width_factor(width) / PHYSICS.width_factor(WIDTH_S)
        expected *= 1 + (1 / PHYSICS.used_share(width) - 1) * math.exp(-gap / 1e-5)
        assert factor[row] == pytest.approx(expected, rel=1e-9)
    # Readings without pulses and the time before them add up to what is lost since the last pulse.
    reads = np.flatnonzero(found.pulse == 0)[1:4]
    since = given.elapsed_s[reads].sum()
    assert np.prod(kept[reads]) == pytest.approx(
        1 - PHYSICS.loss_per_decade * math.log10(1 + since / 1e-4)
    )


def chosen(
    folder: Path, done: Train, columns: tuple[str, ...], seed: int = 0, devices: int = 1
) -> JointFit:
    """The constant step of these devices, with the terms that held-out pulses ask for."""
    file = write_train(folder / "data.csv", done, seed, devices, columns)
    prepared = prepare(read_measurement(file), ZERO, ONE)
    return select_model(prepared, FIT_FORMS[:1]).chosen.fit


def assert_within(fit: JointFit, truth: dict[str, float], most_error: float = 0.5) -> None:
    """95 % intervals of the numbers hold the truth, and say something."""
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


def test_readings_without_pulses_tell_a_leak_that_evenly_spaced_pulses_do_not(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(2)
    done = train(60, 4, rng, reads=6)
    fit = chosen(tmp_path, Train(**done, rest=-0.1, kept=leak(3.0)), TIME)
    assert fit.layout.effects.terms == (LEAK,)
    assert_within(fit, {"log_tau": 3.0, "rest": -0.1}, 0.15)
    spaced = train(60, 4, rng)
    fit = chosen(tmp_path, Train(**spaced, kept=leak(3.0)), TIME)
    assert fit.prepared.timing is not None
    assert fit.prepared.timing.asked == ()
    assert fit.layout.effects.terms == ()


@pytest.mark.parametrize("read_after_pulse", [True, False])
def test_a_wait_between_pulse_and_reading_needs_a_reading_after_the_pulse(
    read_after_pulse: bool, tmp_path: Path
) -> None:
    """The rows are as in docs/how-to/measured_devices.md; without the first, the leak is biased."""
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
        assert judge(fit, filtered(fit)).describes
    else:
        with pytest.raises(AssertionError):
            assert_within(fit, {"log_tau": tau, "rest": 0.0}, 0.15)


def test_without_a_leak_none_is_claimed(tmp_path: Path) -> None:
    done = train(60, 4, np.random.default_rng(3), shortest_s=0.01, longest_s=1.0, reads=4)
    assert chosen(tmp_path, Train(**done), TIME).layout.effects.terms == ()


def test_a_loss_in_log_time_is_no_bound(tmp_path: Path) -> None:
    """Pulses and loss agree at 0.8 of a device whose bounds are at 2: no bound is there."""
    rng = np.random.default_rng(4)
    done = train(100, 2, rng, shortest_s=0.3, longest_s=30.0, reads=4)
    device = Train(**done, bound=2.0, kept=log_loss(0.02, 1.0))
    fit = chosen(tmp_path, device, TIME)
    assert fit.layout.effects.terms == (LOG_LOSS,)
    assert_within(fit, {"log_loss": 0.02, "log_onset": 1.0, "rest": 0.0})
    assert not fit.prepared.series.clips.any()
    assert fit.prepared.highest[0] < 1.2


def test_a_step_that_grows_with_the_amplitude_comes_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    done = train(60, 2, rng)
    done["volts"] = rng.choice([2.8, 3.0, 3.2], len(done["way"]))
    device = Train(**done, factor=lambda width, gap, volts: math.exp((volts - VOLTS) / 0.25))
    fit = chosen(tmp_path, device, ("amplitude_v",))
    assert fit.layout.effects.terms == (AMPLITUDE,)
    assert_within(fit, {"log_volts": 0.25}, 0.2)


def pulsed_factor(width: float, gap: float, volts: float) -> float:
    assert PHYSICS is not None
    share = PHYSICS.used_share(width)
    isolated = width * share / (WIDTH_S * PHYSICS.used_share(WIDTH_S))
    return isolated * (1 + (1 / share - 1) * math.exp(-gap / PHYSICS.gap_time_constant_s))


def widths_and_gaps(rng: np.random.Generator, pulses: int, sweeps: int) -> dict[str, np.ndarray]:
    done = train(pulses, sweeps, rng, shortest_s=6e-6, longest_s=3e-4)
    usual = rng.random(len(done["way"])) < 0.4
    done["width"] = np.where(usual, WIDTH_S, rng.choice([1.2e-6, 1.6e-6, 2e-6, 5e-6], len(usual)))
    return done


def test_knee_and_gap_of_a_charge_trap_come_back(tmp_path: Path) -> None:
    done = widths_and_gaps(np.random.default_rng(6), 60, 4)
    fit = chosen(tmp_path, Train(**done, factor=pulsed_factor), BOTH)
    assert set(fit.layout.effects.terms) == {WIDTH, GAP}
    assert_within(fit, {"log_knee": 2e-6, "log_steep": 4.0, "log_gap_tau": 1e-5})
    assert np.exp(fit.local[0, 0]) == pytest.approx(STEP, rel=0.2)


def test_steps_without_memory_ask_for_no_gap_and_no_width(tmp_path: Path) -> None:
    done = widths_and_gaps(np.random.default_rng(7), 60, 2)
    fit = chosen(tmp_path, Train(**done), BOTH)
    assert fit.prepared.timing is not None
    assert set(fit.prepared.timing.asked) == {LEAK, LOG_LOSS, WIDTH, GAP}
    assert fit.layout.effects.terms == ()
    even = train(60, 2, np.random.default_rng(8))
    fit = chosen(tmp_path, Train(**even), (*BOTH, "amplitude_v"))
    assert fit.prepared.timing is not None
    assert fit.prepared.timing.asked == ()


def test_a_linear_step_that_grows_toward_the_bounds_comes_back(tmp_path: Path) -> None:
    """aihwkit has it (`allow_increasing`)."""
    done = train(100, 3, np.random.default_rng(10))
    file = write_train(tmp_path / "a.csv", Train(**done, slope=-0.5, read=0.0), 0, 2, ())
    prepared = prepare(read_measurement(file), ZERO, ONE)
    linear = tuple(m for m in FIT_FORMS if m.code in (CONSTANT, LINEAR) and m.additive and m.shape)
    best = select_model(prepared, (FIT_FORMS[0], *linear)).chosen
    assert best.model.code == LINEAR
    np.testing.assert_allclose(best.fit.shape, [-0.5, -0.5], atol=0.2)


def test_a_loss_that_stood_for_a_slope_is_left_out(tmp_path: Path) -> None:
    """A constant step takes a loss beside the amplitude here; the linear step needs none."""
    rng = np.random.default_rng(1014)
    done = train(60, 4, rng, shortest_s=6e-6, longest_s=3e-4)
    usual = rng.random(len(done["way"])) < 0.4
    done["width"] = np.where(usual, WIDTH_S, rng.choice([1.2e-6, 1.6e-6, 2e-6, 5e-6], len(usual)))
    done["volts"] = rng.choice([2.8, VOLTS, 3.2], len(usual))
    device = Train(**done, slope=0.3, factor=lambda w, g, volts: math.exp((volts - VOLTS) / 0.3))
    file = write_train(tmp_path / "a.csv", device, 14, devices=3)
    prepared = prepare(read_measurement(file), ZERO, ONE)
    linear = tuple(m for m in FIT_FORMS if m.code == LINEAR and m.additive and m.shape)
    best = select_model(prepared, (FIT_FORMS[0], *linear)).chosen
    assert best.fit.layout.effects.terms == (AMPLITUDE,)
    assert best.model.code == LINEAR


def test_soft_bounds_with_a_loss_become_a_charge_trap_of_slope_one(tmp_path: Path) -> None:
    """A preset of soft bounds would leave the loss out."""
    done = train(60, 4, np.random.default_rng(3), shortest_s=0.1, longest_s=10.0, reads=4)
    device = Train(**done, slope=1.0, kept=log_loss(0.04, 1.0))
    found = read_measurement(write_train(tmp_path / "a.csv", device, 0, 3, TIME))
    prepared = prepare(found, ZERO, ONE)
    models = (FIT_FORMS[0], *(m for m in FIT_FORMS if m.code == SOFT_BOUNDS and not m.additive))
    fit = select_model(prepared, models).chosen.fit
    assert fit.layout.name == "soft bounds, noise follows step, log-time loss"
    population = Population(*with_unbiased_noise(fit))
    entry = fitted_entry(population, report(population, None, (), ()), found)
    preset = preset_of("mine", entry)
    assert preset.law.name == "charge_trap"
    assert preset.number("loss_per_decade") == pytest.approx(0.04, rel=0.3)
    mean = population.device()
    for weight in (-0.7, 0.0, 0.5):
        theirs = [population.step_at(mean, up, weight) for up in (True, False)]
        np.testing.assert_allclose(mean_steps(preset, weight), theirs, rtol=1e-4)
    assert "read noise" in " ".join(left_out(population, mean))


@pytest.mark.slow
def test_a_preset_carries_leak_and_pulse_width(tmp_path: Path) -> None:
    done = train(80, 4, np.random.default_rng(1), shortest_s=0.01, longest_s=1.0, reads=6)
    file = write_train(
        tmp_path / "a.csv", Train(**done, slope=0.3, rest=0.1, kept=leak(20.0)), 0, 2
    )
    fit = fit_file(file, "mine", None, 1e6 * ZERO, 1e6 * ONE)
    found = {q.name: q for q in fit.quantities}
    for name, truth in (("leak_time_constant_s", 20.0), ("reset_level", 0.1)):
        low, high = found[name].low, found[name].high
        assert low is not None
        assert high is not None
        assert low <= truth <= high
    assert fit.verdict.describes, fit.verdict.failed
    fit.save(tmp_path / "mine.yaml", tmp_path / "mine.png")
    preset = get_preset(str(tmp_path / "mine.yaml"))
    assert preset.number("leak_time_constant_s") == pytest.approx(20.0, rel=0.05)
    assert preset.number("reset_level") == pytest.approx(0.1, abs=0.02)
    assert preset.value("pulse_width_s") == WIDTH_S
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
    assert preset.number("write_noise") == 0.0


def test_a_retention_file_adds_the_leak_to_a_fit_of_evenly_spaced_pulses(tmp_path: Path) -> None:
    """A leak of 60 s toward 25 uS; pulses 10 ms apart, and 40 readings over 200 s."""
    rng, g, rows = np.random.default_rng(0), 30.0, []
    for number in range(600):
        up, state = number % 200 < 100, (g - 20) / 40
        g = 25 + (g - 25) * math.exp(-0.01 / 60)
        step = 0.4 * (1 - 0.5 * state) if up else -0.4 * (0.5 + 0.5 * state)
        g += step * (1 + 0.3 * rng.normal())
        way = "up" if up else "down"
        rows.append((number // 200, number + 1, way, 0.01 * number, g + 0.05 * rng.normal()))
    pulses = pd.DataFrame(rows, columns=["cycle", "pulse", "polarity", "time_s", "conductance_uS"])
    time = np.geomspace(0.1, 200, 40)
    read = 25 + 23 * np.exp(-time / 60) + 0.05 * rng.normal(size=40)
    kept = pd.DataFrame({"time_s": time, "conductance_uS": read})
    both = pd.concat([pulses, kept.assign(cycle="retention", pulse=0, polarity="read")])
    both.to_csv(file := tmp_path / "both.csv", index=False)
    found = {q.name: q for q in fit_file(file, "mine").quantities}
    assert found["leak_time_constant_s"].value == pytest.approx(60.0, rel=0.05)
