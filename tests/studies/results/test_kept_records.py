"""The kept rows of a record are trials of its study in its present form."""

from pathlib import Path

import pandas as pd
import pytest

from studies.declaration.shipped import KEPT_RECORDS, find_study, kept_rows, shipped_files
from studies.execution.study_runs import shown_contents
from studies.report.draw import StudyFigures
from studies.report.page.headline import headline

RECORDS = [
    folder.name
    for folder in sorted(KEPT_RECORDS.iterdir())
    if (folder / "rows.csv").is_file()
    and (folder.name in shipped_files() or (folder / "study.yaml").is_file())
]
QUICK = {
    "compounds", "mnist_levels", "digits_lines", "pcm_pairs", "mnist_decomposition",
    "neurosim_v3_own_rule",
}  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in QUICK else pytest.mark.slow, id=name)
        for name in RECORDS
    ],
)
def test_every_kept_row_is_a_trial_of_the_study(name: str) -> None:
    rows = pd.concat(map(pd.read_csv, kept_rows(name)))
    kept = {trial.identity for trial, _ in shown_contents(Path(name)).runs}
    assert len(kept) == rows.iloc[:, 1].nunique()


def test_a_swept_time_that_may_be_infinite_is_written_alike_in_headline_and_table() -> None:
    contents = shown_contents(Path("capacitor_leak"))
    figures = StudyFigures(contents.study, contents.runs)
    reference = contents.study.reference_label
    told = " ".join(headline(contents.runs, figures.results, figures.summary, reference))
    assert "capacitor [time constant of the leak = 2000] reaches" in told


def test_a_record_has_a_page_and_a_line_in_the_list_of_all() -> None:
    pages = {page.parent.name for page in KEPT_RECORDS.glob("*/index.md")}
    assert pages == {folder.name for folder in KEPT_RECORDS.iterdir() if folder.is_dir()}
    listed = (KEPT_RECORDS / "index.md").read_text(encoding="utf-8")
    assert [name for name in sorted(pages) if f"({name}/index.md)" not in listed] == []


def test_a_record_stands_for_its_study_by_name_and_by_folder() -> None:
    for name in ("mnist_levels", "mnist_decomposition"):  # The second one is shipped.
        assert find_study(str(KEPT_RECORDS / name)) == find_study(name)
