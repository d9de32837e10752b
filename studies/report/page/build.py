"""Fills the template of the report from an output folder, which is only read."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from rpu_ssnn.common import strict_yaml
from rpu_ssnn.common.files import read_text, refuse_unwritable, refusing, user_path, write_whole
from studies.common.choices import Kind
from studies.common.quantities import quantity
from studies.declaration.shipped import find_study
from studies.declaration.study import STUDY_FILE, Study
from studies.execution.study_runs import files_of_rows, refuse_empty, shown_contents
from studies.report.draw import StudyFigures
from studies.report.page.headline import headline
from studies.report.page.sections import (
    Picture,
    Section,
    answers,
    around_devices,
    drawn,
    ledger,
)
from studies.report.page.warnings import warnings_of
from studies.report.summary_view import readable
from studies.results import caveats
from studies.results.summary import beside

_CAPTIONS: dict[Kind, str] = {
    "gaps": "Accuracy of each case, and its gap to the reference, paired by seed, with their 95 % "
    "intervals. Dots are seeds. Hatched bars are not significant or untested; bars that are only "
    "hollow are not significant after Holm's correction.",
    "sweep": "Accuracy over {x}, mean over seeds with its 95 % interval.",
    "curves": "Accuracy by epoch: {curves}; a dotted line is a case without epochs.",
}

_MADE_WITH = ("machine", "threads", "data_digest")


def write_report(
    root: Path | str, path: Path | str | None = None, rows: Path | str | Sequence[Path | str] = ()
) -> Path:
    """Writes the report of an output folder.

    >>> from studies import write_report
    >>> write_report("out/my_study")  # doctest: +SKIP
    PosixPath('out/my_study/report.html')

    Args:
        root: an output folder, or a study as in `studies.load_results`.
        path: file to write; None means ``report.html`` in the folder or, for a study,
            ``NAME_report.html``.
        rows: one or several results files whose rows count too.

    Raises:
        InputError: `root` is not an output folder or has no finished trial, rows differ, or the
            file cannot be written.
    """
    root = user_path("write_report", "root", root)
    if path is not None:
        path = user_path("write_report", "path", path)
        refuse_unwritable("write_report", "path", path, (".html", ".htm"))
    text = report_html(root, files_of_rows("write_report", rows))
    if path is not None:
        target = path
    elif root.is_dir():
        target = root / "report.html"
    else:
        target = Path(f"{find_study(str(root)).study}_report.html")
    with refusing(target, "must be a writable file", OSError, field="report"):
        write_whole(target, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    return target


def report_html(root: Path, rows: Sequence[Path] = ()) -> str:
    """Returns the report as HTML that needs no other file, with every name escaped.

    Raises:
        InputError: `root` is not an output folder or has no finished trial, or rows differ.
    """
    found = shown_contents(root, rows)
    study, runs = found.study, found.runs
    refuse_empty(root, found)
    figures = StudyFigures(study, runs)
    results = figures.results
    warnings = warnings_of(found, root, results)
    reference = study.reference_label
    answer: list[str] = []
    sections = [Section("Figures", list(_pictures(figures)), [])]
    if figures.is_compared:
        table = figures.summary
        answer += headline(runs, results, table, reference)
        warnings = [*caveats.of_reference(study, table, runs), *warnings]
        sections.append(_summary(beside(table, study), reference))
    else:
        missing = f"The reference {reference} has no finished trial, so nothing is compared."
        warnings = [missing, *warnings]
    sections += [*answers(root), *ledger(results)]
    sections += [*around_devices(runs, study.chip)]
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        study=study,
        reference=reference,
        done=len(found.runs),
        total=sum(len(point.seeds) for point in study.points()),
        answer=answer,
        warnings=warnings,
        sections=[section for section in sections if section.pictures or section.tables],
        declaration=_declaration(study, root),
        versions=_versions(results),
        made=time.strftime("%Y-%m-%d %H:%M"),
    )


def _declaration(study: Study, root: Path) -> str:
    """Returns the text of the study as run or, for rows without a folder, with all defaults."""
    if root.is_dir():
        return read_text(root / STUDY_FILE)
    return strict_yaml.dump(study.model_dump(mode="json"), "With every default written out.")


def _summary(table: pd.DataFrame, reference: str) -> Section:
    shown = readable(table, reference)
    note = (
        f"{shown.note}; range: from the lowest to the highest seed; pulses: mean number of a "
        "device, up plus down; sat.: share of devices at a bound"
    )
    return Section("Summary", [], [replace(shown, note=note)])


def _pictures(figures: StudyFigures) -> Iterator[Picture]:
    kinds = figures.kinds()
    for kind, caption in _CAPTIONS.items():
        for x in figures.swept_paths if kind == "sweep" else [None]:
            if kind in kinds:
                words = caption.format(x=x and quantity(x), curves=figures.curves_in_words)
                yield drawn(words, partial(figures.draw, kind, x))


def _versions(results: pd.DataFrame) -> list[tuple[str, str]]:
    names = [str(c) for c in results.columns if str(c).endswith("_version") or c in _MADE_WITH]
    return [(name, ", ".join(map(str, results[name].dropna().unique()))) for name in names]
