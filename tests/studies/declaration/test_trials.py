"""Tests the expansion of a study into trials, and what the identity of a trial depends on."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.spec import NetworkSpec, TrainingSpec
from rpu_ssnn.spec.array_physics import LinesSpec, RetentionSpec
from rpu_ssnn.spec.tile import ReferenceSpec, TileSpec
from rpu_ssnn.version import NUMERICS_VERSION
from studies.declaration import trial as trial_module
from studies.declaration.devices import RECORD_ONLY
from studies.declaration.hyperparameters import hyperparameters_of, known_hyperparameters
from studies.declaration.shipped import KEPT_RECORDS, find_study, shipped_files
from studies.declaration.study import Study
from studies.declaration.trial import DatasetSettings, Trial, TrialSettings
from studies.declaration.update_rules.ann import SgdSpec
from studies.reproductions.training.one_by_one_spec import WholePulseSpec
from support.studies.harness import DRIVE, RATE, SMALL, small_study, trial_of_case
from support.studies.harness import declared_trials as trials

IDEAL: dict[str, Any] = {"device": "ideal", "hyperparameters": DRIVE}


def settings_of(study: Study, label: str) -> TrialSettings:
    return next(trial.settings for trial in trials(study) if trial.label == label)


def test_each_case_gets_each_seed() -> None:
    order = [(trial.label, trial.settings.seed) for trial in trials(small_study(seeds=[4, 2]))]
    labels = ("ann", "rate", "coincidence")
    assert order == [(label, seed) for label in labels for seed in (4, 2)]


def test_a_case_changes_the_shared_settings_leaf_by_leaf() -> None:
    network = {"T": 30, "neuron": {"theta": 7.0}}
    case = {"update": "rate", "learning_rate": 1, "network": {"neuron": {"theta_b": 2.0}}}
    settings = settings_of(small_study(network=network, cases=[case]), "rate")
    assert settings.network.T == 30
    assert settings.network.neuron.theta == 7.0
    assert settings.network.neuron.theta_b == 2.0


def test_the_sweep_is_a_grid_over_the_cases_it_applies_to() -> None:
    fixed = {**IDEAL, "label": "fixed", "network": {"T": 15}}
    cases = [{"update": "ann", "learning_rate": 0.1}, RATE, IDEAL, fixed]
    sweep = {"network.T": [20, 50], "overrides.cycle_to_cycle": [0, 0.3]}
    study = small_study(cases=cases, sweep=sweep, seeds=[0])
    points = [(trial.label, *(value for _, value in trial.sweep)) for trial in trials(study)]
    assert points[:3] == [("ann",), ("rate", 20), ("rate", 50)]
    assert points[3:7] == [("ideal", T, noise) for T in (20, 50) for noise in (0, 0.3)]
    assert points[7:] == [("fixed", 0), ("fixed", 0.3)]
    swept = next(trial for trial in trials(study) if trial.sweep[-1:] == (("network.T", 50),))
    assert swept.settings.network.T == 50


def test_a_drive_can_be_swept() -> None:
    case = {"device": "ideal", "hyperparameters": {"learning_rate": 1.0}}
    study = small_study(cases=[case], sweep={"hyperparameters.weight_range": [2, 4]}, seeds=[0])
    assert study.reference_label == "ideal", "a single case is the reference"
    ranges = [trial.settings.method.tile.weight_range for trial in trials(study)]  # type: ignore[union-attr]
    assert ranges == [2, 4]


def test_ann_does_not_run_again_for_settings_it_does_not_have() -> None:
    def ann(**changes: Any) -> str:
        return next(
            trial.identity for trial in trials(small_study(**changes)) if trial.label == "ann"
        )

    assert ann() == ann(network={"hidden": [8], "T": 99})
    assert ann() == ann(training={"epochs": 1, "schedule": "presentation", "decay": 0.5})
    assert ann() != ann(network={"hidden": [9]})
    assert ann() != ann(training={"epochs": 1, "dropout_input": 0.1})


def test_a_case_may_have_seeds_of_its_own() -> None:
    once = {**RATE, "label": "once", "seeds": [7]}
    counted = {**RATE, "label": "x", "seeds": {"count": 3}}
    runs = trials(small_study(cases=[RATE, once, counted], reference="rate"))
    assert [(trial.label, trial.settings.seed) for trial in runs] == [
        ("rate", 0), ("rate", 1), ("once", 7), ("x", 0), ("x", 1), ("x", 2),
    ]  # fmt: skip


def test_names_are_no_part_of_the_identity() -> None:
    renamed = [{**case, "label": f"my {case['update']}"} for case in SMALL["cases"]]
    before, after = trials(small_study()), trials(small_study(study="other", cases=renamed))
    assert [trial.identity for trial in before] == [trial.identity for trial in after]
    assert [trial.label for trial in before] != [trial.label for trial in after]


WORDS = """
    zero slot first_spike floored reference_device pulsed mse low mnist high regular reference
    linear on_off each shuffled native two relu one stochastic at_once gradient
"""


def other_values(value: object) -> list[object]:
    """Returns other values that a field with this value might take; the model decides which are
    valid."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1]
    if isinstance(value, float):
        return [value * 0.75, value * 1.5] if value else [0.25]
    if value is None:
        layers = [{"conv": {"kernel": 3, "channels": 4}}]
        return [0.25, 4, {}, "other.npz", {"lines": 700}, layers, [2, 2, 1]]
    if isinstance(value, tuple):
        return [(*value, 3)]
    if isinstance(value, Path):
        return [value.with_name("other.npz")]
    return WORDS.split()


def leaves(model: BaseModel, path: str = "") -> set[str]:
    """Returns the dotted names of all settings."""
    paths: set[str] = set()
    for name in type(model).model_fields:
        value = getattr(model, name)
        part = f"{path}{name}"
        paths |= leaves(value, f"{part}.") if isinstance(value, BaseModel) else {part}
    return paths


def variants(model: BaseModel, path: str = "") -> list[tuple[str, BaseModel]]:
    """Returns the model with each of its leaves changed, one at a time; changes that the model
    refuses are left out."""
    models: list[tuple[str, BaseModel]] = []
    for name in type(model).model_fields:
        value = getattr(model, name)
        changed: list[tuple[str, BaseModel]] = []
        if isinstance(value, BaseModel):
            inner = variants(value, f"{path}{name}.")
            changed = [(at, BaseModel.model_copy(model, update={name: one})) for at, one in inner]
        else:
            for other in other_values(value):
                try:
                    new = type(model).model_validate({**dict(model), name: other})
                except ValueError:
                    continue
                changed = [(f"{path}{name}", new)]
                break
        models += changed
    return models


@pytest.mark.parametrize(
    ("section", "model"),
    [
        ("dataset", DatasetSettings(name="mine", file=Path("mine.npz"), n_train=9, n_test=5)),
        ("network", NetworkSpec()),
        ("training", TrainingSpec()),
    ],
)
def test_every_shared_setting_is_part_of_the_identity(section: str, model: BaseModel) -> None:
    settings = settings_of(small_study(), "rate")
    seen = {identity_of(settings.model_copy(update={section: model}))}
    assert {leaf for leaf, _ in variants(model)} == leaves(model)
    for leaf, changed in variants(model):
        identity = identity_of(settings.model_copy(update={section: changed}))
        assert identity not in seen, leaf
        seen.add(identity)


LINES = LinesSpec(on_resistance=1e5, voltage_constant=0.1)  # A resistance needs both of these.
TILES = (
    TileSpec(simulator="native", lines=LINES),
    TileSpec(reference=ReferenceSpec(scheme="reference_device")),
    TileSpec(simulator="native", retention=RetentionSpec(loss_per_decade=0.02)),
    TileSpec(simulator="native", retention={"temperature_k": 350, "activation_energy_ev": 0.5}),
)
"""Some settings need others; with these specs every setting can be changed."""


@pytest.mark.parametrize(
    ("field", "models"),
    [("tile", TILES), ("sgd", (SgdSpec(),)), ("online", (WholePulseSpec(),))],
    ids=["tile", "sgd", "online"],
)
def test_all_settings_of_a_method_identify_it(field: str, models: tuple[BaseModel, ...]) -> None:
    changes = [(leaf, changed) for model in models for leaf, changed in variants(model)]
    assert {leaf for leaf, _ in changes} == leaves(models[0])
    case: dict[str, Any] = {
        "tile": IDEAL,
        "sgd": {"update": "ann", "learning_rate": 1.0},
        "online": {**IDEAL, "update": "whole_pulse_sgd", "tile": {"simulator": "native"}},
    }[field]
    settings = trial_of_case(case).settings
    seen = set()
    expected = {repr(model): model for model in (*models, *(changed for _, changed in changes))}
    for name, changed in expected.items():
        method = BaseModel.model_copy(settings.method, update={field: changed})
        identity = identity_of(settings.model_copy(update={"method": method}))
        assert identity not in seen, name
        seen.add(identity)


@pytest.mark.parametrize(
    "changes",
    [
        {"hyperparameters": {"weight_range": 8.0, "learning_rate": 1.5}},
        {"hyperparameters": {"weight_range": 9.0, "learning_rate": 1.0}},
        {"overrides": {"cycle_to_cycle": 0.1}},
        {"device": "charge_trap"},
    ],
)
def test_every_setting_of_a_device_case_is_part_of_the_identity(changes: dict[str, Any]) -> None:
    assert trial_of_case(IDEAL | changes).identity != trial_of_case(IDEAL).identity


def test_seed_measure_and_numerics_version_are_in_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(small_study(), "rate")
    before = identity_of(settings)
    assert identity_of(settings.model_copy(update={"seed": 77})) != before
    assert identity_of(settings.model_copy(update={"measure": "validation"})) != before
    monkeypatch.setattr(trial_module, "NUMERICS_VERSION", -1)
    assert identity_of(settings) != before


def test_an_edited_preset_makes_another_unit() -> None:
    settings = trial_of_case(IDEAL).settings
    parameters = settings.method.parameters | {"w_max": 1.1}
    edited = settings.method.model_copy(update={"parameters": parameters})
    assert identity_of(settings) != identity_of(settings.model_copy(update={"method": edited}))


def identity_of(settings: TrialSettings) -> str:
    return Trial("study", "label", (), settings).identity


KEPT_STUDIES = [path.parent.name for path in sorted(KEPT_RECORDS.glob("*/study.yaml"))]


@pytest.mark.parametrize("name", [*shipped_files(), *KEPT_STUDIES])
def test_studies_are_valid_and_named_after_their_file_or_record(name: str) -> None:
    study = find_study(name)
    assert study.study == name
    hyperparameters = known_hyperparameters(study)
    assert all(hyperparameters_of(point, hyperparameters) for point in study.points())


def test_the_shipped_mnist_study_has_all_devices_that_move_both_ways() -> None:
    """Exceptions have studies of their own: devices that remember their pulses, which are slower,
    and those of published tables (`peers`). Variants of a preset may be left out."""
    from device_presets import get_preset, preset_names

    presets = map(get_preset, (n for n in preset_names() if not n.startswith("neurosim_")))
    both_ways = {p.name for p in presets if p.bidirectional and p.pulse_physics is None}
    variants = {name for name in both_ways if any(name.startswith(f"{n}_") for n in both_ways)}
    shown = {case.name for case in find_study("mnist_devices").cases}
    shown -= {"ann", "rate", "coincidence"}
    assert both_ways - variants <= shown <= both_ways


def test_what_no_run_reads_is_no_part_of_an_identity() -> None:
    """Energy, endurance and the like have no aihwkit field, and the leak is not one of them."""
    from device_presets import get_preset

    for name in ("ideal", "capacitor", "reram_es", "ecram", "hfo2"):
        parameters = get_preset(name).law.parameters
        for record in RECORD_ONLY:
            assert parameters[record].aihwkit_name is None
        assert "leak_time_constant_s" not in RECORD_ONLY

    def identity(device: str = "capacitor", **overrides: float) -> str:
        native = {"tile": {"simulator": "native"}, "hyperparameters": DRIVE}
        return trial_of_case({"device": device, "overrides": overrides, **native}).identity

    assert identity() == identity(energy_per_pulse_j=1e-15)
    assert identity() == identity(pulse_width_s=1e-7)
    assert identity() != identity(cycle_to_cycle=0.1)
    assert identity() != identity(leak_time_constant_s=1.0)
    trap = "charge_trap_pulsed"
    assert identity(trap) == identity(trap, energy_per_pulse_j=1e-15)
    assert identity(trap) != identity(trap, pulse_width_s=4e-6), "its step follows the width"


def test_a_number_has_one_identity_however_it_is_spelt() -> None:
    def trial_with(levels: object) -> Trial:
        return trial_of_case({**IDEAL, "overrides": {"levels": levels}})

    assert trial_with(100.0).identity == trial_with(100).identity
    assert trial_with(100.0).settings_json == trial_with(100).settings_json
    assert trial_with(101).identity != trial_with(100).identity


def test_runs_from_before_keep_their_identity() -> None:
    """Stored overrides may have the spelling of the study."""
    trial = trial_of_case({**IDEAL, "overrides": {"levels": 100}})
    stored = trial.settings.model_dump(mode="json")
    for levels in (100, 100.0, "100"):
        stored["method"]["overrides"] = {"levels": levels}
        assert trial_module.stored_identity(stored, NUMERICS_VERSION) == trial.identity


def test_an_infinite_override_can_be_stored() -> None:
    overrides = {"leak_time_constant_s": float("inf")}
    trial = trial_of_case({**IDEAL, "device": "capacitor", "overrides": overrides})
    assert json.loads(trial.settings_json)["method"]["overrides"] == {"leak_time_constant_s": "inf"}


def test_a_copied_study_has_points_of_its_own() -> None:
    study = small_study()
    assert len(study.points()) == len(study.points()) == 3
    assert len(study.model_copy(update={"cases": study.cases[:2]}).points()) == 2
    with pytest.raises(InputError, match="seeds: 'x'"):
        study.model_copy(update={"seeds": "x"}, deep=True)
    with pytest.raises(InputError, match="NetworkSpec: T: -5 is not allowed"):
        study.network.model_copy(update={"T": -5})


def test_a_study_without_ending_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mnist_quik.yaml").touch()
    with pytest.raises(InputError, match=r"; did you mean mnist_quik\.yaml\? must be a YAML file"):
        find_study("mnist_quik")
    (tmp_path / "measured").mkdir()
    with pytest.raises(InputError, match="study: 'measured' is not allowed; must be a YAML file"):
        find_study("measured")
