"""Tests settings that vary independently or together, and neuron circuits that have names."""

import pytest

from device_presets import circuit_names, get_circuit
from rpu_ssnn.spec import CircuitSpec
from studies.declaration.study import Study
from support.studies.harness import RATE, SMALL, small_study

IDEAL = {"device": "ideal", "hyperparameters": {"learning_rate": 1.0, "weight_range": 4.0}}


def sweeps(**changes: object) -> list[tuple[str, dict[str, object]]]:
    study = small_study(cases=[RATE, IDEAL], reference="rate", **changes)
    return [(point.label, dict(point.sweep)) for point in study.points()]


def test_settings_together_vary_in_step_and_a_case_takes_those_it_has() -> None:
    together = [{"network.T": [10, 20, 20], "overrides.levels": [100, 100, 200]}]
    assert sweeps(together=together) == [
        ("rate", {"network.T": 10}),
        ("rate", {"network.T": 20}),
        ("ideal", {"network.T": 10, "overrides.levels": 100}),
        ("ideal", {"network.T": 20, "overrides.levels": 100}),
        ("ideal", {"network.T": 20, "overrides.levels": 200}),
    ]


def test_axes_multiply() -> None:
    declared = sweeps(
        sweep={"training.epochs": [1, 2]},
        together=[{"overrides.levels": [100, 200], "overrides.cycle_to_cycle": [0, 0.1]}],
    )
    assert [label for label, _ in declared].count("rate") == 2
    assert [label for label, _ in declared].count("ideal") == 2 * 2


def test_a_number_of_seeds_and_no_question_are_a_study() -> None:
    study = small_study(seeds=3, question="")
    assert study.seeds == small_study(seeds={"count": 3}).seeds == (0, 1, 2)


def test_points_that_differ_in_spelling_alone_are_one() -> None:
    together = [{"training.decay": [1, 1.0], "network.T": [10, 10]}]
    assert len(sweeps(together=together)) == 2  # There is one per case.


def circuits(study: Study) -> set[CircuitSpec]:
    return {point.network.neuron.circuit for point in study.points()}


@pytest.mark.parametrize("name", circuit_names())
def test_a_study_a_case_and_a_sweep_name_a_circuit(name: str) -> None:
    expected, named = CircuitSpec.model_validate(get_circuit(name)), {"neuron": {"circuit": name}}
    assert expected.acts
    in_study = {"network": {**SMALL["network"], **named}, "cases": [RATE]}
    in_case = {"cases": [{**RATE, "network": named}]}
    in_sweep = {"cases": [RATE], "sweep": {"network.neuron.circuit": [name]}}
    for changes in (in_study, in_case, in_sweep):
        assert circuits(small_study(**changes, reference="rate")) == {expected}
    changed = {"neuron": {"circuit": {"like": name, "missed": 0.3}}}
    study = small_study(cases=[{**RATE, "network": changed}], reference="rate")
    assert circuits(study) == {expected.model_copy(update={"missed": 0.3})}
