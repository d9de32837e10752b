"""Fills the report's template from a result folder, which is only read."""

import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from rpu_ssnn.common import strict_yaml
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.files import read_text, refusing, write_whole
from studies.common.choices import Kind
from studies.common.quantities import quantity
from studies.declaration.shipped import find_study
from studies.declaration.study import STUDY_FILE, Study
from studies.execution.study_runs import refuse_empty, shown_contents
from studies.report.draw import StudyFigures
from studies.report.page.headline import contenders, headline
from studies.report.page.sections import Picture, Section, Table, answers, drawn, ledger, responses
from studies.report.page.warnings import Cautions, cautions
from studies.report.summary_view import legend, readable
from studies.results import caveats
from studies.results.published import beside
from studies.results.summary import swept_cells, swept_columns, with_values
from studies.results.text_table import number

_CAPTIONS: dict[Kind, str] = {
    "gaps": "Gap of each case to the reference, paired by seed; line: 95 % interval; hatched "
    "(ns): not significant; hollow, (ns): not significant after Holm's correction.",
    "sweep": "Accuracy over {x}; bar: 95 % interval of the mean.",
    "curves": "Accuracy by epoch, mean over seeds; band: 95 % interval; of more than four cases "
    "a thin line a seed; dotted: cases without epochs.",
}

_RUN_COLUMNS = {
    "seed": ("seed", "{:.0f}"),
    "test_accuracy": ("test %", "{:.2f}"),
    "validation_accuracy": ("validation %", "{:.2f}"),
    "learning_rate": ("learning rate", "{:g}"),
    "weight_range": ("weight range", "{:g}"),
    "pulses_per_device_mean": ("pulses a device", "{:.1f}"),
    "saturated_fraction": ("at a bound", "{:.3f}"),
    "seconds": ("seconds", "{:.1f}"),
    "peak_memory_mb": ("MiB", "{:.0f}"),
}
"""Numbers of a run that the report shows: column of the results to heading and format."""

_MADE_WITH = ("machine", "threads", "data_digest")


def write_report(
    root: Path | str, path: Path | str | None = None, rows: Sequence[Path | str] = ()
) -> Path:
    """Writes the report of a result folder.

    Args:
        root: output folder, or a study as `studies.load_results` takes it.
        path: file to write; None: ``report.html`` in the folder, of a study ``NAME_report.html``.
        rows: results files whose rows count too.

    Raises:
        InputError: not a result folder, no finished trial, rows that differ, or the file cannot be
            written.
    """
    root = Path(root)
    text = report_html(root, [Path(file) for file in rows])
    if path is not None:
        target = Path(path)
    elif root.is_dir():
        target = root / "report.html"
    else:
        target = Path(f"{find_study(str(root)).study}_report.html")
    with refusing(target, "must be a writable file", OSError, field="report"):
        write_whole(target, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    return target


def report_html(root: Path, rows: Sequence[Path] = ()) -> str:
    """The report as text: complete in itself, every name escaped.

    Raises:
        InputError: not a result folder, no finished trial, or rows that differ.
    """
    damaged: list[InputError] = []
    bad: list[InputError] = []
    found = shown_contents(root, rows, damaged.append, bad.append)
    study, runs = found.study, found.complete
    refuse_empty(root, runs)
    figures = StudyFigures(study, runs)
    results = figures.results
    warnings = cautions(found, root, results, damaged, bad)
    reference = study.reference_label
    answer: list[str] = []
    sections = [Section("Figures", list(_pictures(figures)), [])]
    if figures.is_compared:
        table = figures.summary
        answer += headline(results, table, reference, contenders(runs, results, reference))
        for line in caveats.of_reference(study, table, runs):
            remedy = "training: {epochs: ...}"
            sentence = f"{line[0].upper()}{line[1:]}."
            warnings.insert(0, Cautions("reference that learned badly", remedy, [sentence]))
        sections.append(_summary(beside(table, study), reference))
    else:
        sentence = f"The reference {reference} has no row, so that nothing is compared."
        warnings.insert(0, Cautions("no reference", "rpu-ssnn status FOLDER", [sentence]))
    sections += [*answers(root), *ledger(results), *responses(runs), _runs(results)]
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
        total=sum(len(point.seeds) for point in found.points),
        answer=answer,
        warnings=warnings,
        sections=[section for section in sections if section.pictures or section.tables],
        declaration=_declaration(study, root),
        versions=_versions(results),
        made=time.strftime("%Y-%m-%d %H:%M"),
    )


def _declaration(study: Study, root: Path) -> str:
    """The study as it was run; of rows without a folder, with every default written out."""
    if root.is_dir():
        return read_text(root / STUDY_FILE)
    return strict_yaml.dump(study.model_dump(mode="json"), "With every default written out.")


def _summary(table: pd.DataFrame, reference: str) -> Section:
    note = (
        f"{legend(table)}; range: lowest to highest seed; pulses: a device, up plus down; "
        "sat.: devices at a bound"
    )
    cells = readable(table, reference)
    return Section("Summary", [], [Table(cells, 1 + len(swept_columns(table)), note, table)])


def _runs(results: pd.DataFrame) -> Section:
    results = with_values(results)
    columns = {"case": results["label"].map(str).tolist(), **swept_cells(results)}
    n_left = len(columns)
    for column, (heading, style) in _RUN_COLUMNS.items():
        if column in results.columns:
            values = results[column].astype(float)
            columns[heading] = [number(value, style) for value in values]
    return Section("Runs", [], [Table(pd.DataFrame(columns), n_left)], folded=True)


def _pictures(figures: StudyFigures) -> Iterator[Picture]:
    kinds = figures.kinds()
    for kind, caption in _CAPTIONS.items():
        for x in figures.swept_paths if kind == "sweep" else [None]:
            if kind in kinds:
                yield drawn(caption.format(x=x and quantity(x)), partial(figures.draw, kind, x))


def _versions(results: pd.DataFrame) -> list[tuple[str, str]]:
    names = [str(c) for c in results.columns if str(c).endswith("_version") or c in _MADE_WITH]
    return [(name, ", ".join(map(str, results[name].dropna().unique()))) for name in names]
