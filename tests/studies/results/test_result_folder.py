"""The study as it was understood is a study again."""

import math
from pathlib import Path

from studies.declaration.result import TrialResult
from studies.declaration.study import parse_study
from studies.declaration.trial import identity_of
from studies.results.result_folder import open_folder, stored_study
from studies.results.store import StoredRuns
from support.studies.harness import SMALL, declared_trials, small_study


def test_a_study_that_sweeps_to_infinity_is_read_back(tmp_path: Path) -> None:
    case = {
        "device": "capacitor",
        "drive": {"weight_range": 2, "learning_rate": 8},
        "overrides": {"leak_time_constant_s": math.inf},
    }
    sweep = {"overrides.leak_time_constant_s": [math.inf, 10]}
    cases = [*SMALL["cases"], case]
    swept = [{**case, "overrides": {}}]
    for number, more in enumerate(({"cases": cases}, {"cases": swept, "sweep": sweep})):
        study = parse_study(SMALL | more | {"reference": "capacitor"}, "small.yaml", tmp_path)
        with open_folder(tmp_path / str(number), study):
            again = stored_study(tmp_path / str(number))
        assert again.model_dump(exclude={"drives"}) == study.model_dump(exclude={"drives"})


def test_of_two_older_numerics_the_later_counts() -> None:
    """Else one table would mix the two, since each trial has other hashes."""
    trial = declared_trials(small_study())[0]
    rows = {
        name: TrialResult({"numerics_version": number}, [])
        for name, number in (("earlier", 9), ("later", 10))
    }
    for order in (list(rows), list(reversed(rows))):
        found = StoredRuns(rows, {identity_of(trial.settings, 0): order}).find(trial)
        assert found is rows["later"]
