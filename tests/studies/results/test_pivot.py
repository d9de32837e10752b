"""Marks in tables, and tables pivoted by two settings."""

import io
import math
from typing import Any, get_args

import pandas as pd
import pytest

from studies.common.choices import Format
from studies.common.quantities import quantity
from studies.declaration.trial import Trial
from studies.report.figures import sweep_figure
from studies.report.summary_view import render
from studies.results.columns import setting
from studies.results.pivot import pivot, render_pivot
from studies.results.summary import NOT_SWEPT, summary, titled_row
from studies.results.tables import results_frame
from support.commands import refused
from support.studies.results_fakes import NASTY, nasty_study, runs_of


def results(**changes: Any) -> pd.DataFrame:
    return results_frame(runs_of(nasty_study(**changes)))


def cells_of(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split(" | ")]


@pytest.mark.parametrize("style", get_args(Format))
def test_every_format_marks_what_is_not_significant(style: Format) -> None:
    text = render(summary(results(), "rate"), "rate", style)
    if style == "csv":
        table = pd.read_csv(io.StringIO(text)).set_index(["case", "sweep.network.T"])
        assert table.loc[(NASTY, 10), "gap_significant"] in (True, "True")
        assert table.loc[(NASTY, 20), "gap_significant"] in (False, "False")
        assert table.loc[(NASTY, 20), "gap_p"] == 1.0
    else:
        assert text.count("1.00 ns") == 1  # the device at T=20: differences -1, 0, 1


def test_a_swept_factor_stands_beside_its_value() -> None:
    drive = {"weight_range": 8, "learning_rate": 1}
    cases = [
        {"update": "rate", "learning_rate": 1.0},
        {"device": "ideal", "hyperparameters": drive},
        {"device": "capacitor", "hyperparameters": drive},
    ]
    both = results(cases=cases, sweep={"overrides.levels": ["x0.5", "as measured", 500]})
    lines = render(summary(both, "rate"), "rate", "md").splitlines()[3:7]
    assert [cells_of(line)[:2] for line in lines] == [
        ["ideal", "x0.5 (600)"],
        ["ideal", "as measured (1200)"],
        ["ideal", "500"],
        ["capacitor", "x0.5 (200)"],
    ]
    # Devices share the columns of a pivot and the axis of a figure.
    shared = render_pivot(pivot(both, "rate", "case", "overrides.levels", "accuracy"), "rate", "md")
    assert cells_of(shared.split("\n")[0])[2:] == ["x0.5", "as measured", "500"]
    for some, told in ((both, "x0.5"), (both[both["label"] != "capacitor"], "x0.5 (600)")):
        axes = sweep_figure(some, "overrides.levels", 7.0).axes[0]
        assert axes.get_xticklabels()[0].get_text() == told


def test_a_setting_that_a_rule_does_not_read_is_none_of_its_own() -> None:
    some = results(sweep={})
    assert dict(zip(some["label"], setting(some, "network.T"), strict=True)) == {
        "ann": NOT_SWEPT,
        "rate": 10,
        NASTY: 10,
    }


def test_the_correction_is_for_the_comparisons_of_the_table() -> None:
    table = summary(results(), "rate")
    device = table[table["case"] == NASTY]
    # Differences -5, -5.5, -6: mean -5.5, standard error 0.5 / sqrt(3), two degrees of freedom:
    # p = 1 - t / sqrt(2 + t^2); of two tests, so doubled.
    t = 5.5 / (0.5 / math.sqrt(3))
    assert device["gap_p"].iloc[0] == pytest.approx(2 * (1 - t / math.sqrt(2 + t * t)))
    assert list(device["gap_significant"]) == [True, False]
    assert device["accuracy_sd"].iloc[1] == pytest.approx(math.sqrt(3.0))  # 89, 92, 92


def test_one_seed_is_untested() -> None:
    text = render(summary(results(seeds=[0]), "rate"), "rate", "md")
    lines = [line for line in text.splitlines() if line.startswith("| x_")]
    assert ["untested" in line for line in lines] == [True, True]


def test_pairs_are_shown_where_they_are_not_all_seeds() -> None:
    some = results()
    some = some.drop(some.index[(some["label"] == "rate") & (some["seed"] == 2)])
    text = render(summary(some, "rate"), "rate", "md")
    assert cells_of(text.splitlines()[0])[6] == "pairs"
    device = next(line for line in text.splitlines() if line.startswith("| x_"))
    assert (cells_of(device)[5], cells_of(device)[6]) == ("3", "2")
    assert "pairs" not in render(summary(results(), "rate"), "rate", "md").splitlines()[0]


def test_a_pivot_of_the_gaps() -> None:
    pivoted = pivot(results(), "rate", "network.T", "case", "gap")
    lines = render_pivot(pivoted, "rate", "md").splitlines()
    assert cells_of(lines[0])[0] == r"T (slots) \ case"
    assert [cells_of(line)[0] for line in lines[2:4]] == ["10", "20"]
    assert cells_of(lines[2])[1] == "-5.50 ± 1.24 (3)"
    assert cells_of(lines[3])[1] == "+0.00 ± 2.48 (3) ns"
    assert "Holm's correction for 2 comparisons" in lines[-1]


def test_a_cell_of_several_points_is_their_mean_by_seed() -> None:
    pivoted = pivot(results(), "rate", "case", "device", "accuracy")
    assert pivoted.averaged == ("network.T",)
    cell = pivoted.cells.set_index("row").loc[NASTY]
    # By seed: (85 + 89) / 2, (86.5 + 92) / 2, (85 + 92) / 2.
    assert cell["mean"] == pytest.approx((87.0 + 89.25 + 88.5) / 3)
    assert cell["n"] == 3
    assert "a cell is the mean over: network.T" in render_pivot(pivoted, "rate", "md")


def test_a_seed_that_not_all_points_of_a_cell_have_is_left_out() -> None:
    some = results()
    some = some.drop(some.index[(some["label"] == NASTY) & (some["seed"] == 1)][:1])
    pivoted = pivot(some, "rate", "case", "device", "accuracy")
    cell = pivoted.cells.set_index("row").loc[NASTY]
    assert cell["n"] == 2
    assert cell["mean"] == pytest.approx((87.0 + 88.5) / 2)


def test_the_csv_of_a_pivot_is_exact_and_tidy() -> None:
    pivoted = pivot(results(), "rate", "case", "network.T", "gap")
    table = pd.read_csv(io.StringIO(render_pivot(pivoted, "rate", "csv")))
    row = table[(table["case"] == NASTY) & (table["network.T"] == 10)].iloc[0]
    assert (row["n"], row["mean"], row["min"], row["max"]) == (3, -5.5, -6.0, -5.0)
    assert len(table) == 2  # the reference has no gap, and ann is at no point of the sweep
    assert row["gap_p"] == pytest.approx(pivoted.cells["gap_p"].min(), rel=1e-12)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("case", {"ann", "rate", NASTY}),
        ("network.T", {"", 10, 20}),
        ("T", {"", 10, 20}),
        ("seed", {0, 1, 2}),
        ("network.hidden", {"[8]"}),
        ("overrides.levels", {"", 1481.4814814814813}),
        ("hyperparameters.weight_range", {"", 8.0}),
        ("tile.initial", {"", "programmed"}),
        ("training.batch", {50}),
    ],
)
def test_a_setting_is_found_by_its_path(path: str, expected: set[object]) -> None:
    assert set(setting(results(), path)) == expected


def test_an_unknown_setting_is_refused_with_the_nearest() -> None:
    with refused("results: column: 'netwrk.T'", "did you mean network.T?"):
        setting(results(), "netwrk.T")
    with refused("results: column: 'method'", "must be one of"):
        setting(results(), "method")


def test_a_pivot_without_any_gap_is_refused() -> None:
    study = nasty_study(cases=[{"update": "rate", "learning_rate": 1.0}])
    with refused("results: gap: 'none'", "a case beside the reference"):
        pivot(results_frame(runs_of(study)), "rate", "case", "network.T", "gap")


def test_latex_and_html_of_a_pivot_escape_names() -> None:
    pivoted = pivot(results(), "rate", "case", "network.T", "gap")
    latex = render_pivot(pivoted, "rate", "latex")
    assert r"x\_\$T\$ $<$script$>$alert(" in latex
    assert r"\& 50 \% \{\textbackslash n\}" in latex
    html = render_pivot(pivoted, "rate", "html")
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_a_pipe_in_a_name_stays_in_its_markdown_cell() -> None:
    def same(trial: Trial) -> float:
        return 90.0

    study = nasty_study(
        cases=[
            {"update": "rate", "learning_rate": 1.0},
            {"update": "coincidence", "learning_rate": 1.0, "label": "a|b"},
        ]
    )
    frame = results_frame(runs_of(study, same))
    frame["label"] = frame["label"].replace("a|b", "a|b\nc")  # of a folder made before
    text = render(summary(frame, "rate"), "rate", "md")
    assert r"| a\|b c " in text


def test_settings_of_one_name_keep_their_columns_and_titles() -> None:
    device = {
        "device": "ideal",
        "hyperparameters": {"weight_range": 8, "learning_rate": 1},
        "tile": {"simulator": "native"},
    }
    both = results(
        cases=[{"update": "rate", "learning_rate": 1.0}, device],
        sweep={"tile.half_select.forward_up": [0.001], "tile.read_disturb.forward_up": [0.1]},
    )
    paths = ["tile.half_select.forward_up", "tile.read_disturb.forward_up"]
    table = summary(both, "rate")
    lines = render(table, "rate", "md").splitlines()
    assert cells_of(lines[0])[1:3] == paths
    assert cells_of(lines[3])[:3] == ["ideal", "0.001", "0.1"]
    assert titled_row(table.iloc[1]) == f"ideal [{paths[0]} = 0.001, {paths[1]} = 0.1]"


def test_a_swept_range_of_the_data_stands_beside_the_range_of_accuracies() -> None:
    table = summary(results(sweep={}), "rate").assign(**{"sweep.dataset.range": ["a", "b", "c"]})
    heads = cells_of(render(table, "rate", "md").splitlines()[0])
    assert {"range of the data", "range"} <= set(heads)


def test_values_alike_in_the_digits_shown_have_columns_of_their_own() -> None:
    spreads = [0.12345671, 0.12345672]
    drive = {"weight_range": 8, "learning_rate": 1}
    cases = [
        {"update": "rate", "learning_rate": 1.0},
        {"device": "ideal", "hyperparameters": drive},
    ]
    both = results(cases=cases, sweep={"overrides.step_spread": spreads})
    pivoted = pivot(both, "rate", "case", "overrides.step_spread", "accuracy")
    header = cells_of(render_pivot(pivoted, "rate", "md").splitlines()[0])
    assert header[2:] == ["0.12345671", "0.12345672"]


@pytest.mark.parametrize(
    ("parameter", "name"),
    [
        ("endurance_cycles", "endurance cycles (cycles)"),
        ("energy_per_pulse_j", "energy per pulse (J)"),
        (
            "leak_time_constant_spread",
            "leak time constant spread (shares of time constant of the leak)",
        ),
        ("exponent_spread", "exponent spread (shares of exponent)"),
    ],
)
def test_a_unit_is_no_share_of_itself(parameter: str, name: str) -> None:
    assert quantity(f"overrides.{parameter}") == name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("tile.reads.read_noise", "read noise (device states)"),
        ("hyperparameters.weight_range", "weight range (He deviations)"),
        ("tile.half_select.forward_up", "forward up (steps a spike)"),
        ("tile.lines.ohm_per_cell", "resistance of a line from cell to cell (ohm)"),
        ("tile.retention.temperature_k", "temperature (K)"),
        ("tile.device_read_noise.slow_time_s", "slow time (s)"),
    ],
)
def test_a_setting_outside_the_device_has_its_unit(path: str, name: str) -> None:
    assert quantity(path) == name
