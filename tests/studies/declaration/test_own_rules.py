"""A user-defined update rule is read from its file or module, checked, and part of a trial."""

import json
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest

from rpu_ssnn.version import NUMERICS_VERSION
from studies.declaration.study import Study
from studies.declaration.trial import stored_identity
from studies.workers.run_trial import run_trial
from support.commands import refused
from support.studies.harness import RATE, small_study
from support.studies.harness import declared_trials as trials
from support.studies.own_rules import trained

RULE = """
from pydantic import Field

from studies.declaration.update_rules.coincidence import CoincidenceRule


class GainRule(CoincidenceRule):
    gain: float = Field(1.0, gt=0.0)

    def synapses(self):
        from rpu_ssnn.synapses import coincidence_synapses

        return coincidence_synapses(self.gain * self.rate())
"""


def study_with(folder: Path, update: object, **more: Any) -> Study:
    case = {"update": update, "learning_rate": 1, **more}
    return small_study(folder, cases=[RATE, case], seeds=[0])


def test_a_rule_is_a_file_beside_the_study_with_settings_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(RULE)
    plain, louder = (
        trials(study_with(tmp_path, {"rule": "mine.py", **gain}))[-1]
        for gain in ({}, {"gain": 2.0})
    )
    assert plain.label == "mine"
    assert plain.settings.method.model_dump()["gain"] == 1.0
    assert plain.identity != louder.identity
    cases = [{"update": name, "learning_rate": 1} for name in ("rate", "mine.py")]
    swept = small_study(tmp_path, cases=cases, sweep={"gain": [1.0, 2.0]}, seeds=[0])
    assert [trial.identity for trial in trials(swept)[1:]] == [plain.identity, louder.identity]


def test_an_edited_rule_makes_new_trials_and_a_moved_one_does_not(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(RULE)
    before = trials(study_with(tmp_path, "mine.py"))[-1]
    stored = json.loads(before.settings_json)
    assert stored_identity(stored, NUMERICS_VERSION) == before.identity
    (tmp_path / "mine.py").write_text(RULE + "\n# edited\n")
    after = trials(study_with(tmp_path, "mine.py"))[-1]
    assert after.identity != before.identity
    assert stored_identity(stored, NUMERICS_VERSION) is None
    (tmp_path / "moved").mkdir()
    (tmp_path / "moved" / "mine.py").write_text(RULE)
    moved = trials(study_with(tmp_path / "moved", "mine.py"))[-1]
    assert moved.identity == before.identity


def test_stored_settings_do_not_execute_a_file_of_another_digest(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(RULE)
    stored = json.loads(trials(study_with(tmp_path, "mine.py"))[-1].settings_json)
    witness = tmp_path / "executed"
    (tmp_path / "mine.py").write_text(f"open({str(witness)!r}, 'w').close()\n")
    assert stored_identity(stored, NUMERICS_VERSION) is None
    assert not witness.exists()


def test_a_trial_goes_to_other_processes_whole(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(RULE)
    trial = trials(study_with(tmp_path, {"rule": "mine.py", "gain": 3.0}))[-1]
    assert pickle.loads(pickle.dumps(trial)) == trial


def test_a_rule_may_be_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "own_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "mine.py").write_text(RULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    trial = trials(study_with(tmp_path, {"rule": "own_package.mine", "gain": 2.0}))[-1]
    stored = json.loads(trial.settings_json)
    assert stored_identity(stored, NUMERICS_VERSION) == trial.identity
    for name in ("own_package.mine", "own_package"):
        sys.modules.pop(name)


def test_it_trains_as_the_rule_that_it_extends(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(RULE)
    cases = [
        {"update": "coincidence", "learning_rate": 2},
        {"update": {"rule": "mine.py", "gain": 2.0}, "learning_rate": 1},
    ]
    content = trained(tmp_path, cases)
    assert content["mine"] == content["coincidence"] > 50  # Chance is 10.


def test_a_rule_that_draws_what_no_seed_determines_is_refused(tmp_path: Path) -> None:
    drawing = "import numpy as np; np.random.seed(0); np.random.random()"
    rule = RULE.replace("        from", f"        {drawing}\n        from")
    (tmp_path / "mine.py").write_text(rule)
    trial = trials(study_with(tmp_path, "mine.py"))[-1]
    with refused("mine", "update", "global random numbers", "crossbar.seed"):
        run_trial(trial, None, 1)
