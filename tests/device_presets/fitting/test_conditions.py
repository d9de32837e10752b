"""Tests how columns of time, pulse width and amplitude are read."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from device_presets.fitting import fit_file
from device_presets.fitting.model import selection
from device_presets.fitting.model.effects import LEAK, LOG_LOSS
from device_presets.fitting.model.effects_search import with_effects
from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.maximum_likelihood import fit_model
from device_presets.fitting.model.preparation import prepare
from device_presets.fitting.model.selection import select_model
from device_presets.fitting.reading.measurement import Measurement, read_measurement
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.devices.fit_form import CONSTANT, LINEAR
from rpu_ssnn.devices.laws import FIT_FORMS
from support.device_presets.fits import measured


def test_a_reading_before_the_first_pulse_needs_no_time_and_is_no_cycle(tmp_path: Path) -> None:
    head, sweeps = "device,cycle,pulse,polarity,conductance_uS", []
    for device in "AB":
        sweeps.append(f"{device},0,0,read,20")
        for cycle in (1, 2):
            ups = [f"{device},{cycle},{k},up,{20 + k}" for k in range(1, 16)]
            downs = [f"{device},{cycle},{k},down,{35 - k}" for k in range(1, 16)]
            sweeps += [*ups, *downs]
    measurement = measured(tmp_path, [head, *sweeps])
    assert measurement.size == "120 pulses in 8 sweeps, 2 devices, 2 cycles"
    assert list(np.unique(measurement.cycle)) == [0, 1]
    assert measurement.cycle[0] == measurement.cycle[1] == 0
    as_pulses = measured(tmp_path, [head, *(line.replace("0,0,read", "1,0,up") for line in sweeps)])
    for name in ("conductance", "pulse", "begins", "device", "cycle"):
        assert np.array_equal(getattr(measurement, name), getattr(as_pulses, name))
    with pytest.raises(InputError, match=r"row 3: column polarity: 'read'.*or pulse number 0"):
        measured(tmp_path, [head, "A,1,0,read,20", "A,1,1,read,20", *sweeps[1:31]])


def up_and_down(n: int = 14) -> list[tuple[str, float]]:
    """Returns polarities and conductances of alternating pulses, so that no sweep hides a wrong
    row."""
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
    measurement = measured(tmp_path, lines)
    given = measurement.conditions
    assert list(np.flatnonzero(measurement.pulse == 0)) == [0, 6, 7, 8]
    assert list(np.flatnonzero(measurement.begins)) == [0]
    np.testing.assert_allclose(given.elapsed_s[5:10], [1, 10, 10, 10, 1])
    np.testing.assert_allclose(given.age_s[5:10], [0, 0, 10, 20, 30])
    np.testing.assert_allclose(given.gap_s[5:10], [0.75, 10, 20, 30, 30.75])
    assert given.gap_s[1] == math.inf  # No pulse before the first is known.


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("5,up,21.5,5,", "5,up,21.5,3.5,", ("row 7", "column time_s", "3.5", "not be earlier")),
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
    with pytest.raises(InputError) as caught:
        measured(tmp_path, [line.replace(old, new) for line in lines])
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_a_clock_that_begins_anew_with_a_cycle_begins_a_stretch(tmp_path: Path) -> None:
    lines = ["pulse,polarity,conductance_uS,time_s,cycle"]
    lines += [f"{k},{p},{g},{k % 15},{k // 15}" for k, (p, g) in enumerate(up_and_down())]
    measurement = measured(tmp_path, lines)
    assert list(np.flatnonzero(measurement.begins)) == [0, 15]
    assert "clock starts anew at 1 cycle" in measurement.notes[-1]


def test_a_clock_that_begins_anew_knows_no_earlier_pulse(tmp_path: Path) -> None:
    """The second cycle begins with two readings. Readings without any pulse on their clock are
    retention data, and belong into a file of their own."""
    lines = ["pulse,polarity,conductance_uS,time_s,cycle"]
    for k, (polarity, g) in enumerate(up_and_down()):
        word = "read" if k in (15, 16) else polarity
        lines.append(f"{k},{word},{g},{k % 15},{k // 15}")
    given = measured(tmp_path, lines).conditions
    np.testing.assert_array_equal(given.age_s[15:18], np.inf)
    assert given.age_s[19] == 0.0
    lines += [f"0,read,20,{time},kept" for time in (2, 10, 100)]
    with pytest.raises(InputError, match=r"row 31: column time_s: 2\.0.*by --retention"):
        measured(tmp_path, lines)


def with_kept(folder: Path, pulses: list[str], kept: list[str]) -> Measurement:
    """Returns two devices with these columns and rows of pulses, and a retention file of them."""
    (folder / "kept.csv").write_text("\n".join(kept))
    head, *rows = pulses
    lines = [f"device,{head}", *(f"{device},{row}" for device in "AB" for row in rows)]
    (folder / "a.csv").write_text("\n".join(lines))
    return read_measurement(folder / "a.csv", retention=folder / "kept.csv")


@pytest.mark.parametrize("timed", [True, False])
def test_a_retention_file_has_clocks_of_its_own(timed: bool, tmp_path: Path) -> None:
    """The devices are read in turn, and B once more after another pulse."""
    pulses = ["pulse,polarity,conductance_uS" + timed * ",time_s"]
    pulses += [f"{k},{p},{g}" + timed * f",{0.1 * k}" for k, (p, g) in enumerate(up_and_down())]
    kept = ["conductance_nS,device,time_ms", "20000,B,9000", "22000,A,9000", "19000,B,30000"]
    measurement = with_kept(
        tmp_path, pulses, [*kept, "21000,A,90000", "23000,B,5000", "22000,B,6000"]
    )
    given = measurement.conditions
    np.testing.assert_allclose(measurement.conductance[29:31], [22e-6, 21e-6])
    np.testing.assert_allclose(measurement.conductance[60:], [20e-6, 19e-6, 23e-6, 22e-6])
    assert list(np.flatnonzero(measurement.begins)) == [0, 29, 31, 60, 62]
    assert (measurement.n_pulses, len(set(measurement.cycle))) == (56, 1)
    np.testing.assert_allclose(given.elapsed_s[29:32], [0, 81, 0])
    np.testing.assert_allclose(given.age_s[60:], [math.inf, 9, math.inf, 5])
    np.testing.assert_allclose(given.elapsed_s[1:29], 0.1 if timed else 0.0)
    assert ("nothing is lost between them" in measurement.notes[0]) is not timed


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        ("device,conductance_uS,hours|A,20,1", ("kept.csv: column: no time",)),
        ("time_s,conductance_uS|1,20", ("kept.csv: column: no device",)),
        ("device,time_s,conductance_uS|C,1,20", ("kept.csv: device: 'C'", "with pulses, A, B")),
        ("device,time_s,conductance_uS|A,1,20|A,,19", ("kept.csv, row 3: column time_s",)),
        (
            "device,time_s,conductance_uS|A,-1,20|A,1,19",
            ("row 2: column time_s: -1.0", "from 0 on"),
        ),
        (
            "device,time_s,conductance_nS|A,1,20|A,2,19",
            ("kept.csv: range: '1.9e-08 to 2e-08'", "unit"),
        ),
        ("device,time_s,conductance_uS,polarity|A,1,20,down", ("row 2: column polarity: 'down'",)),
        (
            "device,time_s,conductance_uS|A,1,20|B,2,19",
            ("kept.csv: readings in a row: 1", "at least 2"),
        ),
    ],
)
def test_a_wrong_retention_file_is_named(kept: str, words: tuple[str, ...], tmp_path: Path) -> None:
    pulses = ["pulse,polarity,conductance_uS"]
    pulses += [f"{k},{p},{g}" for k, (p, g) in enumerate(up_and_down())]
    with pytest.raises(InputError) as caught:
        with_kept(tmp_path, pulses, kept.split("|"))
    assert all(word in str(caught.value) for word in words)


def test_a_retention_file_adds_the_leak_to_a_fit_of_evenly_spaced_pulses(tmp_path: Path) -> None:
    """The leak is 60 s toward 25 uS, pulses 10 ms apart have no times in their file, and two times
    20 readings over 200 s begin at two levels."""
    rng, g, rows = np.random.default_rng(0), 30.0, []
    for number in range(600):
        up, state = number % 200 < 100, (g - 20) / 40
        g = 25 + (g - 25) * math.exp(-0.01 / 60)
        step = 0.4 * (1 - 0.5 * state) if up else -0.4 * (0.5 + 0.5 * state)
        g += step * (1 + 0.3 * rng.normal())
        way = "up" if up else "down"
        rows.append((number // 200, number + 1, way, g + 0.05 * rng.normal()))
    pulses = pd.DataFrame(rows, columns=["cycle", "pulse", "polarity", "conductance_uS"])
    pulses.to_csv(file := tmp_path / "pulses.csv", index=False)
    time, level = np.tile(np.geomspace(0.1, 200, 20), 2), np.repeat([23, 10], 20)
    read = 1e3 * (25 + level * np.exp(-time / 60) + 0.05 * rng.normal(size=40))
    kept = pd.DataFrame({"time_ms": 1e3 * time, "conductance_nS": read})
    kept.to_csv(second := tmp_path / "kept.csv", index=False)
    quantities = {q.name: q for q in fit_file(file, "mine", retention=second).quantities}
    assert quantities["leak_time_constant_s"].value == pytest.approx(60.0, rel=0.05)


@pytest.mark.parametrize(("noise", "kept_noise"), [(0.0, 0.35), (0.35, 0.02)])
def test_readings_over_time_change_neither_range_nor_step_nor_noise_and_are_never_held_out(
    noise: float, kept_noise: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are more readings than pulses, they have a read noise of their own (in steps), and some
    begin beyond the range. They used to be cycles of the mean curve, and to change all of it."""
    rng, g = np.random.default_rng(1), [20.0]
    way = np.tile(np.repeat([1, -1], 60), 6)
    for step in 0.8 * way * (1 + 0.2 * rng.normal(size=len(way))):
        g.append(float(np.clip(g[-1] + step, 20, 60)))
    read = np.array(g[1:]) + 0.8 * noise * rng.normal(size=len(way))
    pulses = pd.DataFrame({"polarity": way, "conductance_uS": read})
    pulses.to_csv(file := tmp_path / "pulses.csv", index=False)
    time, level = np.tile(np.geomspace(1, 1000, 50), 16), np.repeat(np.linspace(-24, 24, 16), 50)
    readings = 40 + level * np.exp(-time / 300) + 0.8 * kept_noise * rng.normal(size=800)
    kept = pd.DataFrame({"time_s": time, "conductance_uS": readings})
    kept.to_csv(second := tmp_path / "kept.csv", index=False)
    models = tuple(model for model in FIT_FORMS if model.code in (CONSTANT, LINEAR))
    measured = (read_measurement(file, retention=kept) for kept in (None, second))
    chosen = (select_model(prepare(found, None, None), models).chosen.fit for found in measured)
    alone, fit = chosen
    assert fit.layout.effects.terms == (LEAK,)
    numbers = fit.layout.effects.values(fit.layout.effects_of(fit.shared))
    assert numbers["tau"] == pytest.approx(300, rel=0.02)
    assert numbers["read"] == pytest.approx(kept_noise * 0.8 / 20, rel=0.1)
    assert fit.prepared.scale == alone.prepared.scale
    np.testing.assert_array_equal(fit.prepared.ends, alone.prepared.ends)
    np.testing.assert_array_equal(fit.prepared.alike, alone.prepared.alike)
    assert fit.prepared.noisy == alone.prepared.noisy == (noise > 0)
    np.testing.assert_allclose(fit.shared[:2], alone.shared[:2], atol=0.01)
    np.testing.assert_allclose(fit.local, alone.local, atol=0.001)
    counted: list[np.ndarray] = []

    def refitted(fit: JointFit, rows: np.ndarray, **_: object) -> JointFit:
        counted.append(rows)
        return fit

    monkeypatch.setattr(selection, "refit", refitted)
    selection._held_out(fit, np.arange(len(fit.prepared.device)) % 3)
    without = fit.prepared.series.pulse == 0
    assert [rows[without].all() and not rows.all() for rows in counted] == [True] * 3


def test_a_drift_does_not_begin_long_before_it_was_read(tmp_path: Path) -> None:
    """A drift with time to the power -0.02 fits any early onset, and one before the first pulse
    would ruin the device."""
    rng, way = np.random.default_rng(1), np.tile(np.repeat([1, -1], 100), 2)
    g = 40 + np.cumsum(0.4 * way * (1 + 0.2 * rng.normal(size=400)))
    pulses = pd.DataFrame({"polarity": way, "conductance_uS": g})
    pulses.to_csv(file := tmp_path / "pulses.csv", index=False)
    time, level = np.tile(np.geomspace(1, 3000, 12), 2), np.repeat([50, 75], 12)
    readings = level * time**-0.02 + 0.008 * rng.normal(size=24)
    kept = pd.DataFrame({"time_s": time, "conductance_uS": readings})
    kept.to_csv(second := tmp_path / "kept.csv", index=False)
    prepared = prepare(read_measurement(file, retention=second), None, None)
    fit, *_ = with_effects(prepared, [fit_model(prepared, FIT_FORMS[0])])
    effects = fit.layout.effects
    assert effects.terms == (LOG_LOSS,)
    assert effects.values(fit.layout.effects_of(fit.shared))["onset"] > 0.1
