"""The page of results, written from the kept rows: `python -m tools.results_page`.

`docs/results/page.yaml` says which files stand under which heading, and which bars are set; every
number that was measured comes from the rows. `--check` writes nothing and fails where the page and
the rows disagree.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from rpu_ssnn.common.wording import counted
from studies.common.statistics import describe
from studies.declaration.result import SWEEP_PREFIX
from studies.declaration.shipped import find_study, shipped_files
from studies.declaration.study import Study
from studies.execution.progress import duration
from studies.report.summary_view import legend, readable
from studies.results.published import beside
from studies.results.summary import summary
from studies.results.text_table import interval, render_cells

RESULTS = Path(__file__).parents[1] / "docs" / "results"
PAGE, LAYOUT = "index.md", "page.yaml"
COMMAND = "python -m tools.results_page"
QUESTIONS = ("_require_", "_attribute_")
"""Between a study's name and the device's, in the rows of a question on one device."""

LONGEST = 40
"""Rows of a table that is no study's; of a longer one only the file is named."""

INTRODUCTION = f"""\
# Results

Written by `{COMMAND}` from the rows in this folder; a test compares page and rows. No number here
was typed. `reached` and `accuracy %` are means over seeds with the 95 % interval (Student t); the
test set was read once a run, at its end. What each file was made by and on is in
[the list of files](sources.md); why something falls short is in [what was tried](../tried.md).
"""


@dataclass(frozen=True)
class Bar:
    """A value that some rows are to reach.

    Attributes:
        what: the row in words.
        file: in this folder; several with spaces between.
        case: label of the rows.
        at_least: accuracy (%); or, with `below`, the largest gap (points) below that case.
        why_missed: shown where the bar is missed.
        at: values of swept settings of the rows, and `below_at` of those they are compared with.
        seeds: how many the bar asks for; with fewer it is neither held nor missed.
    """

    what: str
    file: str
    case: str
    at_least: float
    below: str = ""
    why_missed: str = ""
    seeds: int = 3
    at: Mapping[str, str] = field(default_factory=dict)
    below_at: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reached:
    """What the rows have of a bar: n, mean and half width over seeds, and what is missing."""

    n: int
    mean: float
    half_width: float
    short_by: float


def bar_reached(bar: Bar, rows: pd.DataFrame) -> Reached:
    """The bar's rows against the bar.

    Raises:
        ValueError: the file has no row of the case, several of a seed, or no seed that both cases
            have.
    """
    values = _by_seed(rows, bar.case, bar.at)
    if bar.below:
        values = (values - _by_seed(rows, bar.below, bar.below_at)).dropna()
    sample = describe(values.tolist())
    if not sample.n:
        raise ValueError(f"{bar.file}: no rows of {bar.case!r} (against {bar.below!r})")
    wanted = -bar.at_least if bar.below else bar.at_least
    return Reached(sample.n, sample.mean, sample.half_width, wanted - sample.mean)


def _by_seed(rows: pd.DataFrame, case: str, at: Mapping[str, str]) -> pd.Series:
    chosen = rows[rows["label"] == case]
    for path, value in at.items():
        chosen = chosen[chosen[f"{SWEEP_PREFIX}{path}"].astype(str) == value]
    if chosen["seed"].duplicated().any():
        raise ValueError(f"{case!r} has several rows a seed: {LAYOUT} must say `at` which point")
    return chosen.set_index("seed")["test_accuracy"]


def bars_table(bars: Sequence[Bar], folder: Path) -> str:
    """One line a bar: what is asked, what the rows have, and by how much it is missed."""
    lines = []
    for bar in bars:
        found = bar_reached(bar, rows_of(folder, bar.file))
        asked = f"≥ {bar.at_least:.2f}"
        if bar.below:
            point = "".join(f" at {path} {value}" for path, value in bar.below_at.items())
            asked = f"≤ {bar.at_least:.2f} below {bar.below}{point}"
        verdict = _verdict(found, bar.seeds)
        lines.append(
            {
                "row": bar.what,
                "bar": asked,
                "reached": interval(
                    found.mean, found.half_width, "{:+.2f}" if bar.below else "{:.2f}"
                ),
                "seeds": str(found.n),
                "verdict": verdict,
                "cause": bar.why_missed if found.short_by > 0 else "",
                "rows": _links("csv", bar.file),
            }
        )
    return render_cells(pd.DataFrame(lines), "md", n_left=2)


def rows_of(folder: Path, files: str) -> pd.DataFrame:
    """The rows of one file, or of several with spaces between their names."""
    return pd.concat([pd.read_csv(folder / file) for file in files.split()], ignore_index=True)


def _links(text: str, files: str) -> str:
    return ", ".join(f"[{text}]({file})" for file in files.split())


def _verdict(found: Reached, seeds: int) -> str:
    """By the mean over seeds, where there are as many as asked for."""
    if found.n < seeds:
        return f"open: {found.n} of {seeds} seeds"
    return f"missed by {found.short_by:.2f}" if found.short_by > 0 else "held"


def declared_study(name: str) -> tuple[Study | None, str]:
    """The shipped study that rows of this name belong to, and the command that makes them."""
    for between, command in zip(QUESTIONS, ("require", "attribute"), strict=True):
        study, found, device = name.partition(between)
        if found and study in shipped_files():
            return find_study(study), f"rpu-ssnn {command} {study} --device {device}"
    if name in shipped_files():
        return find_study(name), f"rpu-ssnn run {name}"
    return None, ""


def reference_of(rows: pd.DataFrame) -> tuple[str, bool]:
    """The case that the others are compared with, and whether the study names it."""
    study, _ = declared_study(str(rows["study"].iloc[0]))
    labels = list(dict.fromkeys(rows["label"]))
    known = study is not None and study.reference_label in labels
    return (study.reference_label if study and known else labels[0]), known


def study_section(rows: pd.DataFrame, file: str) -> str:
    """Question, command, cost and summary of a study's rows."""
    study, command = declared_study(str(rows["study"].iloc[0]))
    reference, known = reference_of(rows)
    table = summary(rows, reference)
    # Rows of a question have points of their own, beside which nothing was published.
    if study is not None and study.study == rows["study"].iloc[0]:
        table = beside(table, study)
    cells = readable(table, reference)
    compared = [f"gap to {reference}", "p"]
    unneeded = [c for c in cells if (cells[c] == "-").all() or (c in compared and not known)]
    cells = cells.drop(columns=unneeded)
    seconds = rows["seconds"].astype(float)
    cost = (
        f"{counted(len(rows), 'run')}, {counted(rows['seed'].nunique(), 'seed')}; a run took "
        f"{duration(seconds.median())} "
        f"(median; {duration(seconds.min())} to {duration(seconds.max())}), all of them "
        f"{duration(seconds.sum())}, on {_threads(rows)}."
    )
    question = " ".join(study.question.split()) if study else ""
    given = "".join(f" --rows docs/results/{name}" for name in file.split())
    made = f"`{command}{given}`" if command else "a study of its own"
    parts = [question, f"{_links('Rows', file)}; {made}. {cost}"]
    parts.append(render_cells(cells, "md", n_left=1, note=legend(table)))
    return "\n\n".join(filter(None, parts))


def _threads(rows: pd.DataFrame) -> str:
    counts = sorted({int(n) for n in rows["threads"].dropna()})
    return " or ".join(map(str, counts)) + (" thread" if counts == [1] else " threads")


def other_section(rows: pd.DataFrame, file: str, made_by: str) -> str:
    """A table that is no study's, whole where it is short."""
    head = f"[Rows]({file}); `{made_by}`." if made_by else f"[Rows]({file})."
    if len(rows) > LONGEST:
        return f"{head} {len(rows)} lines of {', '.join(f'`{c}`' for c in rows)}."
    cells = rows.map(lambda value: f"{value:.4g}" if isinstance(value, float) else str(value))
    return f"{head}\n\n{render_cells(cells, 'md')}"


def page(folder: Path = RESULTS) -> str:
    """The whole page, from the layout and the rows of a folder.

    Raises:
        ValueError: a file of rows is under no heading, or under two; a bar has no rows.
    """
    layout = yaml.safe_load((folder / LAYOUT).read_text(encoding="utf-8"))
    headings: Mapping[str, Mapping[str, Any]] = layout["headings"]
    keys = [key for files in headings.values() for key in files]
    _every_file_once(folder, [file for key in keys for file in key.split()])
    bars = [Bar(**entry) for entry in layout["bars"]]
    parts = [INTRODUCTION, "## Bars", bars_table(bars, folder)]
    for heading, files in headings.items():
        parts.append(f"## {heading}")
        for file, made_by in files.items():
            rows = rows_of(folder, file)
            parts.append(f"### {file.split()[0].removesuffix('.csv')}")
            of_study = {"study", "test_accuracy"} <= set(rows.columns)
            parts.append(
                study_section(rows, file) if of_study else other_section(rows, file, made_by or "")
            )
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _every_file_once(folder: Path, listed: Sequence[str]) -> None:
    there = {path.name for path in folder.glob("*.csv") if not path.stem.endswith("_curves")}
    for name in sorted(there ^ set(listed)) + [f for f in listed if listed.count(f) > 1]:
        raise ValueError(f"{folder / LAYOUT}: {name} must be listed once, and be there")


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the page, or with `--check` compares it; 1 where they differ."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    target, text = RESULTS / PAGE, page()
    if parser.parse_args(arguments).check:
        same = target.exists() and target.read_text(encoding="utf-8") == text
        if not same:
            print(f"{target} is not what the rows give: run {COMMAND}", file=sys.stderr)
        return 0 if same else 1
    target.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
