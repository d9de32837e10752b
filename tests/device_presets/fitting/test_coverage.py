"""Whether the 95 % intervals of a fit hold the truth 95 % of the time, on simulated data sets."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from device_presets import Preset, get_preset
from device_presets.fitting import fit_file
from support.fits import ONE, SWEEP_STEP, ZERO, sweeps, write_pulses
from support.timed import STEP, VOLTS, WIDTH, Train, leak, log_loss, train, write_train

SETS = 200

CASES = {
    # name of the preset, overrides, devices, pulses each way, cycles
    "constant": (
        "gokmen_vlasov",
        {"levels": 60, "w_max_spread": 0.1, "w_min_spread": 0.1},
        10,
        110,
        1,
    ),
    "linear": ("capacitor", {"levels": 80}, 10, 130, 1),
    "linear, uneven": ("ecram", {"levels": 100}, 10, 190, 1),
    "soft bounds, read noise": (
        "reram_sb",
        {
            "levels": 40,
            "cycle_to_cycle": 0.4,
            "write_noise": 1.5,
            "w_max_spread": 0.1,
            "w_min_spread": 0.1,
            "step_spread": 0.1,
        },
        6,
        80,
        1,
    ),
}


def truth(preset: Preset) -> dict[str, float]:
    """What the report should hold, from the preset's own numbers."""
    number = preset.number
    soft = preset.model == "SoftBoundsReferenceDevice"
    linear = preset.model == "LinearStepDevice"
    found = {
        "step": preset.step,
        "states": preset.levels,
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


def coverage(case: str, sets: int, folder: Path, first_seed: int = 0) -> dict[str, float]:
    """Share of data sets whose interval holds the truth, by quantity, where there is one.

    Printed as well: how often which model was chosen.
    """
    name, overrides, devices, pulses, cycles = CASES[case]
    preset = get_preset(name, overrides)
    expected = truth(preset)
    held: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    chosen: Counter[str] = Counter()
    for k in range(sets):
        file = write_pulses(
            folder / "data.csv", preset, devices, pulses, cycles, seed=first_seed + k
        )
        fit = fit_file(file, "mine", weight_zero=ZERO, weight_one=ONE)
        chosen[fit.selection.chosen.model.name] += 1
        for quantity in fit.quantities:
            if quantity.name not in expected or quantity.low is None or quantity.high is None:
                continue
            if "what was measured" in quantity.note or "at least" in quantity.note:
                continue  # of the measured part of the range, not of the device
            asked[quantity.name] += 1
            slack = 1e-6 * abs(expected[quantity.name])
            low, high = quantity.low - slack, quantity.high + slack
            held[quantity.name] += low <= expected[quantity.name] <= high
    shares = {name: held[name] / asked[name] for name in expected if asked[name] >= sets / 2}
    print(f"\n{case}: {dict(chosen)}\n{shares}")
    return shares


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_intervals_hold_the_truth_in_90_to_99_percent(case: str, tmp_path: Path) -> None:
    """A spread's or a soft bound's interval may be certain (1.0): a model that fixes a number
    states it exactly."""
    shares = coverage(case, SETS, tmp_path)
    assert shares
    certain = {name for name in shares if name.startswith("nonlinearity")}
    # 200 draws at 95 % leave 90 to 99 once in a thousand: half a percent of slack.
    outside = {
        name: share
        for name, share in shares.items()
        if not 0.90 <= share <= (1.0 if name in certain else 0.995)
    }
    assert not outside, outside
    assert math.isfinite(sum(shares.values()))


OWN_SETS = 60
OWN_CASES: dict[str, tuple[dict[str, float], dict[str, float]]] = {
    # arguments of ``sweeps``, what the report should hold
    "correlated read noise": (
        {"slow": 3.0, "devices": 4, "pulses": 200, "spread": 0.1, "pulses_of_memory": 8.0},
        {
            "step": SWEEP_STEP,
            "asymmetry": 0.0,
            "cycle_to_cycle": 0.0,
            "correlated read noise": 3.0,
            "correlation length": 8.0,
            "step_spread": 0.1,
        },
    ),
    "noise of the range": (
        {"slow": 0.0, "cycle": 0.5, "devices": 6, "pulses": 150, "spread": 0.1, "uneven": 0.6},
        {
            "step": 0.8 * SWEEP_STEP,
            "asymmetry": 0.4,
            "cycle_to_cycle": 0.5 / math.sqrt((1 + 0.6**2) / 2),
        },
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", OWN_CASES)
def test_intervals_hold_the_truth_of_noises_that_aihwkit_has_not(case: str, tmp_path: Path) -> None:
    """Sixty data sets: of intervals that hold 95 %, fewer than 85 % hold once in a thousand."""
    arguments, expected = OWN_CASES[case]
    of_range = case == "noise of the range"
    held, asked = Counter[str](), Counter[str]()
    for seed in range(OWN_SETS):
        file = sweeps(tmp_path / "data.csv", seed, of_range=of_range, **arguments)  # type: ignore[arg-type]
        for quantity in fit_file(file, "mine", None, ZERO, ONE).quantities:
            if quantity.name in expected and quantity.low is not None and quantity.high is not None:
                asked[quantity.name] += 1
                truth = expected[quantity.name]
                held[quantity.name] += quantity.low - 1e-9 <= truth <= quantity.high + 1e-9
    assert set(asked) == set(expected)
    assert all(held[name] >= 0.85 * asked[name] for name in expected), (held, asked)


def charge_trap_factor(width: float, gap: float, volts: float) -> float:
    """Of `charge_trap_pulsed`, over the isolated pulse of its own width."""
    physics = get_preset("charge_trap_pulsed").pulse_physics
    assert physics is not None
    recovered = (1 / physics.used_share(width) - 1) * math.exp(-gap / physics.gap_time_constant_s)
    return physics.width_factor(width) * (1 + recovered)


def conditioned(case: str, rng: np.random.Generator) -> tuple[Train, dict[str, float]]:
    """A train whose device depends on its conditions, and what the report should hold."""
    if case == "leak":
        done = train(60, 4, rng, shortest_s=0.01, longest_s=1.0, reads=4)
        device = Train(**done, slope=0.3, rest=0.1, kept=leak(10.0))
        return device, {"leak_time_constant_s": 10.0, "reset_level": 0.1, "step": STEP}
    if case == "log-time loss":
        done = train(60, 4, rng, shortest_s=0.1, longest_s=10.0, reads=4)
        device = Train(**done, slope=0.3, kept=log_loss(0.02, 1.0))
        return device, {"loss_per_decade": 0.02, "loss_onset_s": 1.0, "reset_level": 0.0}
    done = train(60, 4, rng, shortest_s=6e-6, longest_s=3e-4)
    usual = rng.random(len(done["way"])) < 0.4
    done["width"] = np.where(usual, WIDTH, rng.choice([1.2e-6, 1.6e-6, 2e-6, 5e-6], len(usual)))
    if case == "charge trap":
        device = Train(**done, slope=0.3, factor=charge_trap_factor)
        numbers = {"width_knee_s": 2e-6, "width_steepness": 4.0, "gap_time_constant_s": 1e-5}
        return device, numbers
    done["volts"] = rng.choice([2.8, VOLTS, 3.2], len(usual))
    if case == "amplitude":
        device = Train(
            **done, slope=0.3, factor=lambda w, g, volts: math.exp((volts - VOLTS) / 0.3)
        )
        return device, {"amplitude_scale_v": 0.3}
    return Train(**done, slope=0.3), {}


CONDITIONED = ("leak", "log-time loss", "charge trap", "amplitude", "none")
CONDITIONED_SETS = 40


def conditioned_coverage(
    case: str, sets: int, folder: Path
) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """How often intervals held the truth, how often there was one, what terms were chosen."""
    held, asked, terms = Counter[str](), Counter[str](), Counter[str]()
    for seed in range(sets):
        device, expected = conditioned(case, np.random.default_rng(1000 + seed))
        file = write_train(folder / "data.csv", device, seed, devices=3)
        fit = fit_file(file, "mine", None, ZERO, ONE)
        terms[", ".join(fit.selection.chosen.fit.layout.history.terms)] += 1
        for quantity in fit.quantities:
            if quantity.name in expected and quantity.low is not None and quantity.high is not None:
                asked[quantity.name] += 1
                held[quantity.name] += quantity.low <= expected[quantity.name] <= quantity.high
    print(f"\n{case}: {dict(terms)}\nheld {dict(held)}\nasked {dict(asked)}")
    return held, asked, terms


@pytest.mark.slow
@pytest.mark.parametrize("case", CONDITIONED)
def test_intervals_hold_the_truth_of_time_width_and_amplitude(case: str, tmp_path: Path) -> None:
    """Forty data sets: of intervals that hold 95 %, fewer than 83 % hold once in a thousand.
    Without a dependence none is claimed in nine of ten."""
    held, asked, terms = conditioned_coverage(case, CONDITIONED_SETS, tmp_path)
    _, expected = conditioned(case, np.random.default_rng(0))
    if not expected:
        assert terms[""] >= 0.9 * CONDITIONED_SETS, terms
    for name in expected:
        assert asked[name] >= 0.8 * CONDITIONED_SETS, (asked, terms)
        assert held[name] >= 0.83 * asked[name], (held, asked)
