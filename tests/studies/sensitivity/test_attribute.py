"""Tests attribution on fake trainings in which every effect is known."""

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from device_presets import get_preset, preset_names, pulse_response
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.spec.array_physics import RetentionSpec
from studies.declaration.cases import Case
from studies.declaration.update_rules.pulses import PulseRule
from studies.execution.phase import Outcome
from studies.sensitivity.attribution import (
    INTERACTION,
    REMAINING,
    SUM,
    TOTALS,
    WHOLE,
    all_trainings,
    attribute,
)
from studies.sensitivity.device_question import accuracy_by_seed, ask, differences
from studies.sensitivity.imperfections import imperfections, settings_of, switched_off
from support.device_presets.own_presets import write_own_presets
from support.studies.harness import DRIVE, RATE, declared_trials, in_device, small_study
from support.studies.question_fakes import FakeRun, device_study

NOISY_READS = {
    "stuck_share": 0.1,
    "reads": {"read_noise": 0.5, "adc_bits": 6, "adc_bound": 20.0},
    "reference": {"scheme": "reference_device", "spread": 0.2, "on_off_ratio": 10.0},
    "initial": "pulsed",
}


def additive(parameters: dict[str, Any], method: PulseRule) -> float:
    """Returns a loss of 4 points for cycle-to-cycle noise, 2 for the leak, 1 for the spread of
    bounds and 0.5 for the step."""
    loss = 4.0 * parameters["cycle_to_cycle"] / 0.3
    loss += 2.0 if parameters["leak_time_constant_s"] != "inf" else 0.0
    loss += parameters["w_max_spread"] / 0.07
    return loss + 0.5 * 400 / parameters["levels"]


def test_a_sum_of_effects_is_taken_apart_exactly() -> None:
    run = FakeRun(additive)
    attribution = attribute(device_study(), "capacitor", run)
    table = attribution.table.set_index("imperfection")
    expected = {
        "cycle_to_cycle": 4.0,
        "leak": 2.0,
        "bounds_spread": 1.0,
        "finite_step": 0.5 * 0.75,  # Thinned to a quarter, it may have four times as many levels.
        "step_spread": 0.0,
    }
    for name, effect in expected.items():
        assert table.loc[name, "recovered"] == pytest.approx(effect, abs=1e-9)
        assert table.loc[name, "lost"] == pytest.approx(effect, abs=1e-9)
        assert table.loc[name, "recovered_ci"] == pytest.approx(0.0, abs=1e-9)
    assert list(attribution.table["imperfection"][:4]) == list(expected)[:4]
    assert "a finer step also shrinks cycle_to_cycle, counted in steps" in attribution.notes[1]
    assert table.loc["leak", "value"].startswith("leak_time_constant_s 2000")
    assert table.loc[SUM, "recovered"] == pytest.approx(7.375)
    assert table.loc[WHOLE, "lost"] == pytest.approx(7.375)
    assert table.loc[INTERACTION, "recovered"] == pytest.approx(0.0, abs=1e-9)
    assert table.loc[INTERACTION, "recovered_p_holm"] == 1.0


def test_a_finer_step_leaves_write_noise_its_size_in_weight() -> None:
    case = in_device("reram_es", overrides={"levels": 100})
    has = settings_of(case)
    assert has["overrides.write_noise"] > 0
    off = {"finite_step": {"overrides.levels": 400.0}, "write_noise": {"overrides.write_noise": 0}}
    finer = settings_of(switched_off(case, off, ["finite_step"]))
    assert finer["overrides.write_noise"] == pytest.approx(4 * has["overrides.write_noise"])
    assert finer["overrides.cycle_to_cycle"] == has["overrides.cycle_to_cycle"]
    assert settings_of(switched_off(case, off, off))["overrides.write_noise"] == 0


def test_the_trainings_are_known_before_any_runs_and_are_those_that_run() -> None:
    run, study = FakeRun(additive), device_study()
    before = all_trainings(study, "capacitor", lambda _: Outcome([], []))
    attribute(study, "capacitor", run)
    after = all_trainings(study, "capacitor", run)
    assert [case.name for case in before.cases] == [case.name for case in after.cases]
    assert {trial.identity for trial in declared_trials(after)} == set(run.done)


def test_an_interaction_is_said_in_numbers() -> None:
    def loss(parameters: dict[str, Any], method: PulseRule) -> float:
        """Returns a loss of 3 points for noise, but only if the device also leaks."""
        leaks = parameters["leak_time_constant_s"] != "inf"
        return 3.0 * leaks * (parameters["cycle_to_cycle"] > 0)

    attribution = attribute(device_study(), "capacitor", FakeRun(loss, noise=0.01))
    table = attribution.table.set_index("imperfection")
    for name in ("leak", "cycle_to_cycle"):
        assert table.loc[name, "recovered"] == pytest.approx(3.0, abs=0.05)
        assert table.loc[name, "lost"] == pytest.approx(0.0, abs=0.05)
        assert table.loc[name, "entangled_p_holm"] < 0.01
    assert table.loc[INTERACTION, "recovered"] == pytest.approx(-3.0, abs=0.1)
    assert table.loc[INTERACTION, "lost"] == pytest.approx(3.0, abs=0.1)
    text = "\n".join(attribution.notes)
    assert table.loc[SUM, "recovered"] == pytest.approx(6.0, abs=0.1)
    assert table.loc[WHOLE, "recovered"] == pytest.approx(3.0, abs=0.1)
    assert (table.loc[INTERACTION, ["recovered_p_holm", "lost_p_holm"]] < 0.01).all()
    assert text.count("interacts with the others") == 2


def test_what_remains_with_all_off_is_a_row() -> None:
    """No imperfection explains two of the points, which are lost even with all of them off."""
    run = FakeRun(lambda p, m: additive(p, m) + 2.0, noise=0.001)
    attribution = attribute(device_study(), "capacitor", run)
    remaining = attribution.table.set_index("imperfection").loc[REMAINING]
    thinned = 0.5 * 0.25  # This is due to the finest step that still gives the learning rate.
    assert remaining["lost"] == pytest.approx(2.0 + thinned, abs=0.01)
    assert remaining["lost_n"] == 5
    said = "is 9.50 ± 0.00 points below the reference; with all off, 2.13 ± 0.00 re"
    assert said in attribution.sentence
    assert math.isnan(remaining["recovered"])
    assert remaining["lost_p_holm"] < 0.001
    none = attribute(device_study(), "capacitor", FakeRun(additive, noise=1.0, salt=1))
    assert none.table.set_index("imperfection").loc[REMAINING, "lost_p_holm"] > 0.05


def test_the_gap_is_that_of_the_seeds_of_device_and_reference() -> None:
    """Other seeds failed with all imperfections off."""
    burnt = {("all off", 0), ("as it is", 1)}
    run = FakeRun(additive, noise=1.0, fails=lambda t: (t.label, t.settings.seed) in burnt)
    study = device_study()
    found, asked = attribute(study, "capacitor", run), ask(study, "capacitor")
    runs = run(asked.study_of("attribute", [asked.case])).runs
    both = differences(accuracy_by_seed(runs, "rate"), accuracy_by_seed(runs, "as it is"))
    assert set(both) == {0, 2, 3, 4}
    assert f"is {np.mean([*both.values()]):.2f} ± " in found.sentence


def test_a_finer_step_also_disturbs_less() -> None:
    tile = {"simulator": "native", "half_select": {"gradient": 1e-3}}
    case = in_device("ideal", tile=tile)
    assert imperfections(case, 0.25)[1] == [
        "finite_step: a finer step also shrinks half_select, counted in steps"
    ]


def test_the_sentence_names_every_significant_cost_of_either_kind() -> None:
    def loss(parameters: dict[str, Any], method: PulseRule) -> float:
        """Returns 4 points for noise, and 2 for leak and spread of bounds together: switching off
        only one of these two recovers nothing."""
        leaks = parameters["leak_time_constant_s"] != "inf"
        hidden = 2.0 * max(leaks, parameters["w_max_spread"] > 0)
        return 4.0 * (parameters["cycle_to_cycle"] > 0) + hidden

    attribution = attribute(device_study(), "capacitor", FakeRun(loss, noise=0.05))
    off, on = re.findall(r"Switched (?:off|on) alone, .*?: (.*?)\.(?= |$)", attribution.sentence)
    assert re.fullmatch(r"cycle_to_cycle [\d.± +]+", off)
    named = re.findall(r"(\w+) \+\d\.\d\d ± ", on)
    assert named[0] == "cycle_to_cycle"
    assert set(named[1:]) == {"leak", "bounds_spread"}


def test_what_is_only_noise_is_not_significant() -> None:
    attribution = attribute(device_study(), "capacitor", FakeRun(lambda p, m: 2.0, noise=0.5))
    effects = attribution.table.iloc[: -len(TOTALS)]
    assert (effects["recovered_p_holm"] > 0.05).all()
    assert (effects["recovered_ci"] > 0).all()
    assert attribution.sentence.startswith("No single imperfection has a significant cost")
    assert effects["recovered_n"].eq(5).all()
    assert re.search(r"At this spread, it would take \d+ seeds or more", attribution.sentence)
    alike = attribute(device_study(), "capacitor", FakeRun(lambda p, m: 2.0))
    assert re.search("alone, cycle_to_cycle, .*finite_step each recover most", alike.sentence)


def test_the_drive_is_held_and_the_units_are_no_more_than_needed() -> None:
    run = FakeRun(additive)
    attribution = attribute(device_study(), "capacitor", run)
    drives = {
        (trial.settings.method.learning_rate, trial.settings.method.tile.weight_range)
        for trial in run.done.values()
        if isinstance(trial.settings.method, PulseRule)
    }
    assert drives == {(1.0, 8.0)}
    assert attribution.notes[0].startswith("every change keeps the hyperparameters")
    n = len(attribution.table) - len(TOTALS)
    # The first round is reference and device; the second is all off, and two runs per imperfection.
    assert run.rounds == [10, 5 * (1 + 2 * n)]
    attribute(device_study(), "capacitor", run)
    assert run.rounds[2:] == [0, 0]


def test_a_failed_unit_costs_its_seed_only() -> None:
    run = FakeRun(additive, fails=lambda u: u.title == "without leak seed 3")
    attribution = attribute(device_study(), "capacitor", run)
    table = attribution.table.set_index("imperfection")
    assert table.loc["leak", "recovered_n"] == 4
    assert table.loc["leak", "lost_n"] == 5
    assert table.loc[SUM, "recovered_n"] == 4
    assert [failure.message for failure in attribution.failures] == ["burnt"]


def test_a_device_without_runs_has_an_empty_table() -> None:
    failing = FakeRun(additive, fails=lambda u: "is" in u.title)
    attribution = attribute(device_study(), "capacitor", failing)
    assert attribution.table.empty
    assert len(attribution.failures) == 5


def test_the_step_is_left_out_where_every_coincidence_makes_its_pulse() -> None:
    attribution = attribute(device_study("ideal"), "ideal", FakeRun(lambda p, m: 1.0, thinning=1.0))
    assert attribution.table.empty
    assert "finer step would only lower the learning rate" in "\n".join(attribution.notes)
    assert "no imperfection that can be switched off" in attribution.notes[-1]


def test_a_device_is_found_by_label_by_preset_or_taken_from_the_library() -> None:
    study = device_study(case={"label": "leaky", "overrides": {"cycle_to_cycle": 0.1}})
    assert ask(study, "leaky").case == ask(study, "capacitor").case
    assert ask(study, "leaky").case.device_rule.overrides == {"cycle_to_cycle": 0.1}
    assert ask(study, "ecram").case == in_device(device="ecram", label="as it is")
    for device in ("table(ENODe)", "charge_trap_pulsed"):  # Only this simulator has them.
        assert ask(study, device).case.written["tile"] == {"simulator": "native"}
    with pytest.raises(
        InputError, match=r"^small\.yaml: --device: 'capacitr'.*did you mean capacitor"
    ):
        ask(study, "capacitr")
    with pytest.raises(InputError, match=r"'network.T' .* must be one value under `network`"):
        ask(device_study(network={"hidden": [8]}, sweep={"network.T": [10, 20]}), "ecram")
    assert ask(device_study(sweep={"network.T": [10, 20]}), "ecram")  # T is 10 without the sweep.


@pytest.mark.parametrize("device", ["lab.yaml", "lab.yaml:lab_hzo"])
@pytest.mark.parametrize("asked", ["lab.yaml", "lab.yaml:lab_hzo", "lab_hzo"])
def test_a_device_of_a_file_is_found_by_its_entry(asked: str, device: str, tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text("lab_hzo: {like: ecram, description: x, citation: y}")
    study = small_study(tmp_path, cases=[RATE, {"device": device, "hyperparameters": DRIVE}])
    case = ask(study, asked).case
    assert case.rule.hyperparameters.learning_rate == DRIVE["learning_rate"]


def test_two_cases_with_the_device_are_told_apart_by_label() -> None:
    noisy = {"device": "ideal", "hyperparameters": DRIVE, "overrides": {"cycle_to_cycle": 1.0}}
    plain = {"device": "ideal", "hyperparameters": DRIVE, "label": "plain"}
    study = device_study(cases=[RATE, {**noisy, "label": "noisy"}, plain])
    with pytest.raises(InputError, match="one of noisy, plain, as several cases have this device"):
        ask(study, "ideal")
    assert ask(study, "noisy").case.device_rule.overrides == {"cycle_to_cycle": 1.0}


def all_off(device: str, **case: Any) -> Case:
    whole = in_device(device=device, **case)
    off, _ = imperfections(whole, thinning=0.5)
    return switched_off(whole, off, off)


@pytest.fixture
def devices(tmp_path: Path) -> list[str]:
    path = write_own_presets(tmp_path)
    shipped = [name for name in preset_names() if get_preset(name).bidirectional]
    return [*shipped, f"{path}:power", f"{path}:piecewise"]


def test_a_device_with_all_off_takes_equal_steps_up_and_down(devices: list[str]) -> None:
    """The neutral values are neutral on real aihwkit tiles, at every weight and in both
    directions."""
    for device in devices:
        case = all_off(device)
        overrides = {**case.device_rule.overrides, "levels": 40}
        preset = get_preset(device, overrides)
        assert preset.noise_free
        assert not preset.leaks
        pulses = pulse_response(preset, n_devices=4, n_up=30, n_down=20)
        weights = pulses.pivot(index="pulse", columns="device", values="weight").to_numpy()
        steps = np.diff(np.vstack([np.full((1, 4), preset.w_min), weights]), axis=0)
        signs = np.repeat([1.0, -1.0], [30, 20])[:, None]
        np.testing.assert_allclose(steps * signs, preset.step, rtol=1e-3, err_msg=device)


def test_the_table_covers_what_presets_and_tiles_can_do_wrong(devices: list[str]) -> None:
    """With all off, only range, step, facts and named remedies differ from an ideal device."""
    harmless = {
        *("step", "levels", "w_max", "w_min", "failed_range", "reset_level", "reset_spread"),
        *("step_spread_log_normal", "noise_scales_with_step", "slope_from_mean_bounds"),
        *("subtract_symmetry_point", "gamma_up", "gamma_down", "a", "b"),
        *("cycle_to_cycle_offset", "cycle_to_cycle_slope", "leak_time_constant_spread"),
        *("pulse_width_s", "pulse_period_s", "longest_wait_s", "energy_per_pulse_j"),
        *("endurance_cycles", "on_off_ratio", "step_width_s", "width_knee_s", "width_steepness"),
        "loss_onset_s",
    }
    for device in devices:
        for path, value in settings_of(all_off(device)).items():
            section, _, name = path.partition(".")
            if section == "overrides" and name not in harmless:
                assert value in (0.0, "inf", (1.0, 1.0), False), (device, path)
    tile = settings_of(all_off("ideal", tile=NOISY_READS))
    plain = settings_of(in_device(device="ideal", tile={}))
    tile_only = {path: value for path, value in tile.items() if path.startswith("tile.")}
    different = {path for path, value in tile_only.items() if value != plain.get(path)}
    # Without spread a reference device equals the ideal reference.
    assert different == {"tile.reference.scheme", "tile.reference.spread"}
    assert tile["tile.reads"] is None


def test_tile_imperfections_are_switched_one_by_one() -> None:
    case = in_device(device="ideal", tile=NOISY_READS)
    off, _ = imperfections(case, thinning=0.5)
    assert set(off) == {
        *("stuck_share", "read_noise", "converters", "on_off_ratio"),
        *("reference_spread", "pulsed_start", "finite_step"),
    }
    quiet = settings_of(switched_off(case, off, {"read_noise"}))
    assert quiet["tile.reads.read_noise"] == 0.0
    assert quiet["tile.reads.adc_bits"] == 6
    finer = switched_off(case, off, {"finite_step"}).device_rule
    assert finer.overrides == {"levels": 2400.0}


def test_resistive_lines_are_switched_off_by_their_resistance() -> None:
    lines = {"ohm_per_cell": 2.0, "on_resistance": 1e5, "voltage_constant": 0.1}
    case = in_device(device="ideal", tile={"simulator": "native", "lines": lines})
    off, _ = imperfections(case, thinning=None)
    assert off == {"lines": {"tile.lines.ohm_per_cell": 0.0}}
    ideal = switched_off(case, off, {"lines"}).written["tile"]["lines"]
    assert ideal == lines | {"ohm_per_cell": 0.0, "array_side": None}


def test_a_device_without_its_leak_is_not_stored() -> None:
    case = in_device(device="capacitor", tile={"storage_seconds": 100.0})
    off, _ = imperfections(case, thinning=0.5)
    assert switched_off(case, off, {"leak"}).device_rule.tile.storage_seconds == 0.0
    assert switched_off(case, off, set(off) - {"leak"}).device_rule.tile.storage_seconds == 100.0


def test_a_device_without_its_law_of_loss_is_neither_stored_nor_hot() -> None:
    tile = {
        "simulator": "native",
        "storage_seconds": 100.0,
        "retention": {"exponent": 0.1, "temperature_k": 350.0, "activation_energy_ev": 1.0},
        "device_read_noise": {"slow_of_range": 0.01, "slow_levels": "two"},
        "read_disturb": {"forward_up": 1e-3},
    }
    case = in_device(device="ideal", tile=tile)
    off, _ = imperfections(case, thinning=0.5)
    assert {"retention", "device_read_noise", "read_disturb"} <= set(off)
    plain = switched_off(case, off, {"retention"}).device_rule.tile
    assert (plain.storage_seconds, plain.retention) == (0.0, RetentionSpec())
    assert plain.device_read_noise.slow_of_range == 0.01
    kept = switched_off(case, off, set(off) - {"retention"}).device_rule.tile
    assert kept.retention == RetentionSpec.model_validate(tile["retention"])
    assert not kept.device_read_noise.slow_of_range
    assert not kept.read_disturb.acts


def test_heat_goes_with_the_preset_s_own_leak() -> None:
    heat = {"temperature_k": 350.0, "activation_energy_ev": 1.0}
    case = in_device(device="capacitor", tile={"simulator": "native", "retention": heat})
    off, _ = imperfections(case, thinning=0.5)
    assert switched_off(case, off, {"retention"}).device_rule.overrides == {}
    plain = switched_off(case, off, {"leak"}).device_rule.tile
    assert plain.retention == RetentionSpec()


@pytest.mark.parametrize("device", ["reram_sb", "hfo2", "tiki_taka(reram_sb)"])
def test_soft_bounds_are_switched_off_alone(device: str) -> None:
    """The step no longer falls toward the bounds, and nothing else of the device changes."""
    run = FakeRun(lambda p, _: 3 * p.get("slope_up", 1))
    attribution = attribute(device_study(device), device, run)
    row = attribution.table.set_index("imperfection").loc["nonlinearity"]
    assert (row["recovered"], row["lost"]) == pytest.approx((3.0, 3.0))
    own = {"reference_spread": 0.1} if device == "hfo2" else {}
    whole = in_device(device=device, overrides=own)
    off, _ = imperfections(whole, thinning=0.5)
    has, alone = settings_of(whole), settings_of(switched_off(whole, off, {"nonlinearity"}))
    changed = {path for path in alone if alone[path] != has[path]}
    assert changed == {"overrides.slope_up", "overrides.slope_down"}
