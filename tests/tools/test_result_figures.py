"""Each file of rows gets the figure that its cases and sweeps ask for."""

import pandas as pd
import pytest

from tools.result_figures import figure_of, with_figures
from tools.results_page import RESULTS


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("mnist_asymmetry", "test accuracy (%)"),  # numbers are swept
        ("mnist_outputs", "gap to rate (points)"),  # true and false are swept
        ("mnist_devices", "gap to rate (points)"),
    ],
)
def test_rows_are_drawn_over_what_they_sweep(name: str, label: str) -> None:
    figure = figure_of(pd.read_csv(RESULTS / f"{name}.csv"))
    assert figure is not None
    axes = figure.axes[0]
    assert label in (axes.get_xlabel(), axes.get_ylabel())


def test_a_sweep_to_infinity_stands_side_by_side() -> None:
    figure = figure_of(pd.read_csv(RESULTS / "li_2018_leak.csv"))
    assert figure is not None
    ticks = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert sorted(ticks) == ["1.0", "10.0", "100.0", "inf"]
    assert list(figure.axes[0].get_xticks()) != sorted(figure.axes[0].get_xticks())


def test_rows_without_a_common_seed_have_no_figure() -> None:
    rows = pd.read_csv(RESULTS / "mnist_devices.csv")
    assert figure_of(rows[rows["label"] == "rate"]) is None


def test_a_figure_stands_below_the_heading_of_its_rows() -> None:
    text = with_figures("## Devices\n\n### one\n\ntable\n\n### two\n", {"one"})
    assert text.splitlines()[2:5] == [
        "### one",
        "",
        "![Accuracy of one, by case or over the swept setting](one.svg)",
    ]
    assert "two.svg" not in text
