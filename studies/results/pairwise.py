"""Every case against every other: which orders of two the seeds can tell."""

import itertools
from typing import Any

import pandas as pd

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.wording import counted
from studies.common.choices import Format
from studies.common.statistics import correction, describe, holm, is_significant, paired_p
from studies.declaration.trial import Measure
from studies.results.summary import (
    accuracies,
    by_point,
    images_read,
    titled,
    with_values,
    without_pruned,
)
from studies.results.text_table import as_csv, marked_interval, render_cells


def pairwise(results: pd.DataFrame, against: str | None = None) -> pd.DataFrame:
    """One row a pair of cases (at their points of the sweep), best mean accuracy first.

    Columns: ``better``, ``worse`` (by the mean over the seeds that both have), ``difference``
    (points), ``ci`` (half width of its 95 % interval), ``p`` (paired t-test, Holm-corrected for all
    pairs), ``n`` (seeds that both have), ``told`` (p below 0.05; None: below three seeds).

    Args:
        results: as `load_results` returns it.
        against: title of the one case of every pair; None: all pairs.

    Raises:
        InputError: fewer than two cases with a seed that both have.
    """
    by_case = by_title(results)
    rows: list[dict[str, Any]] = []
    for first, second in itertools.combinations(by_case, 2):
        if against not in (None, first, second):
            continue
        shared = [seed for seed in by_case[first] if seed in by_case[second]]
        differences = [by_case[first][seed] - by_case[second][seed] for seed in shared]
        if not differences:
            continue
        sample = describe(differences)
        better, worse = (first, second) if sample.mean >= 0 else (second, first)
        rows.append(
            {
                "better": better,
                "worse": worse,
                "difference": abs(sample.mean),
                "ci": sample.half_width,
                "p": paired_p(differences),
                "n": sample.n,
            }
        )
    if not rows:
        allowed = "needs two cases with a seed that both have"
        raise InputError("results", "pairs", "none", allowed)
    table = pd.DataFrame(rows)
    corrected = holm(table["p"].tolist())
    told = pd.Series(map(is_significant, corrected), dtype=object)
    return table.assign(p=corrected, told=told)


def render_pairs(results: pd.DataFrame, style: Format) -> str:
    """The matrix: row minus column, points; CSV has one line a pair, at full precision."""
    pairs = pairwise(results)
    if style == "csv":
        return as_csv(pairs)
    cases = list(by_title(results))
    cells = {}
    for _, pair in pairs.iterrows():
        for sign, row, column in (
            (1.0, pair["better"], pair["worse"]),
            (-1.0, pair["worse"], pair["better"]),
        ):
            difference = sign * pair["difference"]
            cells[row, column] = marked_interval(difference, pair["ci"], pair["p"], pair["n"])
    grid: dict[str, list[str]] = {"row minus column": cases}
    for column in cases:
        grid[column] = [cells.get((row, column), "-") for row in cases]
    return render_cells(pd.DataFrame(grid), style, 1, _legend(pairs, images_read(results)))


def _legend(pairs: pd.DataFrame, images: Measure) -> str:
    tests = int(pairs["p"].notna().sum())
    told = int(pairs["told"].eq(True).sum())
    return (
        f"{images} accuracy, points ± 95 % interval of each difference by itself, paired by seed; "
        f"{correction(tests, 'order not significant')}; "
        f"{counted(told, 'order')} of {len(pairs)} significant"
    )


def by_title(results: pd.DataFrame) -> dict[str, dict[int, float]]:
    """Accuracy by case and seed, best mean first."""
    complete = with_values(without_pruned(results))
    found: dict[str, dict[int, float]] = {
        titled(case, point): dict(zip(runs["seed"], accuracies(runs), strict=True))
        for case, point, runs in by_point(complete)
    }

    def mean(case: str) -> float:
        return describe(list(found[case].values())).mean

    return {case: found[case] for case in sorted(found, key=mean, reverse=True)}
