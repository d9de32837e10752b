"""The difference of two result folders in words and tables."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from rpu_ssnn.common.wording import counted
from studies.common.choices import Format
from studies.common.statistics import SIGNIFICANCE
from studies.report.diff import Difference
from studies.results.summary import NOT_SIGNIFICANT, intervals, mark, numbers
from studies.results.text_table import as_csv, render_cells


def diff_text(difference: Difference, style: Format) -> str:
    """Tables of the settings that differ and of the accuracies' changes; CSV: the latter alone."""
    if style is Format.csv:
        return as_csv(difference.changes)
    parts = []
    if len(difference.settings):
        parts.append(render_cells(difference.settings, style, n_left=4))
    if len(difference.changes):
        parts.append(render_cells(_readable(difference.changes), style, 2, _legend(difference)))
    return "\n\n".join(parts) or "no case is in both folders"


def remarks(difference: Difference) -> Iterator[str]:
    """What the tables do not say."""
    if difference.versions is not None:
        yield f"versions: A {difference.versions[0]}; B {difference.versions[1]}"
    for folder, titles in (("A", difference.only_a), ("B", difference.only_b)):
        if titles:
            yield f"only in {folder}: {', '.join(titles)}"
    changes = difference.changes
    if len(changes):
        significant = int((changes["p"] < SIGNIFICANCE).sum())
        equal = int((changes["identical"] == changes["pairs"]).sum())
        yield (
            f"{counted(len(changes), 'case')} in both: {significant} changed significantly, "
            f"{equal} the same in every pair"
        )


def _readable(changes: pd.DataFrame) -> pd.DataFrame:
    same = (changes["identical"] == changes["pairs"]) & (changes["pairs"] > 0)
    tested = zip(changes["p"], changes["pairs"], same, strict=True)
    return pd.DataFrame(
        {
            "case": changes["case"],
            "settings": changes["settings"],
            "n A": changes["n_a"].map(str),
            "n B": changes["n_b"].map(str),
            "A %": numbers(changes["a"], "{:.2f}"),
            "B %": numbers(changes["b"], "{:.2f}"),
            "B - A": intervals(changes["change"], changes["change_ci"], "{:+.2f}"),
            "pairs": changes["pairs"].map(str),
            "p": ["identical" if equal else mark(p, n) for p, n, equal in tested],
        }
    )


def _legend(difference: Difference) -> str:
    tests = int(difference.changes["p"].notna().sum())
    return (
        "B - A: points ± 95 % interval, paired by seed; p: paired t-test, Holm-corrected for "
        f"{counted(tests, 'comparison')}; {NOT_SIGNIFICANT}: "
        f"not significant at {SIGNIFICANCE:.2g}; identical: equal in every pair"
    )
