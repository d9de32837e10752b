"""Fills the template of the report from an output folder, which is only read.

It warns the reader of results that are incomplete or say less than they seem to.
"""

import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from rpu_ssnn.common import strict_yaml
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.files import read_text, refuse_unwritable, user_path, write_together
from rpu_ssnn.common.wording import counted
from studies.common.choices import Kind
from studies.common.quantities import quantity
from studies.common.statistics import FEWEST_SEEDS
from studies.common.templates import rendered
from studies.declaration.shipped import find_study
from studies.declaration.study import STUDY_FILE, Study
from studies.execution.study_runs import FolderContents, files_of_rows, refuse_empty, shown_contents
from studies.report.draw import StudyFigures, drawn_apart
from studies.report.page.headline import headline
from studies.report.page.sections import Picture, Section, answers, around_devices, drawn, ledger
from studies.report.summary_view import readable
from studies.results import caveats
from studies.results.device_caveats import Told
from studies.results.grouping import by_point
from studies.results.summary import with_published
from studies.results.tables import read_failures

_CAPTIONS: dict[Kind, str] = {
    "gaps": "Accuracy of each case, and its gap to the reference, paired by seed, with their 95 % "
    "intervals. Dots are seeds. Hollow bars are not significant after Holm's correction.",
    "sweep": "Accuracy over {x}, mean over seeds with its 95 % interval.",
    "curves": "Accuracy by epoch: {curves}; a dotted line is a case without epochs.",
}

_MADE_WITH = ("machine", "threads", "data_digest")


SATURATED_FROM = 0.05
"""A case with more than this share of devices at a bound gets a warning."""


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
    in_folder = root / "report.html" if root.is_dir() else None
    target = path or in_folder or Path(f"{find_study(str(root)).study}_report.html")
    if target != in_folder:
        refuse_unwritable("write_report", "path", target)
    write_together("write_report", {target: lambda file: file.write_text(text, encoding="utf-8")})
    return target


def report_html(root: Path, rows: Sequence[Path] = ()) -> str:
    """Returns the report as HTML that needs no other file, with every name escaped.

    Raises:
        InputError: `root` is not an output folder or has no finished trial, or rows differ.
    """
    contents = shown_contents(root, rows)
    study, runs = contents.study, contents.runs
    refuse_empty(root, contents)
    figures = StudyFigures(study, runs)
    results = figures.results
    warnings = list(_warnings(contents, root, figures))
    reference = study.reference_label
    answer: list[str] = []
    sections = [Section("Figures", list(_pictures(figures)), [])]
    if figures.is_compared:
        table = figures.summary
        answer += headline(runs, results, table, reference)
        shown = readable(with_published(table, study), reference)
        sections.append(Section("Summary", [], [shown]))
    sections += [*answers(root), *ledger(results)]
    sections += [*around_devices(runs, study.chip)]
    return rendered(
        Path(__file__).with_name("report.html.j2"),
        study=study,
        reference=reference,
        done=len(contents.runs),
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


def _pictures(figures: StudyFigures) -> Iterator[Picture]:
    kinds, apart = figures.kinds(), drawn_apart(figures.results)
    curves = "a line for each seed" if apart else "mean over seeds with its 95 % interval"
    for kind, caption in _CAPTIONS.items():
        for x in figures.swept_paths if kind == "sweep" else [None]:
            if kind in kinds:
                words = caption.format(x=x and quantity(x), curves=curves)
                yield drawn(words, partial(figures.draw, kind, x))


def _versions(results: pd.DataFrame) -> list[tuple[str, str]]:
    names = [str(c) for c in results.columns if str(c).endswith("_version") or c in _MADE_WITH]
    return [(name, ", ".join(map(str, results[name].dropna().unique()))) for name in names]


def _warnings(contents: FolderContents, root: Path, figures: StudyFigures) -> Iterator[str]:
    """Yields all warnings that apply, starting with the reference and missing trials."""
    study, results = contents.study, figures.results
    if figures.is_compared:
        weak = caveats.of_reference(study, figures.summary, contents.runs)
        yield from caveats.sentences(weak)
    else:
        missing = f"The reference {study.reference_label} has no finished trial"
        yield f"{missing}, so nothing is compared."
    yield from caveats.sentences(_missing(contents))
    for failure in read_failures(root):
        yield f"The last run failed at {failure.title}: {failure.message}"
    for fault in contents.faults:
        file = Path(fault.where).name  # the report may leave this machine, whose folders it hides
        yield f"Left out: {InputError(file, fault.field, fault.value, fault.allowed)}."
    yield from (f"{line}." for line in contents.not_shown)
    origin = caveats.of_origin(study, contents.runs, contents.hyperparameters)
    yield from caveats.sentences(origin, _few_seeds(results))
    yield from caveats.of_runs(study, contents.runs)
    yield from caveats.sentences(_saturated(results), _not_replayable(results))


def _missing(contents: FolderContents) -> Told:
    there = {trial.title for trial, _ in contents.runs}
    points = contents.study.points()
    needed = (f"{point.title} seed {seed}" for point in points for seed in point.seeds)
    missing = [title for title in needed if title not in there]
    have = counted(len(missing), "trial has", "trials have")
    unfinished = f"{have} not finished yet; `rpu-ssnn run` runs what is missing: {{}}."
    return dict.fromkeys(missing, unfinished)


def _few_seeds(results: pd.DataFrame) -> Told:
    few = f"These cases have fewer than {FEWEST_SEEDS} seeds, so that intervals and tests mean "
    short = (str(case) for case, _, runs in by_point(results) if len(runs) < FEWEST_SEEDS)
    return dict.fromkeys(short, f"{few}little: {{}}.")


def _saturated(results: pd.DataFrame) -> Told:
    shares = results.assign(share=results["saturated_fraction"].astype(float))
    largest = shares.groupby("label", sort=False)["share"].max()
    return {
        str(label): f"{{}}: up to {100 * share:.0f} % of its devices end at one of their bounds; a "
        "wider weight range or a smaller step may do better."
        for label, share in largest[largest > SATURATED_FROM].items()
    }


def _not_replayable(results: pd.DataFrame) -> Told:
    if "replayable" not in results:
        return {}
    told = (
        "Runs of these cases cannot be repeated bit for bit, as aihwkit's own noise cannot be "
        "seeded: {}. A second run gives other numbers of the same kind."
    )
    return dict.fromkeys(results["label"][results["replayable"].eq(False)], told)
