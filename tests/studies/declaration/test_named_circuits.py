"""Tests published neuron circuits that a study refers to by name."""

import pytest

from device_presets import circuit_names, get_circuit
from rpu_ssnn.spec import CircuitSpec
from studies.declaration.study import Study
from support.studies.harness import RATE, SMALL, small_study


def circuits(study: Study) -> set[CircuitSpec]:
    return {point.network.neuron.circuit for point in study.points()}


@pytest.mark.parametrize("name", circuit_names())
def test_a_study_a_case_and_a_sweep_name_a_circuit(name: str) -> None:
    wanted, named = CircuitSpec.model_validate(get_circuit(name)), {"neuron": {"circuit": name}}
    assert wanted.acts
    in_study = {"network": {**SMALL["network"], **named}, "cases": [RATE]}
    in_case = {"cases": [{**RATE, "network": named}]}
    in_sweep = {"cases": [RATE], "sweep": {"network.neuron.circuit": [name]}}
    for changes in (in_study, in_case, in_sweep):
        assert circuits(small_study(**changes, reference="rate")) == {wanted}
    changed = {"neuron": {"circuit": {"like": name, "missed": 0.3}}}
    found = small_study(cases=[{**RATE, "network": changed}], reference="rate")
    assert circuits(found) == {wanted.model_copy(update={"missed": 0.3})}
