"""Ranges, settings that vary in step, and samples."""

from typing import Any

import pytest

from rpu_ssnn.common.errors import InputError
from studies.declaration.points import Range
from support.studies.harness import small_study

RATE = {"update": "rate", "learning_rate": 1.0}
IDEAL = {"device": "ideal", "hyperparameters": {"learning_rate": 1.0, "weight_range": 4.0}}


def sweeps(**changes: object) -> list[tuple[str, dict[str, object]]]:
    study = small_study(cases=[RATE, IDEAL], reference="rate", **changes)
    return [(point.label, dict(point.sweep)) for point in study.points()]


@pytest.mark.parametrize(
    ("declared", "values"),
    [
        ({"from": 0, "to": 1, "n": 5}, [0, 0.25, 0.5, 0.75, 1]),
        ({"from": 1, "to": 1000, "n": 4, "scale": "log"}, [1, 10, 100, 1000]),
        ({"from": 10, "to": 1000, "n": 4, "scale": "log", "whole": True}, [10, 46, 215, 1000]),
        ({"from": 3, "to": 1, "n": 3, "whole": True}, [3, 2, 1]),
        ({"from": 1, "to": 2, "n": 4}, [1, 1.33333, 1.66667, 2]),
    ],
)
def test_a_range_is_the_list_that_it_stands_for(
    declared: dict[str, object], values: list[float]
) -> None:
    assert Range.model_validate(declared).values() == values
    whole = declared.get("whole", False)
    assert all(isinstance(v, int if whole else float) for v in Range(**declared).values())


def test_a_study_keeps_the_list_of_a_range() -> None:
    study = small_study(sweep={"network.T": {"from": 5, "to": 20, "n": 4, "whole": True}})
    assert study.sweep == {"network.T": [5, 10, 15, 20]}


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
    found = sweeps(
        sweep={"training.epochs": [1, 2]},
        together=[{"overrides.levels": [100, 200], "overrides.cycle_to_cycle": [0, 0.1]}],
    )
    assert [label for label, _ in found].count("rate") == 2
    assert [label for label, _ in found].count("ideal") == 2 * 2


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"update": "analog_sgd"},
        {"update": "whole_pulse_sgd", "tile": {"simulator": "native"}},
    ],
)
def test_a_sweep_takes_factors_of_the_devices_own_value_and_the_device_as_measured(
    rule: dict[str, Any],
) -> None:
    values, case = ["x0.5", "as measured", "x2"], {**IDEAL, **rule, "label": "ideal"}
    study = small_study(cases=[RATE, case], sweep={"overrides.levels": values})
    points = [point for point in study.points() if point.label == "ideal"]
    assert [dict(point.sweep)["overrides.levels"] for point in points] == values
    assert [point.rule.parameters["levels"] for point in points] == [600.0, 1200.0, 2400.0]
    plain = small_study(cases=[RATE, case]).points()[1]
    assert points[1].rule == plain.rule  # the same run as without a sweep


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"levels": "x1.2.3"}, "must be a factor such as x0.5"),
        ({"cycle_to_cycle": "x2"}, "the preset's own is 0.0, which a factor does not change"),
    ],
)
def test_a_factor_that_is_none_is_refused(overrides: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=r"case 2\.overrides") as caught:
        small_study(cases=[RATE, {**IDEAL, "overrides": overrides}])
    assert words in str(caught.value)


def test_a_number_of_seeds_and_no_question_are_a_study() -> None:
    study = small_study(seeds=3, question="")
    assert study.seeds == small_study(seeds={"count": 3}).seeds == (0, 1, 2)


@pytest.mark.parametrize(
    "declared",
    [
        {"together": [{"training.decay": [1, 1.0], "network.T": [10, 10]}]},
    ],
)
def test_points_that_differ_in_spelling_alone_are_one(declared: dict[str, Any]) -> None:
    assert len(sweeps(**declared)) == 2  # one a case
