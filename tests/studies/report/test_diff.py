"""What differs between two result folders, with accuracies known beforehand."""

import io
import math
from pathlib import Path

import pandas as pd
import pytest

from rpu_ssnn.common.errors import InputError
from studies.declaration.study import Study
from studies.declaration.trial import Trial
from studies.report.diff import Difference, compare, diff_folders
from studies.report.diff_view import diff_text, remarks
from support.commands import refused
from support.studies.results_fakes import (
    NASTY,
    accuracy,
    nasty_study,
    result_of,
    runs_of,
    trials,
    write_folder,
)

AT_10, AT_20 = f"{NASTY} [network.T=10]", f"{NASTY} [network.T=20]"


def device(drive: float, label: str = NASTY) -> dict[str, object]:
    return {
        "label": label,
        "device": "reram_es",
        "hyperparameters": {"weight_range": 8, "learning_rate": drive},
    }


def studies() -> tuple[Study, Study]:
    """B: another drive, no ann, a case more."""
    rate = {"update": "rate", "learning_rate": 1.0}
    more = {"update": "coincidence", "learning_rate": 1.0}
    return nasty_study(), nasty_study(cases=[rate, device(2), more])


def shifted(trial: Trial) -> float:
    """At T=10 a point better than in A, at T=20 half a point better or worse."""
    if trial.label != NASTY:
        return accuracy(trial)
    if trial.settings.network.T == 10:
        return accuracy(trial) + (0.999, 1.001, 1.0)[trial.settings.seed]
    return accuracy(trial) + (0.5, -0.5, 0.0)[trial.settings.seed]


@pytest.fixture
def difference() -> Difference:
    a, b = studies()
    return compare(runs_of(a), runs_of(b, shifted))


def test_settings_that_differ_are_named(difference: Difference) -> None:
    rows = difference.settings.to_dict("records")
    assert rows == [
        {"case": case, "setting": "method.learning_rate", "A": "1.0", "B": "2.0"}
        for case in (AT_10, AT_20)
    ]
    settings = difference.changes.set_index("case")["settings"]
    assert settings[AT_10] == "changed"
    assert settings["rate [network.T=10]"] == "same"


def test_changes_are_paired_and_tested(difference: Difference) -> None:
    changes = difference.changes.set_index("case")
    better = changes.loc[AT_10]
    assert (better["n_a"], better["n_b"], better["pairs"]) == (3, 3, 3)
    assert better["change"] == pytest.approx(1.0)
    # Standard error 0.001 / sqrt(3), two degrees of freedom: p = 1 - t / sqrt(2 + t^2); two tests.
    t = 1000 * math.sqrt(3)
    assert better["p"] == pytest.approx(2 * (1 - t / math.sqrt(2 + t * t)))
    assert changes.loc[AT_20, "p"] == 1.0
    same = changes.loc["rate [network.T=10]"]
    assert (same["identical"], same["change"]) == (3, 0.0)
    assert math.isnan(same["p"])  # no hypothesis: the same run


def test_what_only_one_has_is_named(difference: Difference) -> None:
    assert difference.only_a == ["ann"]
    assert difference.only_b == ["coincidence [network.T=10]", "coincidence [network.T=20]"]
    lines = list(remarks(difference))
    assert lines == [
        "only in A: ann",
        "only in B: coincidence [network.T=10], coincidence [network.T=20]",
        "4 cases in both: 1 changed significantly, 2 the same in every pair",
    ]


def test_other_versions_are_named() -> None:
    study = nasty_study()
    other = [(trial, result_of(trial)) for trial in trials(study)]
    for _, result in other:
        result.row["torch_version"] = "99.0"
    versions = compare(runs_of(study), other).versions
    assert versions is not None
    assert "torch_version 99.0" in versions[1]
    assert "99.0" not in versions[0]


def test_every_format_marks_and_escapes(difference: Difference) -> None:
    markdown = diff_text(difference, "md")
    assert markdown.count(" ns |") == 1
    assert markdown.count("| identical |") == 2
    assert r"x\_\$T\$" in diff_text(difference, "latex")
    assert "<script" not in diff_text(difference, "html")
    table = pd.read_csv(io.StringIO(diff_text(difference, "csv")))
    assert list(table["change"]) == pytest.approx([0, 0, 1, 0])


def test_folders_are_compared_and_only_read(tmp_path: Path) -> None:
    a, b = studies()
    write_folder(tmp_path / "a", a)
    write_folder(tmp_path / "b", b, runs_of(b, shifted))
    damaged_file = next((tmp_path / "a" / "units").glob("*.json"))
    damaged_file.write_text("{}")
    before = sorted(tmp_path.rglob("*"))
    damaged: list[InputError] = []
    difference = diff_folders(tmp_path / "a", tmp_path / "b", damaged.append)
    assert [error.where for error in damaged] == [str(damaged_file)]
    assert len(difference.changes) == 4
    assert sorted(tmp_path.rglob("*")) == before
    with refused("result folder", "must be the output folder"):
        diff_folders(tmp_path / "a", tmp_path, damaged.append)


def test_folders_with_nothing_in_common_say_so() -> None:
    a = nasty_study(cases=[{"update": "rate", "learning_rate": 1.0}])
    b = nasty_study(cases=[{"update": "ann", "learning_rate": 1.0}], reference="ann", sweep={})
    difference = compare(runs_of(a), runs_of(b))
    assert diff_text(difference, "md") == "no case is in both folders"


def test_cases_without_a_common_seed_are_not_called_the_same() -> None:
    a, b = nasty_study(sweep={}, seeds=[0]), nasty_study(sweep={}, seeds=[1])
    (told,) = remarks(compare(runs_of(a), runs_of(b)))
    assert told == "3 cases in both: 0 changed significantly, 0 the same in every pair"


def test_the_order_in_which_settings_are_swept_makes_no_other_points() -> None:
    swept = {"network.T": [10], "network.hidden": [[8]]}
    a = nasty_study(sweep=swept)
    b = nasty_study(sweep=dict(reversed(swept.items())))
    difference = compare(runs_of(a), runs_of(b))
    assert not difference.only_a
    assert (
        difference.changes["identical"].tolist() == difference.changes["pairs"].tolist() == [3] * 3
    )
