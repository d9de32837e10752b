"""Each record gets the figure that its cases and sweeps ask for."""

from pathlib import Path

import pandas as pd
import pytest

from tools.result_figures import RECORDS, figure_of

GAP = "gap to rate (points), with its 95 % interval;\nhollow: not significant"


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("mnist_asymmetry", "test accuracy (%)"),  # numbers are swept
        ("mnist_outputs", GAP),  # true and false are swept
        ("mnist_devices", GAP),
    ],
)
def test_rows_are_drawn_over_what_they_sweep(name: str, label: str) -> None:
    figure = figure_of(RECORDS / name)
    axes = figure.axes[-1]
    assert label in (axes.get_xlabel(), axes.get_ylabel())


def test_a_sweep_to_infinity_stands_side_by_side() -> None:
    figure = figure_of(RECORDS / "li_2018_leak")
    ticks = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert sorted(ticks) == ["1.0", "10.0", "100.0", "inf"]
    assert list(figure.axes[0].get_xticks()) != sorted(figure.axes[0].get_xticks())


def test_rows_without_a_common_seed_have_no_figure(tmp_path: Path) -> None:
    rows = pd.read_csv(RECORDS / "mnist_devices" / "rows.csv")
    rows[rows["label"] == "rate"].to_csv(tmp_path / "rows.csv")
    assert figure_of(tmp_path) is None
