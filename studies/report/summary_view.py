"""Shows the summary of a study as a Markdown table."""

import pandas as pd

from rpu_ssnn.common.wording import counted, listed
from studies.common.statistics import SIGNIFICANCE, UNTESTED, correction, mark
from studies.declaration.update_rules.base import GIVEN_SPIKES
from studies.results.grouping import swept_cells, swept_columns
from studies.results.summary import INPUT, PUBLISHED
from studies.results.text_table import Table, accuracy_interval, interval, number


def readable(table: pd.DataFrame, reference: str) -> Table:
    """Returns the summary rounded for reading, with its legend.

    Accuracy and gap come first, so that a phone shows them. ``n`` is the number of seeds. ``pairs``
    is the number of seeds that the reference has too (of drawn devices, if any were drawn from a
    fit), and is shown if it differs from n anywhere."""
    shown: dict[str, list[str]] = {"case": table["case"].tolist()}
    shown |= swept_cells(table)
    accuracies = zip(table["accuracy"], table["accuracy_ci"], table["n"], strict=True)
    shown["validation %" if _on_validation_images(table) else "accuracy %"] = [
        accuracy_interval(*of_case) for of_case in accuracies
    ]
    for column, name in (("sd_seeds", "seeds ±"), ("sd_fit", "fit ±")):
        if column in table:
            shown[name] = numbers(table[column], "{:.2f}")
    gaps = zip(table["gap"], table["gap_ci"], table["gap_n"], strict=True)
    shown[f"gap to {reference}"] = [interval(gap, ci, "{:+.2f}", n) for gap, ci, n in gaps]
    shown |= _tests(table)
    shown["n"] = [str(n) for n in table["n"]]
    for column in _differing_budgets(table):
        shown[column] = numbers(table[column], "{:.0f}")
    if PUBLISHED in table:
        published = zip(table[PUBLISHED], table[f"{PUBLISHED}_pm"], strict=True)
        shown["published %"] = [interval(mean, half) for mean, half in published]
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
    return Table(pd.DataFrame(shown), 1 + len(swept_columns(table)), legend(table), table)


def legend(table: pd.DataFrame) -> list[str]:
    """Explains in lines the intervals, the p values and the last columns of a table."""
    tests = int(table["gap_p_holm"].notna().sum())
    differing = _differing_budgets(table)
    shared = [
        counted(round(table[column].max()), what)
        for column, what in (("images", "training sample"), ("epochs", "epoch"))
        if column not in differing and table[column].notna().any()
    ]
    measured = f"accuracies on {listed(table['accuracy_on'].dropna().unique().tolist())}"
    deviations = (
        "seeds ±, fit ±: standard deviation between the seeds of one device, and between devices "
        "that the fit allows; the intervals include both"
    )
    return [
        *([", ".join(shared)] if shared else []),
        *([measured] if _on_validation_images(table) else []),
        "±: 95 % interval (Student t)",
        "gaps are paired by seed, with uncorrected intervals and p",
        *correction(tests),
        *([deviations] if "sd_fit" in table else []),
        "range: from the lowest to the highest seed",
        "sat.: share of devices at a bound",
        "pulses: mean number of a device, up plus down",
        *_partly_seen(table),
    ]


def _on_validation_images(table: pd.DataFrame) -> bool:
    return bool(table["accuracy_on"].str.contains("validation").any())


def _partly_seen(table: pd.DataFrame) -> list[str]:
    """Names the cases that do not use all of the timing of recorded spikes."""
    if INPUT not in table:
        return []
    seen = dict(zip(table["case"], table[INPUT], strict=True))
    known = {case: what for case, what in seen.items() if isinstance(what, str)}
    return [f"{case}: {what}" for case, what in known.items() if what != GIVEN_SPIKES]


def _differing_budgets(table: pd.DataFrame) -> list[str]:
    """Returns those of the columns `epochs` and `images` in which rows differ."""
    return [column for column in ("epochs", "images") if table[column].nunique() > 1]


def _tests(table: pd.DataFrame) -> dict[str, list[str]]:
    """Returns the p of each gap by itself and, if there are several gaps, corrected with its
    mark."""
    gaps = [table[column] for column in ("gap", "gap_ci", "gap_p_holm", "gap_n")]
    marked = [marked_p(*of_case) for of_case in zip(*gaps, strict=True)]
    if table["gap_p_holm"].notna().sum() < 2:
        return {"p": marked}
    alone = zip(table["gap_p_alone"], table["gap_n"], strict=True)
    return {"p": [p_text(p, n) for p, n in alone], "p Holm": marked}


def marked_p(mean: float, half_width: float, p: float, pairs: int) -> str:
    """Returns a corrected p with the mark of its difference."""
    return f"{p_text(p, pairs)} {mark(mean, half_width, p) if p == p else ''}".strip()


def p_text(p: float, pairs: int) -> str:
    """Returns a p as text, or a dash if nothing was compared."""
    if p != p:
        return UNTESTED if pairs else "-"
    if p >= SIGNIFICANCE:
        return f"{p:.2f}"
    # A significant p is not rounded up to the limit.
    return "<0.001" if p < 0.001 else f"{p:.3f}" if p < 0.0495 else f"{min(p, 0.0499):.4f}"


def numbers(values: pd.Series, style: str) -> list[str]:
    """Returns numbers as text, with a dash for NaN."""
    return [number(value, style) for value in values]
