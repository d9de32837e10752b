"""Cases are compared in pairs of runs with the same seed, also for the gaps of the summary."""

import pandas as pd
import pytest

from rpu_ssnn.common.errors import InputError
from studies.results.comparison import compare
from studies.results.summary import summary

REACHED = {
    "good": [98.0, 97.0, 99.0, 98.5],
    "good too": [98.1, 96.9, 99.05, 98.4],
    "bad": [91.0, 90.1, 92.2, 91.4],
}


def results(**cases: list[float]) -> pd.DataFrame:
    rows = [
        {"label": label, "seed": seed, "test_accuracy": accuracy}
        for label, values in (cases or REACHED).items()
        for seed, accuracy in enumerate(values)
    ]
    return pd.DataFrame(rows)


def test_a_difference_that_all_seeds_share_is_told_and_a_small_one_is_not() -> None:
    table = compare(results(), "good").set_index("case")
    far, near = table.loc["bad"], table.loc["good too"]
    assert far["difference"] == pytest.approx(-6.95)
    assert (far["n"], far["significant"]) == (4, True)
    assert not near["significant"]
    assert near["p_holm"] > 0.05


def test_comparisons_are_corrected_for_being_many() -> None:
    worse = compare(results(), "good").set_index("case").loc["bad"]
    assert worse["p_holm"] == pytest.approx(2 * worse["p_alone"])  # It is the smaller of two.
    alone = compare(results(good=REACHED["good"], bad=REACHED["bad"]), "good").iloc[0]
    assert alone["p_holm"] == alone["p_alone"] == pytest.approx(worse["p_alone"])


def test_one_seed_tells_nothing_and_an_unknown_case_is_refused() -> None:
    assert compare(results(a=[90.0], b=[80.0]), "a")["significant"].tolist() == [None]
    with pytest.raises(InputError, match="'c'"):
        compare(results(a=[90.0]), "c")
    with pytest.raises(InputError, match=r"results: against: \['a'\] is not allowed"):
        compare(results(a=[90.0]), ["a"])  # type: ignore[arg-type]


def test_rows_that_are_there_twice_are_refused_and_never_count_as_two_seeds() -> None:
    with pytest.raises(InputError, match="seed: 0 is not allowed; must occur only once in good;"):
        compare(pd.concat([results(), results()]), "bad")
    with pytest.raises(InputError, match=r"results: seed: 0\.5 is not allowed; must be a whole"):
        compare(results().assign(seed=0.5), "bad")


def test_a_point_of_a_sweep_is_compared_with_every_other_row() -> None:
    rows = [("a", at, seed, base + seed * seed) for at, base in ((1, 90.0), (2, 80.0))
            for seed in range(3)]  # fmt: skip
    swept = pd.DataFrame(rows, columns=["label", "sweep.network.T", "seed", "test_accuracy"])
    comparison = compare(swept, "a [T = 1]")
    assert comparison["difference"].tolist() == pytest.approx([-10.0])


def test_the_summary_marks_what_the_comparison_marks() -> None:
    rows = results().assign(pulses_per_device_mean=0.0, saturated_fraction=0.0)
    table, found = summary(rows, "good"), compare(rows, "good")
    gaps = table[table["case"] != "good"]
    for column in ("ci", "n", "p_holm", "p_alone", "significant"):
        pd.testing.assert_series_equal(gaps[f"gap_{column}"], found[column], check_names=False)
