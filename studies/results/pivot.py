"""Results pivoted by any two settings: one cell for each pair of their values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rpu_ssnn.common.errors import InputError
from studies.common.choices import Format, Values
from studies.common.quantities import distinct, quantity
from studies.common.statistics import correction, describe, mark, paired_p
from studies.declaration.result import SWEEP_PREFIX
from studies.declaration.trial import Measure
from studies.results.columns import setting
from studies.results.summary import (
    GAP,
    accuracies,
    correct,
    images_read,
    of_cases,
    or_dash,
    swept_columns,
    with_gaps,
    with_values,
)
from studies.results.text_table import accuracy_interval, as_csv, interval, render_cells


@dataclass(frozen=True)
class Pivot:
    """Cells by two settings.

    Attributes:
        cells: one row a cell: the two settings under ``row`` and ``column``, then ``n`` (seeds),
            ``mean``, ``sd``, ``ci``, ``min``, ``max`` and, of gaps, ``gap_p`` and
            ``gap_significant``, Holm-corrected for all cells.
        images: what accuracies were measured on.
        averaged: settings that differ within a cell, which is then the mean over them by seed.
    """

    cells: pd.DataFrame
    rows: str
    columns: str
    values: Values
    images: Measure
    averaged: tuple[str, ...]


def pivot(
    results: pd.DataFrame,
    reference: str,
    rows: str,
    columns: str,
    values: Values,
    cases: Sequence[str] = (),
) -> Pivot:
    """Groups the runs by two settings.

    A cell that holds several cases or points of the sweep has one value a seed, the mean over
    them (of the seeds that all of them have), so that n stays the number of seeds.

    Args:
        rows: path of a setting, see `columns.setting`.
        columns: likewise.
        cases: labels of the cases that cells are made of; all if empty.

    Raises:
        InputError: no such setting or case, no row of the reference, or nothing for any cell.
    """
    paired = with_values(of_cases(with_gaps(results, reference), cases), shared=True)
    placed = paired.assign(row=setting(paired, rows), column=setting(paired, columns))
    measure = GAP if values == "gap" else "accuracy"
    placed = placed.assign(accuracy=accuracies(paired))
    points = ["label", *swept_columns(paired)]
    cells: list[dict[str, Any]] = []
    averaged: set[str] = set()
    for (row, column), runs in placed.groupby(["row", "column"], sort=False):
        present = runs.dropna(subset=[measure])
        by_seed = present.pivot_table(index="seed", columns=points, values=measure).dropna()
        averaged |= {name for name in points if present[name].nunique() > 1}
        seeds = by_seed.mean(axis=1).tolist()
        if seeds:
            cells.append({"row": row, "column": column} | _statistics(seeds, values))
    if not cells:
        allowed = "needs a case beside the reference, with a seed that both have"
        raise InputError("results", values, "none", allowed)
    names = [name for name in points if name in averaged]
    return Pivot(
        cells=correct(pd.DataFrame(cells)),
        rows=rows,
        columns=columns,
        values=values,
        images=images_read(paired),
        averaged=tuple(
            "case" if name == "label" else name.removeprefix(SWEEP_PREFIX) for name in names
        ),
    )


def _statistics(values: list[float], kind: Values) -> dict[str, Any]:
    sample = describe(values)
    return {
        "n": sample.n,
        "mean": sample.mean,
        "sd": sample.sd,
        "ci": sample.half_width,
        "min": sample.minimum,
        "max": sample.maximum,
        "gap_p": paired_p(values) if kind == "gap" else float("nan"),
    }


def render_pivot(pivoted: Pivot, reference: str, style: Format) -> str:
    """The pivot as text; CSV has one line a cell, at full precision."""
    if style == "csv":
        names = {"row": pivoted.rows, "column": pivoted.columns}
        return as_csv(pivoted.cells.rename(columns=names).dropna(axis="columns", how="all"))
    return render_cells(_grid(pivoted), style, 1, _legend(pivoted, reference))


def _grid(pivoted: Pivot) -> pd.DataFrame:
    cells = pivoted.cells
    texts = {(cell["row"], cell["column"]): _cell(cell, pivoted) for _, cell in cells.iterrows()}
    rows = list(dict.fromkeys(cells["row"]))
    corner = f"{quantity(pivoted.rows)} \\ {quantity(pivoted.columns)}"
    grid = {corner: [or_dash(row) for row in rows]}
    # Values that are alike in the digits shown must not share a column.
    heads = distinct(dict.fromkeys(cells["column"]), or_dash)
    for column, head in heads.items():
        grid[head] = [texts.get((row, column), "-") for row in rows]
    return pd.DataFrame(grid)


def _cell(cell: pd.Series, pivoted: Pivot) -> str:
    if pivoted.values == "accuracy":
        return f"{accuracy_interval(cell['mean'], cell['ci'], cell['n'])} ({cell['n']})"
    text = f"{interval(cell['mean'], cell['ci'], '{:+.2f}', cell['n'])} ({cell['n']})"
    return f"{text} {mark(cell['mean'], cell['ci'], cell['gap_p'])}".strip()


def _legend(pivoted: Pivot, reference: str) -> str:
    text = f"{pivoted.images} accuracy % ± 95 % interval (n seeds)"
    if pivoted.values == "gap":
        tests = int(pivoted.cells["gap_p"].notna().sum())
        text = (
            f"gap to {reference}, points ± 95 % interval of each by itself "
            f"(n pairs of runs); {correction(tests)}"
        )
    if pivoted.averaged:
        text += f"; a cell is the mean over: {', '.join(pivoted.averaged)}"
    return text
