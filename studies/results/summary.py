"""The summary of a study: accuracy by case, and how far each falls short of the reference."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rpu_ssnn.common.errors import InputError, one_of
from rpu_ssnn.common.wording import counted
from studies.common.choices import Format
from studies.common.statistics import SIGNIFICANCE, describe, holm, paired_p
from studies.declaration.result import PRUNED, SWEEP_PREFIX
from studies.declaration.update_rules.base import GIVEN_SPIKES
from studies.results.text_table import as_csv, interval, number, render_cells

if TYPE_CHECKING:
    import pandas as pd

NOT_SWEPT = ""
"""In a swept column: the setting does not apply to the case."""

REFERENCE = "reference"
"""Attribute of a results table (`DataFrame.attrs`): the study's reference case."""

GAP = "gap"
"""Column that `with_gaps` adds."""

INPUT = "input"
"""Column that says what a case saw of recorded spikes (`studies.workers.data_columns`)."""

PUBLISHED = "published"
"""Column that `published.beside` adds, with ``_pm`` (as the source gives it) and ``_source``."""

NOT_SIGNIFICANT = "ns"
UNTESTED = "untested"
"""Marks of a difference: not significant; too few seeds to tell."""


def summary(results: pd.DataFrame, reference: str | None = None) -> pd.DataFrame:
    """One row a case and point of the sweep, in the order of the results.

    Columns: ``case``, one ``sweep.*`` column each, ``n`` (seeds), ``accuracy`` (mean test
    accuracy, %), ``accuracy_sd`` (standard deviation), ``accuracy_ci`` (half width of its 95 %
    interval, Student t), ``gap`` (mean of case minus reference over the seeds that both have,
    percentage points: negative is worse), ``gap_ci`` (half width of the interval of those
    differences), ``gap_n`` (seeds that both have), ``gap_p`` (paired t-test, Holm-corrected for
    all gaps of the table), ``gap_significant`` (that p is below 0.05; None: not tested),
    ``min``, ``max``, ``pulses_per_device``, ``saturated_fraction`` (means), ``epochs`` and
    ``images`` (what each run was trained on), and
    ``input`` where input spikes were given. What cannot be computed (an interval from one seed,
    the reference's own gap) is NaN.

    The reference of a swept row is the reference case at the same values of all that it was
    swept over.

    Args:
        results: as `load_results` returns it.
        reference: label of the case that gaps are measured against; None: the study's, which the
            results of `run_study` and `load_results` know, or the one rate case there is.

    Raises:
        InputError: the results hold no row of the reference, or do not tell which case it is.
    """
    import pandas as pd

    paired = with_gaps(results, reference or reference_of(results))
    swept = swept_columns(paired)
    rows = []
    for (case, *point), runs in paired.groupby(["label", *swept], sort=False):
        at = dict(zip(swept, point, strict=True))
        rows.append({"case": case} | at | _statistics(runs))
    table = pd.DataFrame(rows)
    return correct(table)


def reference_of(results: pd.DataFrame) -> str:
    """The case that gaps are measured against, by the results alone.

    Raises:
        InputError: they do not tell.
    """
    known = results.attrs.get(REFERENCE)
    if known is not None:
        return str(known)
    labels = list(dict.fromkeys(results["label"])) if len(results) else []
    of_rate = set(results["label"][results["update"] == "rate"]) if len(results) else set[str]()
    if len(of_rate) != 1:
        allowed = one_of(labels) + ", as there is not one rate case"
        raise InputError("summary", "reference", None, allowed)
    return str(of_rate.pop())


def with_gaps(results: pd.DataFrame, reference: str) -> pd.DataFrame:
    """The results with each run's difference to the reference's run of the same seed and point.

    Swept settings become text-safe keys (`NOT_SWEPT` where they do not apply); ``gap`` is NaN for
    the reference itself and where the reference has no run. Runs that were pruned are left out.

    Raises:
        InputError: the results hold no row of the reference.
    """
    results = without_pruned(results)
    labels = list(dict.fromkeys(results["label"])) if len(results) else []
    if reference not in labels:
        raise InputError("summary", "reference", reference, one_of(labels, reference))
    swept = swept_columns(results)
    # A case that a setting does not apply to has NaN there, which equals nothing: use text.
    paired = results.assign(**{GAP: math.nan}, **{c: as_keys(results[c]) for c in swept})
    of_reference = paired[paired["label"] == reference]
    for (case, *point), runs in paired.groupby(["label", *swept], sort=False):
        if case == reference:
            continue
        other = of_reference
        for column, value in zip(swept, point, strict=True):
            if (other[column] != NOT_SWEPT).any():
                other = other[other[column] == value]
        accuracies = dict(zip(other["seed"], other["test_accuracy"], strict=True))
        paired.loc[runs.index, GAP] = runs["test_accuracy"] - runs["seed"].map(accuracies)
    return paired


def without_pruned(results: pd.DataFrame) -> pd.DataFrame:
    """The runs that came to their end; the others have no test accuracy to average."""
    return results[results[PRUNED].isna()] if PRUNED in results.columns else results


def correct(table: pd.DataFrame) -> pd.DataFrame:
    """Corrects the column ``gap_p`` for its number of tests, and judges ``gap_significant``."""
    import pandas as pd

    corrected = holm(table["gap_p"].tolist())
    judged = [None if p != p else p < SIGNIFICANCE for p in corrected]
    significant = pd.Series(judged, index=table.index, dtype=object)
    return table.assign(gap_p=corrected, gap_significant=significant)


def swept_columns(results: pd.DataFrame) -> list[str]:
    """The columns of swept settings."""
    return [str(column) for column in results.columns if str(column).startswith(SWEEP_PREFIX)]


def as_keys(column: pd.Series) -> pd.Series:
    """Swept values with `NOT_SWEPT` where there is none; whole numbers that a column with gaps
    made floating point are whole again."""
    import pandas as pd

    if pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")
    return column.astype(object).where(column.notna(), NOT_SWEPT)


def _statistics(runs: pd.DataFrame) -> dict[str, Any]:
    accuracy = describe(runs["test_accuracy"].tolist())
    differences = runs[GAP].dropna().tolist()
    gap = describe(differences)
    return {
        "n": accuracy.n,
        "accuracy": accuracy.mean,
        "accuracy_sd": accuracy.sd,
        "accuracy_ci": accuracy.half_width,
        "gap": gap.mean,
        "gap_ci": gap.half_width,
        "gap_n": gap.n,
        "gap_p": paired_p(differences),
        "gap_significant": None,  # known once all are
        "min": accuracy.minimum,
        "max": accuracy.maximum,
        "pulses_per_device": runs["pulses_per_device_mean"].astype(float).mean(),
        "saturated_fraction": runs["saturated_fraction"].astype(float).mean(),
        "epochs": _one_of(runs, "epochs"),
        "images": _one_of(runs, "n_train"),
        **_input(runs),
    }


def _input(runs: pd.DataFrame) -> dict[str, Any]:
    """What the case saw of recorded spikes; nothing where there are none."""
    return {INPUT: runs[INPUT].iloc[0]} if INPUT in runs and runs[INPUT].notna().any() else {}


def _one_of(runs: pd.DataFrame, column: str) -> float:
    """What all runs of a case share; NaN where the rows do not say."""
    return float(runs[column].iloc[0]) if column in runs else math.nan


def render(table: pd.DataFrame, reference: str, style: Format) -> str:
    """The summary as text: Markdown, LaTeX (booktabs) and HTML rounded for reading, CSV exact."""
    if style is Format.csv:
        return as_csv(table)
    cells = readable(table, reference)
    return render_cells(cells, style, 1 + len(swept_columns(table)), legend(table))


def readable(table: pd.DataFrame, reference: str) -> pd.DataFrame:
    """The summary rounded for reading, every cell text.

    Columns: ``n`` seeds; ``pairs`` seeds that the reference has too, where any differ from n;
    ``range`` lowest to highest seed; ``pulses`` a device, up plus down; ``sat.``: share of
    devices at a bound.
    """
    import pandas as pd

    shown: dict[str, list[str]] = {"case": table["case"].tolist()}
    for column in swept_columns(table):
        shown[column.removeprefix(SWEEP_PREFIX)] = [or_dash(value) for value in table[column]]
    shown |= {
        "n": [str(n) for n in table["n"]],
        "accuracy %": intervals(table["accuracy"], table["accuracy_ci"]),
        "sd": numbers(table["accuracy_sd"], "{:.2f}"),
        f"gap to {reference}": intervals(table["gap"], table["gap_ci"], "{:+.2f}"),
        "p": [mark(p, n) for p, n in zip(table["gap_p"], table["gap_n"], strict=True)],
    }
    for column in _differing_budgets(table):
        shown[column] = numbers(table[column], "{:.0f}")
    if PUBLISHED in table:
        shown["published %"] = intervals(table[PUBLISHED], table[f"{PUBLISHED}_pm"])
        shown["source"] = table[f"{PUBLISHED}_source"].tolist()
    with_gap = table["gap"].notna()
    if (table["gap_n"] != table["n"])[with_gap].any():
        shown["pairs"] = numbers(table["gap_n"].where(with_gap), "{:.0f}")
    shown |= {
        "range": [
            "-" if low != low else f"{low:.2f}–{high:.2f}"
            for low, high in zip(table["min"], table["max"], strict=True)
        ],
        "pulses": numbers(table["pulses_per_device"], "{:.1f}"),
        "sat.": numbers(100 * table["saturated_fraction"], "{:.0f} %"),
    }
    return pd.DataFrame(shown)


def legend(table: pd.DataFrame) -> str:
    """What the intervals and the p of a table mean, in one line."""
    tests = int(table["gap_p"].notna().sum())
    differing = _differing_budgets(table)
    shared = [
        counted(round(table[column].iloc[0]), what)
        for column, what in (("images", "training image"), ("epochs", "epoch"))
        if column not in differing and table[column].notna().any()
    ]
    meaning = (
        "± 95 % interval (Student t, uncorrected); p: paired t-test by seed, Holm-corrected for "
        f"{counted(tests, 'comparison')}; {NOT_SIGNIFICANT}: not significant at {SIGNIFICANCE:.2g}"
    )
    return "; ".join([*filter(None, [", ".join(shared)]), meaning, *_partly_seen(table)])


def _partly_seen(table: pd.DataFrame) -> list[str]:
    """The cases that see or use less of recorded spikes than their timing, each once."""
    if INPUT not in table:
        return []
    seen = dict(zip(table["case"], table[INPUT], strict=True))
    return [f"{case}: {what}" for case, what in seen.items() if what != GIVEN_SPIKES]


def _differing_budgets(table: pd.DataFrame) -> list[str]:
    """The budget columns that a reader needs row by row."""
    return [column for column in ("epochs", "images") if table[column].nunique() > 1]


def mark(p: float, pairs: int) -> str:
    """A corrected p, marked where it shows no difference; a dash where nothing was compared."""
    if p != p:
        return UNTESTED if pairs else "-"
    text = "<0.001" if p < 0.001 else f"{p:.3f}"
    return text if p < SIGNIFICANCE else f"{p:.2f} {NOT_SIGNIFICANT}"


def intervals(means: pd.Series, halves: pd.Series, style: str = "{:.2f}") -> list[str]:
    """Means with the half widths of their intervals."""
    return [interval(mean, half, style) for mean, half in zip(means, halves, strict=True)]


def numbers(values: pd.Series, style: str) -> list[str]:
    """Numbers, a dash where there is none."""
    return [number(value, style) for value in values]


def or_dash(value: object) -> str:
    """A swept value as a cell."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return "-" if value == NOT_SWEPT else str(value)
