"""Shows an attribution as lines of text and as a bar plot."""

from pathlib import Path

import pandas as pd
from matplotlib.patches import Rectangle

from studies.common.statistics import FEWEST_SEEDS, MARKS, mark
from studies.report.figure_style import finish_axes, looks, new_figure, plain, save
from studies.report.figures import legend_below
from studies.results.text_table import Table, interval
from studies.sensitivity.attribution import INTERACTION, REMAINING, TOTALS, Attribution

FILE, FIGURE = "attribution.csv", "attribution.png"

_NOTES = (
    "mean differences of accuracies by seed, percentage points, with 95 % intervals",
    "recovered: gained by switching off this imperfection alone",
    "lost: lost by switching on this imperfection alone",
    f"{INTERACTION}: if significant, imperfections interact",
    f"{REMAINING}: reference minus the device with all off, a loss that no imperfection explains",
    *MARKS,
)
_WIDTH_INCHES, _ROW_INCHES = 7.0, 0.42


def lines(found: Attribution) -> list[str]:
    """Returns the notes, the answer in words, and the ranked table."""
    if not len(found.table):
        return [*found.notes, "there is nothing to rank"]
    table = Table(_readable(found.table), 2, _NOTES).markdown
    return [*found.notes, found.sentence, "", table]


def draw(found: Attribution, device: str, root: Path) -> Path:
    """Draws bars for what each imperfection recovers and loses, costliest on top, then the totals.

    A hollow bar is not significant.

    Raises:
        InputError: the folder cannot be written to.
    """
    table = found.table[found.table["imperfection"] != INTERACTION]
    figure = new_figure(_WIDTH_INCHES, 1.5 + _ROW_INCHES * len(table))
    axes = figure.subplots()
    words = {"recovered": "switched off alone: recovered", "lost": "switched on alone: lost"}
    hollow: list[tuple[Rectangle, str]] = []
    for (kind, label), look in zip(words.items(), looks(words).values(), strict=True):
        up = kind == "recovered"
        bars = axes.barh(
            [place + (-0.2 if up else 0.2) for place in range(len(table))],
            table[kind],
            height=0.38,
            xerr=table[f"{kind}_ci"].where(table[f"{kind}_n"] >= FEWEST_SEEDS, 0.0),
            color=look.colour,
            edgecolor="white",
            error_kw={"lw": 1.0, "capsize": 2.5},
            label=label,
        )
        hollow += [
            (bar, look.colour)
            for bar, (_, row) in zip(bars, table.iterrows(), strict=True)
            if mark(row[kind], row[f"{kind}_ci"], row[f"{kind}_p_holm"])
        ]
    axes.set_yticks(range(len(table)), [plain(name) for name in table["imperfection"]])
    axes.invert_yaxis()
    axes.axvline(0.0, color="black", lw=0.8)
    n_totals = table["imperfection"].isin(TOTALS).sum()
    axes.axhline(len(table) - n_totals - 0.5, color="black", lw=0.6, ls=":")
    # With three seeds an interval may span hundreds of points, more than accuracies can differ.
    widest = max(100.0, 1.05 * float(table[["recovered", "lost"]].abs().max().max()))
    left, right = axes.get_xlim()
    axes.set_xlim(max(left, -widest), min(right, widest))
    legend_below(figure, [axes], _WIDTH_INCHES)
    for bar, colour in hollow:
        bar.set(facecolor="white", edgecolor=colour)
    unit = "points, paired by seed, with 95 % interval; hollow: not significant"
    finish_axes(axes, f"change of accuracy ({unit})", grid="x")
    axes.set_title(plain(f"{device}: what each imperfection costs"), fontsize=9)
    return save(figure, root / FIGURE)


def _readable(table: pd.DataFrame) -> pd.DataFrame:
    rows = [
        {
            "imperfection": row["imperfection"],
            "set": "" if row["imperfection"] in TOTALS else row["value"],
            "recovered": _effect(row, "recovered"),
            "lost": _effect(row, "lost"),
            "n": f"{row[['recovered_n', 'lost_n']].min():.0f}",
        }
        for _, row in table.iterrows()
    ]
    return pd.DataFrame(rows)


def _effect(row: pd.Series, kind: str) -> str:
    difference = row[kind], row[f"{kind}_ci"]
    marked = mark(*difference, row[f"{kind}_p_holm"])
    return f"{interval(*difference, '{:+.2f}', row[f'{kind}_n'])} {marked}".strip()
