"""Shows the summary of a study as a Markdown table."""

import pandas as pd

from rpu_ssnn.common.wording import counted, listed
from studies.common.statistics import SIGNIFICANCE, UNTESTED, correction, mark
from studies.declaration.update_rules.base import GIVEN_SPIKES
from studies.results.grouping import named_rows, swept_columns
from studies.results.summary import INPUT, PUBLISHED
from studies.results.text_table import Table, accuracy_interval, interval, number


def readable(table: pd.DataFrame, reference: str) -> Table:
    """Returns the summary rounded for reading, with its legend.

    Accuracy and gap come first, so that a phone shows them. ``n`` is the number of seeds. ``pairs``
    is the number of seeds that the reference has too (of drawn devices, where the interval is that
    of their means), and is shown if it differs from n anywhere."""
    budgets = _differing_budgets(table)
    accuracy = "validation %" if _on_validation_images(table) else "accuracy %"
    deviations = {"sd seeds": "sd_seeds", "sd fit": "sd_fit"} if "sd_fit" in table else {}
    several = table["gap_p_holm"].notna().sum() > 1
    unlike = (table["gap_n"] != table["n"])[table["gap"].notna()].any()
    rows = []
    for cells, row in named_rows(table):
        gap, pairs = (row["gap"], row["gap_ci"]), row["gap_n"]
        cells[accuracy] = accuracy_interval(row["accuracy"], row["accuracy_ci"], row["n"])
        cells |= {name: number(row[column]) for name, column in deviations.items()}
        cells[f"gap to {reference}"] = interval(*gap, "{:+.2f}", pairs)
        marked = marked_p(*gap, row["gap_p_holm"], pairs)
        alone = p_text(row["gap_p_alone"], pairs)
        cells |= {"p": alone, "p Holm": marked} if several else {"p": marked}
        cells["n"] = str(row["n"])
        cells |= {column: number(row[column], "{:.0f}") for column in budgets}
        if PUBLISHED in table:
            cells["published %"] = interval(row[PUBLISHED], row[f"{PUBLISHED}_pm"])
            cells["source"] = row[f"{PUBLISHED}_source"]
        if unlike:
            cells["pairs"] = f"{pairs:.0f}" if row["gap"] == row["gap"] else "-"
        low, high = row["min"], row["max"]
        cells["range"] = "-" if low != low else f"{low:.2f}–{high:.2f}"
        cells["pulses"] = number(row["pulses_per_device"], "{:.1f}")
        cells["sat."] = number(100 * row["saturated_fraction"], "{:.0f} %")
        rows.append(cells)
    return Table(pd.DataFrame(rows), 1 + len(swept_columns(table)), legend(table), table)


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
        "sd seeds, sd fit: standard deviation between the seeds of one device, and between devices "
        "that the fit allows; the intervals include both"
    )
    return [
        *([", ".join(shared)] if shared else []),
        *([measured] if _on_validation_images(table) else []),
        "±: 95 % interval (Student t)",
        "gaps are paired by seed, with uncorrected intervals and p",
        *correction(tests, bool((table["gap_p_holm"].isna() & (table["gap_n"] > 0)).any())),
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
