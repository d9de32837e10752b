"""With `measure: validation`, settings are chosen without reading a test image."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rpu_ssnn.common.errors import InputError
from studies.execution.api import load_results, run_study
from studies.execution.export import export_trial
from studies.report.figure_style import WIDE_INCHES
from studies.report.figures import gaps_figure
from studies.report.page.build import report_html
from studies.report.summary_view import readable
from studies.results.grouping import accuracies, images_read
from studies.results.summary import summary
from studies.sensitivity.device_question import ask, setting_notes
from support.studies.harness import DRIVE, RATE, SMALL, InThisProcess, declared_trials, small_study

CASES = [
    {"update": "ann", "learning_rate": 0.1},
    RATE,
    {
        "device": "ecram",
        "tile": {"simulator": "native"},  # It is seeded, so the best row is always the same.
        "hyperparameters": DRIVE,
    },
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chosen")
    study = small_study(measure="validation", cases=CASES, seeds=3)
    run_study(study, folder, executor=InThisProcess())
    return folder


@pytest.fixture(scope="module")
def results(folder: Path) -> pd.DataFrame:
    return load_results(folder)


def test_no_test_image_is_read_and_validation_images_are_what_counts(results: pd.DataFrame) -> None:
    assert results["test_accuracy"].isna().all()
    assert images_read(results) == "validation"
    np.testing.assert_array_equal(accuracies(results), results["validation_accuracy"])
    table = summary(results, "rate").set_index("case")
    by_case = results.groupby("label")["validation_accuracy"]
    assert table["accuracy"].to_dict() == pytest.approx(by_case.mean().to_dict())
    rate, ann = (by_case.get_group(name).to_numpy() for name in ("rate", "ann"))
    assert table["gap"]["ann"] == pytest.approx(np.mean(ann - rate))
    assert table["gap_n"]["ann"] == 3


def test_tables_and_figures_say_so(results: pd.DataFrame) -> None:
    table = summary(results, "rate")
    text = readable(table, "rate").markdown
    assert "validation %" in text.splitlines()[0]
    assert "accuracies on 10 validation images" in text
    axes = gaps_figure(results, table, "rate", WIDE_INCHES).axes[0]
    label = "validation accuracy (%): seeds as dots,\nmean with its 95 % interval"
    assert axes.get_xlabel() == label


def test_these_trials_are_not_those_of_a_study_on_test_images(results: pd.DataFrame) -> None:
    tested = {trial.identity for trial in declared_trials(small_study(cases=CASES, seeds=3))}
    assert tested.isdisjoint(results["trial"])


def test_the_report_misses_no_trial(folder: Path) -> None:
    text = report_html(folder)
    assert "9 of 9 trials done" in text
    assert "no row yet" not in text


def test_questions_on_a_device_read_no_test_image_either() -> None:
    asked = ask(small_study(measure="validation", cases=CASES, seeds=3), "ecram")
    assert asked.study_of("attribute", [asked.case]).measure == "validation"
    assert any("no test sample" in note for note in setting_notes(asked.study))


def test_an_exported_network_is_measured_on_validation_images(folder: Path, tmp_path: Path) -> None:
    done = export_trial(folder, "rate", tmp_path / "rate.nir", without_inhibition=True)
    assert done.images == "validation"
    assert done.accuracy == pytest.approx(done.in_row)


def test_rows_on_other_images_are_not_compared(results: pd.DataFrame) -> None:
    mixed = results.assign(test_accuracy=[50.0] + [np.nan] * (len(results) - 1))
    with pytest.raises(InputError, match="in all rows or in none"):
        summary(mixed, "rate")


def test_validation_images_are_needed() -> None:
    dataset = {**SMALL["dataset"], "validation_share": 0}
    with pytest.raises(InputError, match=r"dataset\.validation_share: 0\.0 .* `measure: validat"):
        small_study(measure="validation", dataset=dataset, cases=CASES[:2])
