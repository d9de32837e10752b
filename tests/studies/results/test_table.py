"""Compares the statistics of the summary with examples computed by hand."""

import math
from typing import Any

import pandas as pd
import pytest

from rpu_ssnn.common.errors import InputError
from studies.report.summary_view import p_text, readable
from studies.results.grouping import as_keys
from studies.results.summary import summary, with_published
from studies.results.text_table import interval
from studies.results.text_table import number as shown
from support.studies.harness import small_study

NAN = math.nan

# This is t(0.975) for 2 degrees of freedom, from printed tables.
T_2 = 4.30265


def frame(rows: list[tuple[str, int, float]], **more: Any) -> pd.DataFrame:
    data = pd.DataFrame(rows, columns=["label", "seed", "test_accuracy"])
    data["pulses_per_device_mean"] = NAN
    data["saturated_fraction"] = NAN
    return data.assign(**more)


def test_the_gap_is_paired_by_seed() -> None:
    rows = [
        ("rate", 0, 90.0),
        ("rate", 1, 94.0),
        ("rate", 2, 98.0),
        ("device", 2, 95.0),  # -3; the seeds are out of order
        ("device", 0, 89.0),  # -1
        ("device", 1, 92.0),  # -2
    ]
    table = summary(frame(rows), "rate").set_index("case")
    device = table.loc["device"]
    assert device["gap"] == pytest.approx(-2.0)
    # The differences spread by 1 although the accuracies spread by 4 (rate) and 3 (device).
    assert device["gap_ci"] == pytest.approx(T_2 / math.sqrt(3), rel=1e-5)
    assert device["accuracy"] == pytest.approx(92.0)
    assert device["accuracy_ci"] == pytest.approx(T_2 * 3 / math.sqrt(3), rel=1e-5)
    assert (device["n"], device["gap_n"], device["min"], device["max"]) == (3, 3, 89.0, 95.0)
    assert table["gap"].isna().tolist() == [True, False]


def test_only_seeds_that_both_have_are_paired() -> None:
    rows = [
        ("rate", 0, 90.0),
        ("rate", 1, 92.0),
        ("rate", 5, 10.0),
        ("device", 0, 89.0),
        ("device", 1, 89.0),
        ("device", 7, 20.0),
    ]
    device = summary(frame(rows), "rate").set_index("case").loc["device"]
    assert device["gap"] == pytest.approx(-2.0)  # -1 and -3
    assert math.isnan(device["gap_ci"])  # two pairs are not tested
    assert (device["n"], device["gap_n"]) == (3, 2)


def test_equal_accuracies_have_no_interval() -> None:
    rows = [("rate", seed, 99.0) for seed in range(3)] + [("ann", seed, 99.5) for seed in range(3)]
    table = summary(frame(rows), "rate")
    assert table["accuracy_sd"].tolist() == [0.0, 0.0]
    assert table[["accuracy_ci", "gap_ci"]].isna().all(axis=None)


def swept() -> pd.DataFrame:
    rows = [("ann", 0, 99.0), ("rate", 0, 90.0), ("rate", 0, 95.0), ("x", 0, 80.0), ("x", 0, 94.0)]
    return frame(rows, **{"sweep.network.T": [NAN, 20, 50, 20, 50]})


def test_a_swept_row_is_compared_with_the_reference_at_the_same_values() -> None:
    table = summary(swept(), "rate")
    assert list(table["case"]) == ["ann", "rate", "rate", "x", "x"]
    assert list(table["gap"][3:]) == [-10.0, -1.0]


def test_a_reference_that_is_not_swept_serves_every_point() -> None:
    table = summary(swept(), "ann")
    assert list(table["gap"][1:]) == [-9.0, -4.0, -19.0, -5.0]


def test_a_reference_without_rows_is_refused() -> None:
    with pytest.raises(InputError, match=r"against: 'rte' .*did you mean rate"):
        summary(swept(), "rte")


@pytest.mark.parametrize(
    ("results", "message"),
    [
        (pd.DataFrame(), "a table without rows; must have the row of at least one finished trial"),
        (swept(), "reference: missing; .*only if exactly one case is a rate case"),
        (swept().assign(test_accuracy="90.1"), "test_accuracy: '90.1' .*must be a number"),
        (swept().assign(test_accuracy=120.0), "test_accuracy: 120.0 .*in %, 0 to 100"),
        (swept().drop(columns="seed"), "seed: missing; must be a column"),
        (swept().assign(label=None), "label: missing in some rows; must be in every row"),
    ],
)
def test_other_tables_than_results_are_refused(results: pd.DataFrame, message: str) -> None:
    with pytest.raises(InputError, match=message):
        summary(results)


def test_pulses_and_saturation_are_means_over_seeds() -> None:
    rows = [("rate", 0, 90.0), ("rate", 1, 90.0), ("x", 0, 80.0), ("x", 1, 80.0)]
    saturated = [NAN, NAN, 0, 0.5]
    data = frame(rows, pulses_per_device_mean=[NAN, NAN, 10, 20], saturated_fraction=saturated)
    device = summary(data, "rate").set_index("case").loc["x"]
    assert (device["pulses_per_device"], device["saturated_fraction"]) == (15.0, 0.25)


def full() -> pd.DataFrame:
    rows = [
        ("rate", 0, 90.0),
        ("rate", 1, 92.0),
        ("rate", 2, 91.0),
        ("charge_trap_&2", 0, 89.0),
        ("charge_trap_&2", 1, 89.0),
        ("charge_trap_&2", 2, 89.0),
    ]
    return frame(
        rows,
        pulses_per_device_mean=[NAN, NAN, NAN, 10, 20, 15],
        saturated_fraction=[NAN, NAN, NAN, 0, 0.5, 0.25],
    )


def test_markdown_is_as_narrow_as_its_cells() -> None:
    text = readable(summary(full(), "rate"), "rate").markdown
    table, _, legend = text.partition("\n\n")
    lines = table.splitlines()
    assert len(lines) == 4
    assert all(line.startswith("- ") for line in legend.splitlines())
    assert max(map(len, lines)) <= 102
    cells = [cell.strip() for cell in lines[-1].strip("|").split("|")]
    # The differences are -1, -3, -2, so t = 2 sqrt(3) and p = 1 - t / sqrt(2 + t^2).
    numbers = ["89.00", "-2.00 ± 2.48", "0.07 ns", "3", "89.00–89.00", "15.0"]
    assert cells == ["charge_trap_&2", *numbers, "25 %"]
    assert "ns: not significant at 0.05" in legend
    assert "Holm" not in legend  # There is only one comparison.


def test_two_seeds_show_no_interval_and_none_leaves_0_to_100() -> None:
    rows = [("rate", 0, 90.0), ("rate", 1, 92.0), ("x", 0, 89.0), ("x", 1, 89.0)]
    text = readable(summary(frame(rows), "rate"), "rate").markdown
    assert "91.00 |" in text
    assert "±" not in text.splitlines()[2]
    assert [cell.strip() for cell in text.splitlines()[3].split("|")][3:5] == ["-2.00", "untested"]
    assert "untested: fewer than 3 seeds" in text
    rows += [("rate", 2, 91.0), *(("y", seed, 85.0 + seed**2) for seed in range(3))]
    legend = readable(summary(frame(rows), "rate"), "rate").markdown
    assert "untested: fewer than 3 seeds" in legend
    assert "ns: not significant" in legend
    near = [("rate", seed, reached) for seed, reached in enumerate((99.0, 100.0, 98.0))]
    near_end = summary(frame(near), "rate")
    assert "99.00 (96.52 to 100.00)" in readable(near_end, "rate").markdown
    ends = near_end[["accuracy_low", "accuracy_high"]].to_numpy()[0]
    assert ends == pytest.approx([96.52, 100.0], abs=0.01)


def test_a_small_interval_of_an_energy_is_not_shown_as_none() -> None:
    assert interval(0.0123, 0.0004, "{:.3g}", 3) == "0.0123 ± 0.0004"


PUBLISHED = {
    "published": {"rate": {"accuracy": 98.65, "plus_minus": 0.04, "source": "A, Table 1"}},
    "quoted": {"HM2-BP": {"accuracy": 98.84, "source": "B, Table 1"}},
}


def test_published_accuracies_stand_beside_their_case_and_quoted_ones_alone() -> None:
    study = small_study(**PUBLISHED)
    rows = [("rate", 0, 90.0), ("rate", 1, 92.0), ("coincidence", 0, 89.0)]
    text = readable(with_published(summary(frame(rows), "rate"), study), "rate").markdown
    lines = text.splitlines()
    assert "98.65 ± 0.04 | A, Table 1" in lines[2]
    assert "98.84 | B, Table 1" in lines[4]
    cells = [cell.strip() for cell in lines[4].strip("|").split("|")]
    assert cells[:5] == ["HM2-BP", "-", "-", "-", "0"]


def test_a_published_accuracy_is_not_that_of_each_point_of_a_sweep() -> None:
    rows = frame([("rate", 0, 90.0), ("rate", 1, 92.0)], **{"sweep.network.T": [10, 20]})
    shown_beside = with_published(summary(rows, "rate"), small_study(**PUBLISHED))
    assert shown_beside["published"].isna().tolist() == [True, True, False]


def test_a_quoted_network_sees_no_input_spikes() -> None:
    rows = summary(frame([("rate", 0, 90.0)], input="spike counts"), "rate")
    text = readable(with_published(rows, small_study(**PUBLISHED)), "rate").markdown
    assert text.splitlines()[-1] == "- rate: spike counts"


def test_budgets_are_columns_where_cases_differ_and_a_sentence_where_not() -> None:
    rows = [("rate", 0, 90.0), ("x", 0, 90.0)]
    text = readable(summary(frame(rows, epochs=[2, 3], n_train=500), "rate"), "rate").markdown
    header, legend = text.splitlines()[0], text.partition("\n\n")[2]
    assert "epochs" in header
    assert "images" not in header
    assert legend.startswith("- 500 training samples\n")
    old = summary(frame(rows, epochs=[2, 3], n_train=[NAN, 500]), "rate")
    assert readable(old, "rate").markdown.endswith(f"\n\n{legend}")


def test_swept_values_are_shown_in_short_and_stay_floating_point_beyond_whole_numbers() -> None:
    rows = [("rate", 0, 90.0), ("x", 0, 90.0)]
    swept = {"sweep.overrides.leak_time_constant_s": [NAN, 1e20]}
    assert "| 1e+20 " in readable(summary(frame(rows, **swept), "rate"), "rate").markdown
    layers = pd.Series(['[{"conv":{"channels":8,"kernel":5,"stride":2}},64]', None, "[64]"])
    assert as_keys(layers).tolist() == ["8c5/2-64", "", "[64]"]


def test_a_significant_p_is_shown_below_the_limit() -> None:
    shown = [p_text(p, 3) for p in (0.0004, 0.0494, 0.0498, 0.04999, 0.0501)]
    assert shown == ["<0.001", "0.049", "0.0498", "0.0499", "0.05"]


@pytest.mark.parametrize(("style", "text"), [("{:.2f}", "0.00"), ("{:+.2f}", "+0.00")])
def test_minus_zero_is_written_as_zero(style: str, text: str) -> None:
    assert shown(-0.001, style) == shown(0.0, style) == text
