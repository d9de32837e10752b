"""Orders of two cases are told only where the paired interval tells them."""

import pandas as pd
import pytest

from rpu_ssnn.common.errors import InputError
from studies.results.pairwise import pairwise, render_pairs

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
    pairs = {(row["better"], row["worse"]): row for _, row in pairwise(results()).iterrows()}
    assert set(pairs) == {("good", "good too"), ("good", "bad"), ("good too", "bad")}
    far = pairs["good", "bad"]
    assert far["difference"] == pytest.approx(6.95)
    assert far["told"]
    assert far["n"] == 4
    near = pairs["good", "good too"]
    assert not near["told"]
    assert near["p"] > 0.05


def test_the_matrix_has_both_signs_and_says_how_many_orders_can_be_told() -> None:
    text = render_pairs(results(), "md")
    assert "+6.95" in text
    assert "-6.95" in text
    assert "2 orders of 3 significant" in text
    exact = render_pairs(results(), "csv").splitlines()
    assert len(exact) == 4


def test_pairs_are_corrected_for_being_many() -> None:
    alone = pairwise(results(good=REACHED["good"], bad=REACHED["bad"]))["p"].iloc[0]
    among = pairwise(results())
    of_three = among[(among["better"] == "good") & (among["worse"] == "bad")]["p"].iloc[0]
    assert of_three == pytest.approx(3 * alone)  # the smallest of three


def test_one_seed_tells_no_order_and_one_case_is_refused() -> None:
    assert pairwise(results(a=[90.0], b=[80.0]))["told"].iloc[0] is None
    assert "untested" in render_pairs(results(a=[90.0], b=[80.0]), "md")
    with pytest.raises(InputError, match="two cases"):
        pairwise(results(a=[90.0]))
