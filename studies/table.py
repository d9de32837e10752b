"""The summary of a study: accuracy by case, and how far each falls short of the reference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from rpu_ssnn.errors import InputError, one_of
from studies.results import SWEEP_PREFIX

if TYPE_CHECKING:
    import pandas as pd

CONFIDENCE = 0.95

type TableFormat = Literal["md", "csv", "latex", "html"]


def summary(results: pd.DataFrame, reference: str) -> pd.DataFrame:
    """One row a case and point of the sweep, in the order of the results.

    Columns: ``case``, one ``sweep.*`` column each, ``n`` (seeds), ``accuracy`` (mean test
    accuracy, %), ``accuracy_ci`` (half width of its 95 % interval, Student t), ``gap`` (mean of
    case minus reference over the seeds that both have, percentage points: negative is worse),
    ``gap_ci`` (half width of the interval of those differences), ``gap_n`` (seeds that both have),
    ``min``, ``max``, ``pulses_per_device``, ``saturated_fraction`` (means). What cannot be
    computed (an interval from one seed, the reference's own gap) is NaN.

    The reference of a swept row is the reference case at the same values of all that it was
    swept over.

    Args:
        results: as `load_results` returns it.
        reference: label of the case that gaps are measured against.

    Raises:
        InputError: the results hold no row of the reference.
    """
    import pandas as pd

    labels = list(dict.fromkeys(results["label"])) if len(results) else []
    if reference not in labels:
        raise InputError("summary", "reference", reference, one_of(labels, reference))
    swept = [column for column in results.columns if column.startswith(SWEEP_PREFIX)]
    # A case that a setting does not apply to has NaN there, which equals nothing: use text.
    results = results.assign(**{column: _as_keys(results[column]) for column in swept})
    rows = []
    for (case, *point), runs in results.groupby(["label", *swept], sort=False):
        at = dict(zip(swept, point, strict=True))
        other = results[results["label"] == reference]
        for column, value in at.items():
            if (other[column] != NOT_SWEPT).any():
                other = other[other[column] == value]
        rows.append({"case": case} | at | _statistics(runs, other, is_reference=case == reference))
    return pd.DataFrame(rows)


NOT_SWEPT = ""


def _as_keys(column: pd.Series) -> pd.Series:
    return column.map(lambda value: NOT_SWEPT if value is None or value != value else value)


def _statistics(
    runs: pd.DataFrame, reference: pd.DataFrame, is_reference: bool
) -> dict[str, float]:
    accuracy = runs["test_accuracy"]
    mean, half = mean_and_half_width(accuracy.tolist())
    pairs = runs.merge(reference, on="seed", suffixes=("", "_reference"))
    differences = (pairs["test_accuracy"] - pairs["test_accuracy_reference"]).tolist()
    gap, gap_half = (math.nan, math.nan) if is_reference else mean_and_half_width(differences)
    return {
        "n": len(runs),
        "accuracy": mean,
        "accuracy_ci": half,
        "gap": gap,
        "gap_ci": gap_half,
        "gap_n": len(differences),
        "min": accuracy.min(),
        "max": accuracy.max(),
        "pulses_per_device": runs["pulses_per_device_mean"].astype(float).mean(),
        "saturated_fraction": runs["saturated_fraction"].astype(float).mean(),
    }


def mean_and_half_width(values: Sequence[float]) -> tuple[float, float]:
    """Mean, and half width of its 95 % confidence interval (Student t); NaN where undefined."""
    from scipy import stats

    n = len(values)
    if n == 0:
        return math.nan, math.nan
    mean = math.fsum(values) / n
    if n == 1:
        return mean, math.nan
    variance = math.fsum((value - mean) ** 2 for value in values) / (n - 1)
    quantile = float(stats.t.ppf(0.5 + CONFIDENCE / 2, n - 1))
    return mean, quantile * math.sqrt(variance / n)


def render(table: pd.DataFrame, reference: str, style: TableFormat) -> str:
    """The summary as text: Markdown, LaTeX (booktabs) and HTML rounded for reading, CSV exact.

    Rounded columns: ``n`` seeds; ``pulses`` a device, up plus down; ``at bound``: saturated share.
    """
    if style == "csv":
        return table.to_csv(index=False).rstrip("\n")
    readable = _readable(table, reference)
    if style == "latex":
        left = 1 + _n_swept(table)
        styled = readable.style.hide(axis="index").format(escape="latex")
        text = styled.format_index(escape="latex", axis="columns").to_latex(
            hrules=True, column_format="l" * left + "r" * (len(readable.columns) - left)
        )
        return str(text).replace("±", r"$\pm$").rstrip("\n")
    if style == "html":
        return str(readable.to_html(index=False, border=0))  # escapes its cells
    return _markdown(readable, n_left=1 + _n_swept(table))


def _markdown(table: pd.DataFrame, n_left: int) -> str:
    """As narrow as its cells (tabulate pads the headers past the 100 columns of a terminal)."""
    columns = [[str(name), *table[name]] for name in table.columns]
    aligned = []
    for place, cells in enumerate(columns):
        width = max(2, *map(len, cells))
        left = place < n_left
        rule = ":" + "-" * (width - 1) if left else "-" * (width - 1) + ":"
        cells = [cell.ljust(width) if left else cell.rjust(width) for cell in cells]
        aligned.append([cells[0], rule, *cells[1:]])
    return "\n".join(f"| {' | '.join(line)} |" for line in zip(*aligned, strict=True))


def _readable(table: pd.DataFrame, reference: str) -> pd.DataFrame:
    import pandas as pd

    swept = [column for column in table.columns if column.startswith(SWEEP_PREFIX)]
    shown: dict[str, list[str]] = {"case": table["case"].tolist()}
    shown |= {c.removeprefix(SWEEP_PREFIX): [_or_dash(v) for v in table[c]] for c in swept}
    shown |= {
        "n": [str(n) for n in table["n"]],
        "accuracy %": _interval(table["accuracy"], table["accuracy_ci"], "{:.2f}"),
        f"gap to {reference}": _interval(table["gap"], table["gap_ci"], "{:+.2f}"),
        "pairs": _numbers(table["gap_n"].where(table["gap"].notna()), "{:.0f}"),
        "min": _numbers(table["min"], "{:.2f}"),
        "max": _numbers(table["max"], "{:.2f}"),
        "pulses": _numbers(table["pulses_per_device"], "{:.1f}"),
        "at bound": _numbers(100 * table["saturated_fraction"], "{:.1f} %"),
    }
    return pd.DataFrame(shown)


def _interval(means: pd.Series, halves: pd.Series, style: str) -> list[str]:
    return [
        f"{_number(mean, style)} ± {half:.2f}" if half == half else _number(mean, style)
        for mean, half in zip(means, halves, strict=True)
    ]


def _numbers(values: pd.Series, style: str) -> list[str]:
    return [_number(value, style) for value in values]


def _number(value: float, style: str) -> str:
    if value != value:
        return "-"
    text = style.format(value)
    return text.replace("-", "+") if text.strip("-0.") == "" else text  # no minus zero


def _or_dash(value: object) -> str:
    return "-" if value == NOT_SWEPT else str(value)


def _n_swept(table: pd.DataFrame) -> int:
    return sum(column.startswith(SWEEP_PREFIX) for column in table.columns)
