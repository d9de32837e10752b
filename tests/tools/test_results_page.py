"""The page of results says what the kept rows say."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from tools.results_page import LAYOUT, PAGE, RESULTS, Bar, bar_reached, bars_table, page

RATE, ANN = "SSNN-BP, WTA, dropout", "ANN, softmax-CE, dropout"
TABLE_1 = "paper_table1_mnist.csv"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two kept files under a layout of their own."""
    for name in (TABLE_1, "mnist_levels.csv", "paper_figure5.csv"):
        shutil.copy(RESULTS / name, tmp_path)
    (tmp_path / LAYOUT).write_text(
        f"""\
bars:
  - {{what: by rates, file: {TABLE_1}, case: "{RATE}", at_least: 98.70, why_missed: input noise}}
  - {{what: against its twin, file: {TABLE_1}, case: "{RATE}", below: "{ANN}", at_least: 0.2}}
headings:
  Table 1:
    {TABLE_1}:
  Others:
    mnist_levels.csv:
    paper_figure5.csv: rpu-ssnn figure figure5
""",
        encoding="utf-8",
    )
    return tmp_path


@pytest.mark.skipif(
    pd.__version__.startswith("2."), reason="pandas 2 reads 90.66499999999999 as 90.665"
)
def test_the_kept_page_is_what_the_rows_give() -> None:
    message = "run python -m tools.results_page"
    assert (RESULTS / PAGE).read_text(encoding="utf-8") == page(), message


def test_every_number_follows_from_the_rows(folder: Path) -> None:
    before = page(folder)
    assert "98.63 ± 0.07" in before
    rows = pd.read_csv(folder / TABLE_1)
    rows.loc[rows["label"] == RATE, "test_accuracy"] += 0.5
    rows.to_csv(folder / TABLE_1, index=False)
    after = page(folder)
    assert "98.63 ± 0.07" not in after
    assert "99.13 ± 0.07" in after
    assert "missed by 0.07" in before
    assert "input noise" in before
    assert "input noise" not in after


def test_a_bar_is_held_or_missed_by_the_mean_over_seeds() -> None:
    rows = pd.read_csv(RESULTS / TABLE_1)
    reached = bar_reached(Bar("", TABLE_1, RATE, 98.70), rows)
    mean = rows[rows["label"] == RATE]["test_accuracy"].mean()
    assert reached.n == 5
    assert reached.mean == pytest.approx(mean)
    assert reached.short_by == pytest.approx(98.70 - mean)


def test_a_bar_of_fewer_seeds_than_it_asks_for_stays_open(folder: Path) -> None:
    rows = pd.read_csv(folder / TABLE_1)
    few = rows[(rows["label"] != RATE) | (rows["seed"] < 2)]
    few.to_csv(folder / TABLE_1, index=False)
    assert "open: 2 of 3 seeds" in page(folder)
    assert "open" not in bars_table([Bar("", TABLE_1, RATE, 98.70, seeds=2)], folder)


def test_a_bar_on_a_gap_pairs_by_seed() -> None:
    rows = pd.read_csv(RESULTS / TABLE_1)
    shuffled = rows.sample(frac=1.0, random_state=2)
    bar = Bar("", TABLE_1, RATE, 0.2, below=ANN)
    reached = bar_reached(bar, rows)
    assert vars(bar_reached(bar, shuffled)) == pytest.approx(vars(reached))
    assert reached.short_by == pytest.approx(-0.2 - reached.mean)
    assert reached.short_by < 0


def test_a_bar_without_rows_is_refused() -> None:
    rows = pd.read_csv(RESULTS / TABLE_1)
    with pytest.raises(ValueError, match="no rows of 'nobody'"):
        bar_reached(Bar("", TABLE_1, "nobody", 90.0), rows)


def test_a_bar_on_several_points_of_a_sweep_is_refused() -> None:
    rows = pd.read_csv(RESULTS / TABLE_1)
    with pytest.raises(ValueError, match=r"several rows a seed: .* must say `at`"):
        bar_reached(Bar("", TABLE_1, RATE, 90.0), pd.concat([rows, rows]))


def test_a_file_under_no_heading_is_refused(folder: Path) -> None:
    shutil.copy(RESULTS / "depth.csv", folder)
    with pytest.raises(ValueError, match=r"depth\.csv must be listed once"):
        page(folder)


def test_without_rows_of_the_reference_no_gap_is_shown(folder: Path) -> None:
    rows = pd.read_csv(folder / "mnist_levels.csv")
    rows[rows["label"] != "coincidence"].to_csv(folder / "mnist_levels.csv", index=False)
    section = page(folder).partition("### mnist_levels")[2]
    assert "| ideal |" in section
    assert "gap to" not in section.partition("###")[0]
