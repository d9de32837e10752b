"""Summarises a study: the accuracy of each case, its gap to the reference, and published ones."""

import math
from dataclasses import replace
from typing import Any

import pandas as pd

from studies.common.statistics import (
    FEWEST_SEEDS,
    SampleStatistics,
    accuracy_ends,
    describe,
    independent_values,
    nested_deviations,
)
from studies.declaration.study import Study
from studies.results.comparison import compare, reference_of, refuse_no_results
from studies.results.grouping import (
    accuracies,
    by_point,
    draws_of,
    images_read,
    swept_columns,
    titled_row,
)

INPUT = "input"
"""This column says what a case saw of recorded spikes (`studies.workers.run_trial`)."""

PUBLISHED = "published"
"""`beside` adds this column of published accuracies, and two ending in ``_pm`` (as the
source gives it) and ``_source``."""


def summary(results: pd.DataFrame, reference: str | None = None) -> pd.DataFrame:
    """Returns one row for each case and point of the sweep, in the order of the results.

    The columns are ``case``, one ``sweep.*`` column for each swept setting, ``n`` (seeds),
    ``accuracy`` (mean, %), ``accuracy_sd`` (standard deviation), ``accuracy_ci`` (half width of
    its 95 % interval, Student t), ``accuracy_low`` and ``accuracy_high`` (the ends of this
    interval, cut at 0 and 100 %), ``gap`` (case minus reference, percentage points: negative is
    worse), ``gap_ci``, ``gap_n``, ``gap_p_holm`` (Holm-corrected), ``gap_significant`` and
    ``gap_p_alone`` (all of `compare`), ``min``, ``max``, ``pulses_per_device`` and
    ``saturated_fraction`` (means), ``accuracy_on`` (the images that were read), ``epochs`` and
    ``images`` (on which each run was trained), and ``input`` if input spikes were given.
    If devices were drawn from a fit, intervals are computed from the means of the draws, or from
    all seeds if that interval is wider.
    ``gap_n`` counts these means or seeds, and ``sd_seeds`` and ``sd_fit`` are the deviations
    between seeds and between draws (`nested_deviations`).
    A value that cannot be computed is NaN, as is an interval of fewer than three seeds or of equal
    accuracies, and that of a gap without p.

    >>> import pandas as pd
    >>> rows = pd.DataFrame({
    ...     "label": ["rate", "rate", "trap", "trap"], "seed": [0, 1, 0, 1],
    ...     "test_accuracy": [90.0, 92.0, 88.0, 89.0],
    ...     "pulses_per_device_mean": 12.0, "saturated_fraction": 0.0,
    ... })
    >>> summary(rows, "rate")[["case", "n", "accuracy", "gap"]]
       case  n  accuracy  gap
    0  rate  2      91.0  NaN
    1  trap  2      88.5 -2.5

    Args:
        results: a table as `load_results` returns it.
        reference: label of the case that gaps are measured against. None means the study's
            reference, which the results of `run_study` and `load_results` name, or else the only
            rate case.

    Raises:
        InputError: the results have no row of the reference, or it cannot be found from them.
    """
    refuse_no_results(results, "pulses_per_device_mean", "saturated_fraction")
    compared = compare(results, reference_of(results) if reference is None else reference)
    rows = [{"case": case} | at | _statistics(of) for case, at, of in by_point(results)]
    table = pd.DataFrame(rows)
    gaps = compared.rename(columns={"difference": "gap"} | {c: f"gap_{c}" for c in _GAP_COLUMNS})
    gaps = gaps.reindex(table.index)  # the reference has no gap
    gaps["gap_n"] = gaps["gap_n"].fillna(0).astype(int)
    return table.assign(**{c: gaps[c] for c in ("gap", *(f"gap_{c}" for c in _GAP_COLUMNS))})


_GAP_COLUMNS = ("ci", "n", "p_holm", "significant", "p_alone")


def accuracy_of(runs: pd.DataFrame) -> tuple[SampleStatistics, dict[str, float]]:
    """Returns the statistics of a case's accuracy (%), and its deviations if devices were drawn.

    The interval of drawn devices is that of `independent_values`. It is NaN for fewer than three
    values, and for values that are all equal, which do not tell how accuracies scatter.
    """
    by_seed = accuracies(runs)
    accuracy, draws = describe(by_seed.tolist()), draws_of(runs)
    groups = [by_seed.loc[rows].tolist() for rows in draws or []]
    of_mean = describe(independent_values(groups)) if groups else accuracy
    told = of_mean.n >= FEWEST_SEEDS and of_mean.minimum < of_mean.maximum
    half_width = of_mean.half_width if told else math.nan
    deviations = ("sd_seeds", "sd_fit"), nested_deviations(groups)
    return (
        replace(accuracy, mean=of_mean.mean, half_width=half_width),
        dict(zip(*deviations, strict=True)) if groups else {},
    )


def _statistics(runs: pd.DataFrame) -> dict[str, Any]:
    accuracy, deviations = accuracy_of(runs)
    low, high = accuracy_ends(accuracy.mean, accuracy.half_width)
    return {
        "n": accuracy.n,
        "accuracy": accuracy.mean,
        "accuracy_sd": accuracy.sd,
        **deviations,
        "accuracy_ci": accuracy.half_width,
        "accuracy_low": low,
        "accuracy_high": high,
        "min": accuracy.minimum,
        "max": accuracy.maximum,
        "pulses_per_device": runs["pulses_per_device_mean"].astype(float).mean(),
        "saturated_fraction": runs["saturated_fraction"].astype(float).mean(),
        "accuracy_on": _images(runs),
        "epochs": _shared(runs, "epochs"),
        "images": _shared(runs, "n_train"),
        **({INPUT: runs[INPUT].iloc[0]} if INPUT in runs and runs[INPUT].notna().any() else {}),
    }


def _images(runs: pd.DataFrame) -> str:
    """Says on which images accuracies were measured, and on how many if the rows have it."""
    read = images_read(runs)
    number = _shared(runs, f"n_{read}")
    return f"{number:.0f} {read} images" if number == number else f"{read} images"


def _shared(runs: pd.DataFrame, column: str) -> float:
    """Returns the value that all runs of a case share, or NaN if the rows do not have it."""
    return float(runs[column].iloc[0]) if column in runs else math.nan


def with_published(table: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Adds published accuracies (%), and a row for each quoted network, to a summary.

    The new columns are ``published``, ``published_pm`` and ``published_source``, which are empty in
    rows of a sweep. If the study names no published accuracies, the summary stays as it is. A
    quoted row has no measurement, so n is 0.

    Args:
        table: a table as `summary` returns it.
    """
    if not study.published and not study.quoted:
        return table
    quoted = pd.DataFrame({"case": list(study.quoted), "n": 0, "gap_n": 0})
    swept = dict.fromkeys(swept_columns(table), "")
    rows = pd.concat([table, quoted.assign(**swept)], ignore_index=True)
    known = {**study.published, **study.quoted}
    published = [known.get(titled_row(row)) for _, row in rows.iterrows()]
    rows[PUBLISHED] = pd.Series([p and p.accuracy for p in published], dtype=float)
    rows[f"{PUBLISHED}_pm"] = pd.Series([p and p.plus_minus for p in published], dtype=float)
    rows[f"{PUBLISHED}_source"] = ["-" if p is None else p.source for p in published]
    return rows
