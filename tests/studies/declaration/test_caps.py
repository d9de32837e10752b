"""Work is counted before anything is built, and refused above a limit with the count."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpu_ssnn.common.errors import InputError
from studies.declaration.study import Study, parse_study
from support.commands import refused
from support.studies.harness import SMALL, small_study

THOUSANDS = list(range(1, 10_001))

TOO_MUCH: list[tuple[dict[str, Any], str, str]] = [
    ({"sweep": dict.fromkeys(["network.T", "training.epochs"], THOUSANDS)}, "sweep", "200010000 p"),
    ({"sweep": {"network.T": THOUSANDS}}, "sweep", "20001 points"),
    ({"seeds": list(range(300_000))}, "seeds", "at most 10000 items"),
    ({"seeds": {"count": 10_000}, "sweep": {"network.T": list(range(1, 30))}}, "sweep", "runs"),
    ({"seeds": [0] * 10_000}, "seeds", "0 is there more than once"),
]


@pytest.mark.parametrize(("changes", "key", "said"), TOO_MUCH)
def test_too_much_is_refused_before_a_point_is_built(
    changes: dict[str, Any], key: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studies.declaration.points.Point", lambda **_: pytest.fail("was built"))
    with refused("small.yaml", key, said):
        small_study(**changes)


VALUE = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**30), 10**30),
        st.floats(),
        st.text(max_size=6),
        st.sampled_from(["rate", "ann", "charge_trap", "digits", "network.T", "slot", "1e999"]),
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = [*Study.model_fields, "networks"]
PATHS = [
    ("network", "T"),
    ("network", "neuron"),
    ("network", "hidden"),
    ("training", "batch"),
    ("search", "points"),
    ("dataset", "n_train"),
]


@st.composite
def _studies(draw: st.DrawFn) -> dict[str, Any]:
    """Draws the small study with a few keys replaced by anything."""
    study: dict[str, Any] = dict(SMALL)
    for _ in range(draw(st.integers(1, 2))):
        if draw(st.booleans()):
            study[draw(st.sampled_from(KEYS))] = draw(VALUE)
        else:
            section, key = draw(st.sampled_from(PATHS))
            there = study.get(section)
            study[section] = {**(there if isinstance(there, dict) else {}), key: draw(VALUE)}
    return study


@settings(max_examples=150, deadline=None)
@given(_studies())
def test_any_declaration_is_a_study_or_one_line(raw: dict[str, Any]) -> None:
    said = ""
    try:
        parse_study(raw, "any.yaml", Path())
    except InputError as error:
        said = str(error)
    assert "\n" not in said
