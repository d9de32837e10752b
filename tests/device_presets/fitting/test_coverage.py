"""Tests whether the 95 % intervals of a fit hold the truth for 95 % of simulated data sets.

`pytest -m slow tests/device_presets/fitting/test_coverage.py --coverage-rows
docs/results/fit_coverage/rows.csv` writes the counts of the cases that it ran into that file.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock
from scipy.stats import binom

from device_presets import Preset, get_preset
from device_presets.fitting import fit_file
from device_presets.library.steps_at_zero import mean_steps
from support.device_presets.fits import COARSE_RERAM, ONE, ZERO, write_pulses
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

RARE = 5e-4
"""The probability, at either end, that counts of correct intervals fall outside the limits."""

NO_TERM = "no dependence"
"""Counted instead of a quantity if devices depend on no condition: no dependence is claimed."""


@dataclass(frozen=True)
class Case:
    """Describes simulated data sets and the true values of their reports.

    Attributes:
        write: (file to write, seed) -> that file.
        truths: true values by quantity; empty if the devices depend on no condition.
        sets: the number of data sets.
        sure: quantities that a model may fix, so that all intervals may hold them.
        stated: share of the data sets that must have an interval for each quantity; a quantity with
            intervals in fewer than half of them is not judged further.
    """

    write: Callable[[Path, int], Path]
    truths: Mapping[str, float]
    sets: int
    sure: frozenset[str] = frozenset()
    stated: float = 0.0


def truths_of(preset: Preset) -> dict[str, float]:
    """Returns the true values of a report, from the numbers of the preset."""
    number = preset.number
    step = sum(mean_steps(preset)) / 2
    soft = preset.law.name == "soft_bounds_reference"
    linear = preset.law.name == "linear"
    found = {
        "step": step,
        "states": (preset.w_max - preset.w_min) / step,
        "asymmetry": number("asymmetry"),
        "w_max": preset.w_max,
        "w_min": preset.w_min,
        "cycle_to_cycle": preset.cycle_to_cycle,
        "nonlinearity up": 1.0 if soft else number("slope_up") if linear else 0.0,
        "nonlinearity down": 1.0 if soft else number("slope_down") if linear else 0.0,
    }
    for name in ("step_spread", "asymmetry_spread", "w_max_spread", "w_min_spread"):
        found[name] = number(name)
    if linear and number("slope_up_spread") > 0.02:
        found["slope_up_spread"] = number("slope_up_spread")
        found["slope_down_spread"] = number("slope_down_spread")
    if soft:
        found["write_noise"] = number("write_noise")
    return found


def of_preset(
    name: str,
    overrides: Mapping[str, float],
    devices: int,
    pulses: int,
    cycles: int = 1,
    sets: int = 200,
) -> Case:
    """Returns data sets of devices of a preset, with `pulses` up and down in each cycle."""
    preset = get_preset(name, overrides)
    return Case(
        lambda path, seed: write_pulses(path, preset, devices, pulses, cycles, seed),
        truths_of(preset),
        sets,
        frozenset({"nonlinearity up", "nonlinearity down"}),
    )


def leaking(rng: np.random.Generator) -> Train:
    """Returns a train for a device that leaks toward 0.1 with a time constant of 10 s."""
    done = train(60, 4, rng, shortest_s=0.01, longest_s=1.0, reads=4)
    return Train(**done, slope=0.3, rest=0.1, kept=leak(10.0))


def losing(rng: np.random.Generator) -> Train:
    """Returns a train for a device that loses 0.02 per decade of time, from 1 s on."""
    done = train(60, 4, rng, shortest_s=0.1, longest_s=10.0, reads=4)
    return Train(**done, slope=0.3, kept=log_loss(0.02, 1.0))


def trapping(rng: np.random.Generator) -> Train:
    """Returns a train for a device that depends on width and gap as `charge_trap_pulsed` does."""
    return Train(**widths_and_gaps(rng, 60, 4), slope=0.3, factor=pulsed_factor)


def of_nothing(rng: np.random.Generator) -> Train:
    """Returns a train for a device that depends on neither width nor gap."""
    return Train(**widths_and_gaps(rng, 60, 4), slope=0.3)


def of_train(
    make: Callable[[np.random.Generator], Train], truths: Mapping[str, float], stated: float = 0.8
) -> Case:
    """Returns 40 data sets of three devices under changing conditions."""
    return Case(
        lambda path, seed: write_train(
            path, make(np.random.default_rng(1000 + seed)), seed, devices=3
        ),
        truths,
        40,
        stated=stated,
    )


CASES = {
    "constant": of_preset(
        "gokmen_vlasov", {"levels": 60, "w_max_spread": 0.1, "w_min_spread": 0.1}, 10, 110
    ),
    "linear": of_preset("capacitor", {"levels": 80}, 10, 130),
    "linear, uneven": of_preset("ecram", {"levels": 100}, 10, 190),
    # The noise is 1.8 steps, and the bounds clip it.
    "noise at the bounds": of_preset("neurosim_alox_hfo2", {}, 20, 45, cycles=2, sets=100),
    "soft bounds, read noise": of_preset("reram_sb", COARSE_RERAM, 6, 80),
    "leak": of_train(leaking, {"leak_time_constant_s": 10.0, "reset_level": 0.1, "step": STEP}),
    "log-time loss": of_train(
        losing, {"loss_per_decade": 0.02, "loss_onset_s": 1.0, "reset_level": 0.0}
    ),
    "charge trap": of_train(
        trapping, {"width_knee_s": 2e-6, "width_steepness": 4.0, "gap_time_constant_s": 1e-5}
    ),
    "none": of_train(of_nothing, {}),
}


@dataclass
class Counts:
    """Counts data sets with an interval for each quantity, and those whose interval is right."""

    asked: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    chosen: Counter[str] = field(default_factory=Counter)
    """Counts of the chosen models and terms for the conditions."""

    def add(self, case: Case, seed: int, folder: Path) -> None:
        """Fits one more data set and counts its intervals."""
        data = case.write(folder / "data.csv", seed)
        weights = 1e6 * ZERO, 1e6 * ONE
        fit = fit_file(data, "mine", None, *weights)
        best = fit.selection.chosen
        terms = best.fit.layout.effects.terms
        self.chosen[", ".join((best.model.name, *terms))] += 1
        if not case.truths:
            self.asked[NO_TERM] += 1
            self.held[NO_TERM] += not terms
        for quantity in fit.quantities:
            if quantity.name not in case.truths or quantity.low is None or quantity.high is None:
                continue
            if "what was measured" in quantity.note or "at least" in quantity.note:
                continue  # The quantity describes the measured part of the range, not the device.
            truth = case.truths[quantity.name]
            slack = max(1e-6 * abs(truth), 1e-9)
            self.asked[quantity.name] += 1
            self.held[quantity.name] += quantity.low - slack <= truth <= quantity.high + slack

    def save(self, case: str, sets: int, file: Path) -> None:
        """Writes the counts of a case into a CSV, replacing its earlier ones."""
        rows = [
            {
                "case": case,
                "data_sets": sets,
                "quantity": name,
                "with_an_interval": self.asked[name],
                "that_holds_the_truth": self.held[name],
            }
            for name in self.asked
        ]
        with FileLock(Path(tempfile.gettempdir()) / f"{file.name}.lock"):
            before = pd.read_csv(file) if file.exists() else pd.DataFrame(columns=list(rows[0]))
            others = before[before["case"] != case]
            pd.concat([others, pd.DataFrame(rows)]).to_csv(file, index=False)


def outside(case: Case, counts: Counts) -> dict[str, str]:
    """Returns quantities whose intervals are too rare, or hold the truth too rarely or too
    often."""
    found = {}
    for name in case.truths or (NO_TERM,):
        asked, held = counts.asked[name], counts.held[name]
        if asked < case.stated * case.sets:
            found[name] = f"{asked} intervals of {case.sets}"
        if asked < case.sets / 2:
            continue
        low, high = binom.ppf((RARE, 1 - RARE), asked, 0.95)
        if not low <= held <= (asked if name in case.sure else high):
            found[name] = f"{held} of {asked} hold the truth: {low:.0f} to {high:.0f} by chance"
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_intervals_hold_95_percent(name: str, tmp_path: Path, coverage_rows: Path | None) -> None:
    """All data sets of a case count, and no dependence may be claimed where there is none."""
    case, counts = CASES[name], Counts()
    for seed in range(case.sets):
        counts.add(case, seed, tmp_path)
    print(f"\n{name}: {dict(counts.chosen)}\nheld {dict(counts.held)}\nof {dict(counts.asked)}")
    if coverage_rows is not None:
        counts.save(name, case.sets, coverage_rows)
    assert not outside(case, counts)


def test_too_few_and_too_many_intervals_that_hold_are_found() -> None:
    truths = dict.fromkeys("abcd", 1.0)
    case = Case(lambda path, seed: path, truths, 200, frozenset("d"), stated=0.8)
    counts = Counts(Counter(a=200, b=200, c=200, d=90), Counter(a=190, b=170, c=200, d=88))
    assert set(outside(case, counts)) == {"b", "c", "d"}
    counts.asked["d"] = counts.held["d"] = 200
    assert set(outside(case, counts)) == {"b", "c"}
