"""Compares cases of a study by pairs of runs with the same seed."""

import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import pandas as pd

from rpu_ssnn.common.errors import Fault, one_of, require
from studies.common.statistics import PairedTest, independent_values, paired_tests
from studies.results.grouping import (
    NOT_SWEPT,
    accuracies,
    by_point,
    draws_of,
    keyed,
    swept_columns,
    titled,
)
from studies.results.row_schema import ACCURACY

REFERENCE = "reference"
"""This attribute of a results table (`DataFrame.attrs`) names the study's reference case."""

_READ = "label", "seed", "device", "test_accuracy", "validation_accuracy"
"""A comparison reads these columns besides swept settings; to select rows of all would be slow."""


def compare(results: pd.DataFrame, against: str | None = None) -> pd.DataFrame:
    """Compares every case with one case, paired by seed, as in the gaps of the summary.

    Each row of the table is another case at a point of the sweep, in the order of the results:
    ``case``, the swept settings, ``difference`` (mean of case minus ``against`` over the seeds
    that both have, percentage points of accuracy), ``ci`` (half width of its 95 % interval,
    Student t; NaN if nothing was tested), ``n`` (number of these seeds, or of devices that were
    drawn from a fit in either case, whose means are the differences), ``p_alone`` (two-sided paired
    t-test), ``p_holm`` (the same after Holm's correction over all rows of the table) and
    ``significant`` (whether that is below 0.05; None if nothing was tested, as with fewer than
    three seeds).

    >>> import pandas as pd
    >>> runs = [("rate", 90.1, 91.0, 90.6), ("trap", 89.0, 90.1, 89.4), ("fet", 85.2, 86.9, 86.0)]
    >>> rows = [(label, seed, one) for label, *of in runs for seed, one in enumerate(of)]
    >>> results = pd.DataFrame(rows, columns=["label", "seed", "test_accuracy"])
    >>> compare(results, "rate")[["case", "difference", "n", "significant"]].round(2)
       case  difference  n significant
    1  trap       -1.07  3        True
    2   fet       -4.53  3        True

    Args:
        results: a table as `load_results` returns it, or some of its rows.
        against: label of a case, whose runs at the same point of the sweep are used, or the title
            of one point, such as ``rate [T = 20]``. None means the study's reference.

    Raises:
        InputError: there is no such case, the reference cannot be found from the results, or some
            rows were measured on test images and some on validation images.
    """
    refuse_no_results(results)
    against = reference_of(results) if against is None else against
    swept = swept_columns(results)
    runs = results[[c for c in results if c in (*_READ, *swept)]].reset_index(drop=True)
    _refuse_mixed_images(runs)
    # Where a setting does not apply, a case has NaN, which equals nothing; text can be compared.
    tried = keyed(runs.assign(accuracy=accuracies(runs)))
    points = [(case, at, runs.index) for case, at, runs in by_point(runs)]
    titles = {titled(case, at): rows for case, at, rows in points}
    labels = list(dict.fromkeys(tried["label"]))
    allowed = f"{one_of([*labels, *titles], against)}, which have finished trials"
    require(against in [*labels, *titles], "results", "against", against, allowed)
    differences = []
    for _, _, rows in points:
        own = tried.loc[rows]
        other = tried[tried["label"] == against]
        for column in swept if len(other) else ():
            if (other[column] != NOT_SWEPT).any():
                other = other[other[column] == own[column].iloc[0]]
        if against not in labels:
            other = tried.loc[titles[against]]
        pair = own.set_index("seed"), other[~other.index.isin(rows)].set_index("seed")
        of_seeds = (pair[0]["accuracy"] - pair[1]["accuracy"]).dropna()
        # Seeds that share a drawn device, on either side, are not independent.
        drawn = [found for one in pair if (found := draws_of(one.loc[of_seeds.index])) is not None]
        groups = [of_seeds.loc[rows].tolist() for rows in min(drawn, key=len, default=[])]
        differences.append(independent_values(groups) if drawn else of_seeds.tolist())
    tests = paired_tests(differences)
    names = {"mean": "difference", "half_width": "ci", "n": "n", "p_alone": "p_alone"}
    table = pd.DataFrame([{"case": case} | point for case, point, _ in points])
    table = table.join(columns_of_tests(tests, names | {"p": "p_holm"}))
    table["significant"] = pd.Series([test.significant for test in tests], dtype=object)
    table.loc[table["p_alone"].isna(), "ci"] = math.nan
    return table[[against not in (case, titled(case, at)) for case, at, _ in points]]


def columns_of_tests(tests: Sequence[PairedTest], names: Mapping[str, str]) -> pd.DataFrame:
    """Returns a row for each test.

    Args:
        names: the name of each column by the field of the tests that it has.
    """
    return pd.DataFrame([vars(test) for test in tests])[list(names)].rename(columns=names)


def reference_of(results: pd.DataFrame) -> str:
    """Finds the case that gaps are measured against from the results alone.

    Raises:
        InputError: the results name no reference and do not have exactly one rate case.
    """
    refuse_no_results(results)
    known = results.attrs.get(REFERENCE)
    if known is not None:
        return str(known)
    is_rate = results["update"] == "rate" if "update" in results else results["label"].isna()
    of_rate = set(results["label"][is_rate])
    names = one_of(results["label"])
    allowed = f"{names}; it may be left out only if exactly one case is a rate case"
    require(len(of_rate) == 1, "summary", "reference", None, allowed)
    return str(of_rate.pop())


def refuse_no_results(results: Any, *more: str) -> None:
    """Refuses anything but a table of results.

    Args:
        more: columns of numbers that are needed besides label, seed and test accuracy.

    Raises:
        InputError: the value is not a table, has no row, lacks a column, or has text in place of a
            number.
    """
    allowed = "must be a table, as load_results returns"
    require(isinstance(results, pd.DataFrame), "summary", "results", results, allowed)
    allowed = "must have the row of at least one finished trial"
    require(not results.empty, "summary", "results", Fault("a table without rows"), allowed)
    for column in ("label", "seed", "test_accuracy", *more):
        allowed = "must be a column, as in the table that load_results returns"
        require(column in results, "results", column, None, allowed)
    for column in ("label", "seed"):
        given = results[column].notna().all()
        require(given, "results", column, Fault("missing in some rows"), "must be in every row")
    for column in {"test_accuracy", "validation_accuracy", *more} & set(results.columns):
        for value in results[column].dropna():
            require(isinstance(value, Real), "results", column, value, "must be a number")
            fits = not column.endswith("_accuracy") or 0 <= value <= 100
            require(fits, "results", column, value, ACCURACY)


def _refuse_mixed_images(runs: pd.DataFrame) -> None:
    tested = runs["test_accuracy"].notna()
    fault = Fault(f"missing in {(~tested).sum()} of {len(tested)} rows")
    allowed = "must be there in all rows or in none, as test and validation are not compared"
    require(not tested.any() or tested.all(), "summary", "test_accuracy", fault, allowed)
