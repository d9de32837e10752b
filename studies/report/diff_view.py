"""The difference of two result folders in words and tables."""

from collections.abc import Iterator

import pandas as pd

from rpu_ssnn.common.wording import counted
from studies.common.choices import Format
from studies.common.statistics import SIGNIFICANCE, correction
from studies.report.diff import Difference
from studies.report.summary_view import differences, marked_p, numbers
from studies.results.text_table import as_csv, render_cells


def diff_text(difference: Difference, style: Format) -> str:
    """Tables of the settings that differ and of the accuracies' changes; CSV: the latter alone."""
    if style == "csv":
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
        equal = int(_same(changes).sum())
        yield (
            f"{counted(len(changes), 'case')} in both: {significant} changed significantly, "
            f"{equal} the same in every pair"
        )


def _same(changes: pd.DataFrame) -> pd.Series:
    """Whether a case has pairs, and all of them are equal."""
    return (changes["identical"] == changes["pairs"]) & (changes["pairs"] > 0)


def _readable(changes: pd.DataFrame) -> pd.DataFrame:
    cells = [changes[column] for column in ("change", "change_ci", "p", "pairs")]
    tested = zip(_same(changes), *cells, strict=True)
    return pd.DataFrame(
        {
            "case": changes["case"],
            "settings": changes["settings"],
            "n A": changes["n_a"].map(str),
            "n B": changes["n_b"].map(str),
            "A %": numbers(changes["a"], "{:.2f}"),
            "B %": numbers(changes["b"], "{:.2f}"),
            "B - A": differences(cells[0], cells[1], cells[3]),
            "pairs": changes["pairs"].map(str),
            "p Holm": ["identical" if equal else marked_p(*of_case) for equal, *of_case in tested],
        }
    )


def _legend(difference: Difference) -> str:
    tests = int(difference.changes["p"].notna().sum())
    other_images = difference.settings["setting"].eq("measure").any()
    warned = "A and B are accuracies on other images (`measure`); " if other_images else ""
    return (
        f"{warned}B - A: points ± 95 % interval of each by itself, paired by seed; "
        f"{correction(tests)}; identical: equal in every pair"
    )
