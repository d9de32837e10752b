"""Whether the 95 % intervals of a fit hold the truth 95 % of the time, on simulated data sets.

`pytest -m slow tests/device_presets/fitting/test_coverage.py --coverage-rows
docs/results/fit_coverage/rows.csv` writes the counts of the cases that it ran into that file.
"""

import math
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
from support.device_presets.fits import (
    COARSE_RERAM,
    ONE,
    ZERO,
    write_pulses,
)
from support.device_presets.timed import (
    STEP,
    WIDTH,
    Train,
    leak,
    log_loss,
    train,
    write_train,
)

RARE = 5e-4
"""Chance that counts outside the bounds come by, at either end, of intervals that hold 95 %."""

NO_TERM = "no dependence"
"""Stands for a quantity in devices that depend on no condition: none is claimed."""


@dataclass(frozen=True)
class Case:
    """Simulated data sets, and what their reports should hold.

    Attributes:
        write: (file to write, seed) -> that file.
        truths: by quantity of the report; without any, no dependence on conditions is there.
        sets: how many data sets.
        sure: quantities that a model may fix, so that all intervals may hold them.
        stated: share of the data sets that must have an interval of each quantity; quantities that
            fewer than half have are not judged.
    """

    write: Callable[[Path, int], Path]
    truths: Mapping[str, float]
    sets: int
    sure: frozenset[str] = frozenset()
    stated: float = 0.0


def truths_of(preset: Preset) -> dict[str, float]:
    """What the report should hold, from the preset's own numbers."""
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
    """Data sets of the devices of a preset, so many pulses each way in a cycle."""
    preset = get_preset(name, overrides)
    return Case(
        lambda path, seed: write_pulses(path, preset, devices, pulses, cycles, seed),
        truths_of(preset),
        sets,
        frozenset({"nonlinearity up", "nonlinearity down"}),
    )


def charge_trap_factor(width: float, gap: float) -> float:
    """Returns the step of `charge_trap_pulsed` over that of an isolated pulse of its own width."""
    physics = get_preset("charge_trap_pulsed").pulse_physics
    assert physics is not None
    recovered = (1 / physics.used_share(width) - 1) * math.exp(-gap / physics.gap_time_constant_s)
    return physics.width_factor(width) * (1 + recovered)


def leaking(rng: np.random.Generator) -> Train:
    """Leak of 10 s toward 0.1."""
    done = train(60, 4, rng, shortest_s=0.01, longest_s=1.0, reads=4)
    return Train(**done, slope=0.3, rest=0.1, kept=leak(10.0))


def losing(rng: np.random.Generator) -> Train:
    """Loss in log-time of 0.02 a decade after 1 s."""
    done = train(60, 4, rng, shortest_s=0.1, longest_s=10.0, reads=4)
    return Train(**done, slope=0.3, kept=log_loss(0.02, 1.0))


def of_many_widths(rng: np.random.Generator) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """A train 6 to 300 us apart whose pulses differ in width, and which are usual."""
    done = train(60, 4, rng, shortest_s=6e-6, longest_s=3e-4)
    usual = rng.random(len(done["way"])) < 0.4
    done["width"] = np.where(usual, WIDTH, rng.choice([1.2e-6, 1.6e-6, 2e-6, 5e-6], len(usual)))
    return done, usual


def trapping(rng: np.random.Generator) -> Train:
    """The widths and gaps of `charge_trap_pulsed`."""
    done, _ = of_many_widths(rng)
    return Train(**done, slope=0.3, factor=charge_trap_factor)


def of_nothing(rng: np.random.Generator) -> Train:
    """Widths and gaps, both without effect."""
    done, _ = of_many_widths(rng)
    return Train(**done, slope=0.3)


def of_train(
    make: Callable[[np.random.Generator], Train],
    truths: Mapping[str, float],
    stated: float = 0.8,
) -> Case:
    """40 data sets of three devices under changing conditions."""
    return Case(
        lambda path, seed: write_train(
            path, make(np.random.default_rng(1000 + seed)), seed, devices=3
        ),
        truths,
        40,
        stated=stated,
    )


UNEVEN = 0.6
CASES = {
    "constant": of_preset(
        "gokmen_vlasov", {"levels": 60, "w_max_spread": 0.1, "w_min_spread": 0.1}, 10, 110
    ),
    "linear": of_preset("capacitor", {"levels": 80}, 10, 130),
    "linear, uneven": of_preset("ecram", {"levels": 100}, 10, 190),
    # Noise of 1.8 steps, and bounds that clip it.
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
    """Data sets with an interval of each quantity, and those whose interval holds the truth."""

    asked: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    chosen: Counter[str] = field(default_factory=Counter)
    """Models and terms of the conditions."""

    def add(self, case: Case, seed: int, folder: Path) -> None:
        """Fit one more data set."""
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
                continue  # of the measured part of the range, not of the device
            truth = case.truths[quantity.name]
            slack = max(1e-6 * abs(truth), 1e-9)
            self.asked[quantity.name] += 1
            self.held[quantity.name] += quantity.low - slack <= truth <= quantity.high + slack

    def save(self, case: str, sets: int, file: Path) -> None:
        """Put the counts of a case into a CSV, in place of those that it had."""
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
    """Quantities whose intervals are too rare, or hold the truth too rarely or too often."""
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


LOSS = pytest.mark.xfail(
    reason="the onset of a loss is held in 31 of 40 data sets, and chance asks for 32: a constant "
    "step beside the loss takes some of it (docs/findings/fits.md)"
)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=LOSS) if name == "log-time loss" else name for name in CASES]
)
def test_intervals_hold_the_truth_in_95_percent(
    name: str, tmp_path: Path, coverage_rows: Path | None
) -> None:
    """All data sets of a case count; without a dependence on conditions none is claimed."""
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
