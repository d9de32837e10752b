"""Going on from finished rows that were kept as a CSV."""

from pathlib import Path

import pandas as pd
import pytest
from test_studies_support import Harness, small_study

from conftest import refused
from studies.api import load_results


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    return Harness(tmp_path)


def test_kept_rows_count_as_finished_and_only_what_is_missing_runs(harness: Harness) -> None:
    harness.run(small_study())
    harness.take_log()
    before = load_results(harness.out)
    kept = harness.out.parent / "kept.csv"
    before.iloc[:4].to_csv(kept, index=False)

    harness.out = harness.out.parent / "elsewhere"
    harness.run(small_study(), kept_rows=kept)
    assert harness.take_log() == {"test coincidence seed 0": 1, "test coincidence seed 1": 1}
    pd.testing.assert_frame_equal(load_results(harness.out), before, check_dtype=False)


def test_rows_from_before_a_setting_existed_are_taken_up(harness: Harness) -> None:
    """What they are named after is no matter: their settings say what they are."""
    harness.run(small_study())
    harness.take_log()
    table = load_results(harness.out)
    assert table["settings"].str.contains('"clocked":false,').all()
    table["settings"] = table["settings"].str.replace('"clocked":false,', "")
    table["unit"] = [f"old{n}" for n in range(len(table))]
    kept = harness.out.parent / "kept.csv"
    table.to_csv(kept, index=False)
    harness.out = harness.out.parent / "elsewhere"
    harness.run(small_study(), kept_rows=kept)
    assert not harness.take_log()


def test_rows_of_other_settings_are_left_alone(harness: Harness) -> None:
    harness.run(small_study())
    harness.take_log()
    other = small_study(training={"epochs": 2})
    elsewhere = harness.out.parent / "elsewhere"
    kept, harness.out = harness.out / "results.csv", elsewhere
    harness.run(other, kept_rows=kept)
    ran = harness.take_log()
    assert sum(ran.values()) == 6


@pytest.mark.parametrize("content", [None, "", "a,b\n1,2\n"], ids=["missing", "empty", "other"])
def test_what_is_no_results_file_is_refused(harness: Harness, content: str | None) -> None:
    path = harness.out.parent / "rows.csv"
    if content is not None:
        path.write_text(content)
    with refused(str(path)):
        harness.run(small_study(), kept_rows=path)
    assert not harness.take_log()
