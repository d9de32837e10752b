"""Each defect of a measurement is named for a made-up file that shows it; a clean file has none."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from device_presets import get_preset
from device_presets.fitting.checks.goodness import Verdict, judge
from device_presets.fitting.checks.whole_cycles import coverage, cycle_deviation, cycle_errors
from device_presets.fitting.model.maximum_likelihood import fit_model
from device_presets.fitting.model.moments import cycle_scatter, fitted_to_moments
from device_presets.fitting.model.preparation import prepare
from device_presets.fitting.model.simulation import at_one_level
from device_presets.fitting.model.uncertainty import drawn
from device_presets.fitting.reading.reading import read
from rpu_ssnn.devices.fit_form import CONSTANT, LINEAR
from rpu_ssnn.devices.laws import FIT_FORMS
from support.device_presets.fits import ONE, ZERO, file_of, write_pulses

SWEEP, CYCLES, STEP = 200, 8, 0.5
SMOOTH = next(m for m in FIT_FORMS if m.code == LINEAR and m.shape and m.additive)


def cycled(
    after_turn: Callable[[int], float] = lambda since: 1.0, cycles: int = CYCLES
) -> tuple[np.ndarray, np.ndarray]:
    """Returns [pulses + 1] conductances (uS) and [pulses] polarities of a device whose step falls
    by a third over the range, with cycle noise of 0.3 steps.

    Args:
        after_turn: pulses since the last turn -> factor on the step.
    """
    rng, up = np.random.default_rng(1), np.tile(np.repeat([True, False], SWEEP), cycles)
    path = [20.0]
    for number, rises in enumerate(up):
        share = (path[-1] - 20.0) / (STEP * SWEEP)
        fall = 1.0 - 0.33 * (share if rises else 1.0 - share)
        move = STEP * (fall * after_turn(number % SWEEP) + 0.3 * rng.normal())
        path.append(path[-1] + (move if rises else -move))
    return np.array(path), up


def bounded(cycles: int, drift: float, start: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Returns conductances (uS) and polarities of a device that reaches both bounds, 50 uS apart,
    in each sweep of 60 pulses; its step falls by 40 % over the range.

    Args:
        drift: The change of its level over all cycles, as a share of the range.
        start: Where it begins, as a share of the range.
    """
    rng, up = np.random.default_rng(1), np.tile(np.repeat([True, False], 60), cycles)
    state, path = start, [start]
    for rises in up:
        fall = 1.0 - 0.4 * (state if rises else 1.0 - state)
        move = (1.8 * fall + 0.5 * rng.normal()) / 60
        state = min(max(state + (move if rises else -move), 0.0), 1.0)
        path.append(state)
    return 40.0 + 50.0 * (np.array(path) + np.linspace(0.0, drift, len(path))), up


def told(file: Path, path: np.ndarray, up: np.ndarray) -> dict[str, str]:
    """Returns the defects that are found, with their descriptions by name."""
    fit = fit_model(prepare(read(file_of(file, path, up)), None, None), SMOOTH)
    return {defect.name: defect.what for defect in judge(fit).defects}


def read_noise(size: float, path: np.ndarray) -> np.ndarray:
    return size * STEP * np.random.default_rng(2).standard_normal(len(path))


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_a_clean_measurement_has_no_defect(noise: float, tmp_path: Path) -> None:
    path, up = cycled()
    assert told(tmp_path / "a.csv", path + read_noise(noise, path), up) == {}


def test_too_much_and_too_little_cycle_noise_is_found(tmp_path: Path) -> None:
    path, up = cycled()
    fit = fit_model(prepare(read(file_of(tmp_path / "a.csv", path, up)), None, None), SMOOTH)
    assert cycle_errors(fit).scatter.passed
    for factor in (5.0, 0.2):
        shared = fit.shared.copy()
        shared[0] += np.log(factor)
        wrong = replace(fit, shared=shared)
        share, by_chance, _ = coverage(wrong, fit.prepared.everything)
        assert share > by_chance[1] if factor > 1 else share < by_chance[0]
        deviation, (least, most) = cycle_deviation(wrong)
        assert deviation < most / 1.2 if factor > 1 else deviation > 1.2 * least


def test_the_scatter_of_cycles_is_that_within_a_device() -> None:
    """Differences between devices, which simulations share, once hid how much cycles scatter."""
    rng = np.random.default_rng(0)
    shape = np.linspace(0.0, 1.0, 50)
    cycles = np.array([slope * shape for slope in (1.0, 1.0, 2.0, 2.0)])
    device = np.array([0, 0, 1, 1])
    assert cycle_scatter(cycles, device) == pytest.approx(np.zeros(50))
    assert cycle_scatter(cycles, np.arange(4)).max() > 0.0  # single cycles show only that of all
    noisy = cycles + 0.1 * rng.standard_normal((4, 50)) + np.arange(4)[:, None]
    assert cycle_scatter(noisy, device).mean() == pytest.approx(0.1**2 / 2, rel=0.5)


def test_the_band_of_many_cycles_excludes_a_wrong_law(tmp_path: Path) -> None:
    """The limits once held a constant step as well, since they had room for any mean curve."""
    path, up = bounded(20, 0.0)
    prepared = prepare(read(file_of(tmp_path / "a.csv", path, up)), None, None)
    for form in (SMOOTH, next(m for m in FIT_FORMS if m.code == CONSTANT)):
        errors = cycle_errors(fit_model(prepared, form))
        least, most = errors.by_chance
        assert errors.held_out
        assert (least <= errors.within_band <= most) == (form is SMOOTH)
        assert 0.7 < least < 0.86
        assert 0.94 < most < 1.0


@pytest.mark.parametrize("burst", [False, True])
def test_interference_of_a_fixed_period(burst: bool, tmp_path: Path) -> None:
    """Short bursts have strong harmonics, which are not taken for the period."""
    path, up = cycled(cycles=3 * CYCLES if burst else CYCLES)
    phase = np.arange(len(path)) % 46
    wave = 9.0 * (phase < 2) if burst else 1.5 * np.sin(2 * np.pi * phase / 23)
    found = told(tmp_path / "a.csv", path + STEP * wave + read_noise(0.3, path), up)
    assert f"period of {46 if burst else 23} pulses" in found["interference"]


def test_stretches_between_gaps_are_compared_only_from_the_same_pulse(tmp_path: Path) -> None:
    """Others begin from another state, which looked like a drift of the level."""
    path, up = cycled()
    file = file_of(tmp_path / "a.csv", path, up)
    rows = pd.read_csv(file)
    cycle, pulse = np.divmod(np.arange(len(rows)) - 1, 2 * SWEEP)
    rows[(pulse - 7 * cycle) % 100 != 40].to_csv(file, index=False)
    prepared = prepare(read(file), None, None)
    assert np.ptp(prepared.series.weight[prepared.alike[:, 0]]) < 0.2


def test_a_device_that_stops_moving_is_broken(tmp_path: Path) -> None:
    path, up = cycled()
    path[1100:] = path[1100] + read_noise(0.2, path)[1100:]
    found = told(tmp_path / "a.csv", path, up)
    assert list(found) == ["broken"]
    assert "in 5 of 8 cycles, first in cycle 4 of device 1" in found["broken"]


def test_a_device_of_small_range_is_not_broken(tmp_path: Path) -> None:
    path, up = cycled(cycles=4)
    lines = ["device,pulse,polarity,conductance_uS"]
    for device, size in enumerate([1.0, 0.25, 1.1]):
        ways = ["read", *np.where(up, "up", "down")]
        lines += [
            f"{device},{k},{w},{g}" for k, (w, g) in enumerate(zip(ways, size * path, strict=True))
        ]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    fit = fit_model(prepare(read(tmp_path / "a.csv"), None, None), SMOOTH)
    assert "broken" not in {defect.name for defect in judge(fit).defects}


def test_a_jump_between_cycles(tmp_path: Path) -> None:
    path, up = cycled()
    path[5 * 2 * SWEEP + 1 :] += 12.0
    found = told(tmp_path / "a.csv", path + read_noise(0.3, path), up)
    assert "readings of device 1 jump by" in found["jump"]
    assert "between cycles 5 and 6 of those used" in found["jump"]
    assert "drift" not in found


@pytest.mark.parametrize(("devices", "cycles"), [(1, 4), (2, 3)])
def test_a_large_jump_is_found_among_few_cycles(devices: int, cycles: int, tmp_path: Path) -> None:
    """Each cycle begins with a reading numbered 0, and all devices jump at the same time."""
    path, up = cycled()
    path[2 * 2 * SWEEP + 1 :] += 12.0
    noise = read_noise(1.0, path)
    lines = ["device,cycle,pulse,polarity,conductance_uS"]
    for device, cycle, pulse in np.ndindex(devices, cycles, 2 * SWEEP + 1):
        row = cycle * 2 * SWEEP + pulse
        reading = path[row + (pulse == 0)] + noise[row - 7 * device]
        way = "up" if up[row - 1] else "down"
        lines.append(f"{device},{cycle},{pulse},{way},{reading:.6f}")
    (tmp_path / "a.csv").write_text("\n".join(lines))
    fit = fit_model(prepare(read(tmp_path / "a.csv"), None, None), SMOOTH)
    defects = {defect.name: defect.what for defect in judge(fit).defects}
    assert "between cycles 2 and 3" in defects["jump"]


@pytest.mark.parametrize("seed", [6, 20])
def test_devices_with_large_steps_at_the_turn_do_not_jump(seed: int, tmp_path: Path) -> None:
    """The noise of a step is larger there than on average; in file 20, one device is at its end."""
    rng, tables = np.random.default_rng(1000 + seed), []
    ways = np.tile(np.repeat([1.0, -1.0], 50), 2)
    for device in range(5):
        drawn, weights = rng.standard_normal(402), [-1.0]
        for way, noise in zip(ways, drawn[2::2], strict=True):
            size = 0.04 * (1 + 0.1 * drawn[0]) * (1.0 if way > 0 else 0.9)
            move = size * (1 - 0.3 * way * weights[-1]) * (way + 0.5 * noise)
            weights.append(float(np.clip(weights[-1] + move, -1, 1)))
        cycle, polarity = np.arange(201) // 101 + 1, ["read", *np.where(ways > 0, "up", "down")]
        columns = {"device": device, "cycle": cycle, "pulse": np.arange(201), "polarity": polarity}
        tables.append(pd.DataFrame(columns | {"conductance_uS": 60 + 20 * np.array(weights)}))
    pd.concat(tables).to_csv(tmp_path / "a.csv", index=False)
    law = next(m for m in FIT_FORMS if m.code == LINEAR and m.shape and not m.additive)
    fit = fit_model(prepare(read(tmp_path / "a.csv"), None, None), law)
    assert not judge(fit).defects


def test_a_drift_over_the_cycles(tmp_path: Path) -> None:
    path, up = cycled()
    path += 80.0 * np.arange(len(path)) / len(path)
    found = told(tmp_path / "a.csv", path + read_noise(0.3, path), up)
    assert "drift" in found


@pytest.mark.parametrize("drift", [0.0, 0.2])
def test_a_slow_drift_over_many_cycles(drift: float, tmp_path: Path) -> None:
    path, up = bounded(30, drift)
    found = told(tmp_path / "a.csv", path + read_noise(0.5, path), up)
    assert list(found) == (["drift"] if drift else [])
    if drift:
        share = float(found["drift"].removeprefix("level drifts by ").split()[0])
        assert share == pytest.approx(100 * 0.2 / 1.2 / 30, abs=0.1)


def test_a_drift_is_found_although_the_first_cycle_began_elsewhere(tmp_path: Path) -> None:
    """Each cycle begins with a reading numbered 0, the first one at 40 % of the range."""
    path, up = bounded(6, 0.2, start=0.4)
    lines = ["cycle,pulse,polarity,conductance_uS"]
    for cycle, pulse in np.ndindex(6, 121):
        way = "up" if up[max(pulse, 1) - 1] else "down"
        lines.append(f"{cycle},{pulse},{way},{path[120 * cycle + pulse]:.6f}")
    (tmp_path / "a.csv").write_text("\n".join(lines))
    fit = fit_model(prepare(read(tmp_path / "a.csv"), None, None), SMOOTH)
    assert "drift" in {defect.name for defect in judge(fit).defects}


def test_a_device_whose_step_is_as_long_as_its_range(tmp_path: Path) -> None:
    """It would seem to jump by five times its range if its bounds did not cut predicted steps, and
    if errors put a bound on the other side of weight 0, simulations would run away."""
    file = write_pulses(tmp_path / "a.csv", get_preset("hfo2"), 40, 12, 8, seed=10)
    law = next(form for form in FIT_FORMS if form.name == "soft bounds, constant noise")
    fit = fit_model(prepare(read(file), ZERO, ONE), law)
    assert "jump" not in {defect.name for defect in judge(fit).defects}
    bounds = np.array([one.local[:, 4:] for one in drawn(fit, 20.0, 50)])
    assert (bounds * [1.0, -1.0] > 0.0).all()


@pytest.mark.parametrize("jumps", [False, True])
def test_cycles_at_one_level_show_the_device_without_its_drift(jumps: bool, tmp_path: Path) -> None:
    """NeuroSim's formula starts again with each cycle, so drift hardly affects it."""
    path, up = cycled()
    number = np.arange(len(path))
    path += 20.0 * (number > 5 * 2 * SWEEP) if jumps else 80.0 * number / len(path)
    prepared = prepare(
        read(file_of(tmp_path / "a.csv", path + read_noise(0.3, path), up)), None, None
    )
    raw, level = (
        cycle_errors(fit_model(one, SMOOTH)) for one in (prepared, at_one_level(prepared))
    )
    assert raw.held_out
    assert level.asked.worst < min(raw.neurosim.worst, 0.5 * raw.asked.worst)


def test_a_device_that_keeps_moving_the_old_way_after_a_turn(tmp_path: Path) -> None:
    path, up = cycled(lambda since: -1.0 if since < 12 else 1.0)
    found = told(tmp_path / "a.csv", path, up)
    assert "keeps moving in the old direction for 12 pulses" in found["turns"]


def test_a_device_that_is_slow_for_a_few_pulses_after_a_turn(tmp_path: Path) -> None:
    """Over twenty pulses, larger steps make up for what is lost in the first few."""
    path, up = cycled(lambda since: 0.2 if since < 5 else 1.0 + 0.4 * (since < 15))
    assert "differ from later ones by -" in told(tmp_path / "a.csv", path, up)["turns"]


def test_a_device_whose_drive_remembers_six_pulses(tmp_path: Path) -> None:
    """The fitted step is too small as well, so later pulses are off the other way."""
    rng, drive, path = np.random.default_rng(7000), 1.0, [-0.5]
    up = np.tile(np.repeat([True, False], 100), 5)
    for rises in up:
        way = 1.0 if rises else -1.0
        drive += 0.15 * (way - drive)
        move = 0.02 * (drive * (1 - 0.3 * way * path[-1]) + 0.3 * rng.normal())
        path.append(float(np.clip(path[-1] + move, -1, 1)))
    prepared = prepare(read(file_of(tmp_path / "a.csv", 60 + 20 * np.array(path), up)), None, None)
    fit = fitted_to_moments(fit_model(prepared, SMOOTH), prepared.everything)
    assert "turns" in [defect.name for defect in judge(fit).defects]


def test_quantised_readings(tmp_path: Path) -> None:
    path, up = cycled()
    assert "3.6 steps" in told(tmp_path / "a.csv", 1.5 * np.round(path / 1.5), up)["quantisation"]
    assert "quantisation" not in told(
        tmp_path / "b.csv", np.round(path + read_noise(4.0, path)), up
    )


def test_noise_that_grows_with_the_conductance(tmp_path: Path) -> None:
    path, up = cycled()
    found = told(tmp_path / "a.csv", path + read_noise(2.0, path) * path / 60, up)
    assert "at high conductance" in found["noise that depends on the state"]


def test_a_rest_between_sweeps_that_is_not_in_the_file(tmp_path: Path) -> None:
    path, up = cycled()
    path[1:] -= np.where(up, 6.0, 0.0)  # It falls before each sweep up and rises before each down.
    found = told(tmp_path / "a.csv", path, up)
    assert "against the first pulse" in found["rest between sweeps"]


def test_a_single_pulse_that_resets_the_device_is_abrupt(tmp_path: Path) -> None:
    up = np.tile(np.append(np.ones(50, dtype=bool), False), 14)
    path = 20.0 + np.append(0.0, np.tile(np.append(np.arange(1.0, 51.0), 0.0), 14))
    assert "abrupt" in told(tmp_path / "a.csv", path + read_noise(1.0, path), up)


def test_an_abrupt_device_passes_the_question_of_direction(tmp_path: Path) -> None:
    """The first pulse of a sweep makes nearly the whole change, and the others only scatter."""
    rng, up = np.random.default_rng(3), np.tile(np.repeat([True, False], 60), 8)
    path = np.append(20.0, np.where(up, 50.0, 20.0)) + 2.0 * rng.standard_normal(len(up) + 1)
    prepared = prepare(read(file_of(tmp_path / "a.csv", path, up)), None, None)
    fit = fit_model(prepared, next(m for m in FIT_FORMS if m.code == CONSTANT))
    verdict: Verdict = judge(fit)
    assert verdict.checks[0].passed, verdict.checks[0]
    assert "abrupt" in [defect.name for defect in verdict.defects]
    assert verdict.moves
