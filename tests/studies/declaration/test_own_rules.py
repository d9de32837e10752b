"""Update rules that a user adds: found beside those they inherit from, named once, versioned."""

import json
from pathlib import Path

import pytest

from rpu_ssnn.version import NUMERICS_VERSION
from studies.declaration.trial import stored_identity
from studies.declaration.update_rules.rate import RateMethod
from support.studies.harness import declared_trials, small_study
from support.studies.own_rules import OwnRules

SIGN = """
from typing import ClassVar, Literal

from studies.declaration.update_rules.coincidence import CoincidenceCase, CoincidenceMethod


class SignCase(CoincidenceCase):
    rule: ClassVar[str] = "sign"
    update: Literal["sign"]


class SignMethod(CoincidenceMethod):
    update: Literal["sign"] = "sign"
"""


def test_a_rule_that_inherits_from_a_shipped_one_leaves_it_in_place(tmp_path: Path) -> None:
    own = OwnRules(tmp_path)
    own.write("sign", SIGN)
    told = own.call("keys", "cases").stdout
    assert all(name in told for name in ("sign", "coincidence"))


def test_two_rules_of_one_name_are_refused_by_their_files(tmp_path: Path) -> None:
    own = OwnRules(tmp_path)
    files = [own.write(name, SIGN) for name in ("one", "two")]
    done = own.call("keys")
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "update: 'sign' is not allowed" in line
    assert all(str(file) in line for file in files)


def test_a_case_without_a_method_is_refused(tmp_path: Path) -> None:
    own = OwnRules(tmp_path)
    own.write("sign", SIGN.replace('update: Literal["sign"] = "sign"', "pass"))
    (line,) = own.call("keys").stderr.splitlines()
    assert "update: 'sign' is not allowed" in line
    assert "one of them is missing" in line


def test_a_higher_version_of_a_rule_is_another_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier version stored is none of today's, until the version is that again."""
    first = declared_trials(small_study())[2]
    stored, identity = json.loads(first.settings_json), first.identity
    assert "version" not in stored["method"]
    monkeypatch.setattr(RateMethod, "version", 2)
    second = declared_trials(small_study())[2]
    later = json.loads(second.settings_json)
    assert second.identity != identity
    assert stored_identity(later, NUMERICS_VERSION) == second.identity
    assert stored_identity(stored, NUMERICS_VERSION) is None
    monkeypatch.undo()
    assert stored_identity(stored, NUMERICS_VERSION) == identity
    assert stored_identity(later, NUMERICS_VERSION) is None
