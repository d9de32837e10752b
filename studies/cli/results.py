"""Defines the commands that plan a study, show its results, and export its networks."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rpu_ssnn.common.errors import Fault, require
from rpu_ssnn.common.files import PLOT_SUFFIXES, refuse_unwritable
from studies.cli.options import (
    DataOption,
    FolderArgument,
    OutOption,
    RowsOption,
    StudyArgument,
    TableOutOption,
    WorkersOption,
    path_argument,
    path_option,
    shown,
)
from studies.cli.output import print_table
from studies.cli.running import EstimateOption, print_plan
from studies.common.choices import Kind

if TYPE_CHECKING:
    from studies.declaration.study import Study
    from studies.declaration.trial import Runs

results_app = typer.Typer()


@results_app.command()
def table(
    folder: FolderArgument,
    against: Annotated[
        str | None,
        typer.Option(help="Case that gaps are measured against; default: the study's reference."),
    ] = None,
    out: TableOutOption = None,
    rows: RowsOption = None,
) -> None:
    """Print the summary of a study's results so far; --out writes its exact numbers as CSV."""
    from studies.report.summary_view import readable
    from studies.results import caveats
    from studies.results.summary import summary, with_published
    from studies.results.tables import results_frame

    declared, runs = _finished(folder, rows)
    reference = declared.reference_label if against is None else against
    summed = summary(results_frame(runs), reference)
    warnings = caveats.of_summary(declared, summed, runs)
    shown_table = with_published(summed, declared)
    text = readable(shown_table, reference).markdown
    print_table("table", "\n\n".join([text, *warnings]), shown_table, out)


@results_app.command()
def ledger(
    folder: FolderArgument,
    chip: Annotated[
        str | None,
        typer.Option(help="YAML file of a chip, or a shipped chip; default: the study's own."),
    ] = None,
    out: TableOutOption = None,
    rows: RowsOption = None,
) -> None:
    """What did training cost the devices, and the chip around them?

    Prints pulses, wear and time of the devices. With a chip it also prints energy, time and area by
    component, and draws a figure.
    """
    from studies.chip.description import load_chip
    from studies.execution.study_runs import A_TRIAL
    from studies.report import chip_view, ledger_view
    from studies.report.figure_style import WIDE_INCHES, save
    from studies.results.chip_ledger import chip_ledger
    from studies.results.ledger import ledger_table
    from studies.results.tables import results_frame

    around = None if chip is None else load_chip(chip)
    contents = shown(folder, rows)
    table = ledger_table(results_frame(contents.runs))
    require(len(table), folder, "trials", 0, f"there must be {A_TRIAL} on a device")
    text = ledger_view.readable(table).markdown
    around = around or contents.study.chip
    if around is None:
        print_table("ledger", text, table, out)
        return
    costs = chip_ledger(contents.runs, around, folder)
    text = "\n\n".join([text, *(part.markdown for part in chip_view.tables(costs, around))])
    figures = {"chip": chip_view.draw(costs, around, WIDE_INCHES)}
    if len(costs) > 1:
        figures["trade"] = chip_view.draw_trade(costs, contents.study, around, WIDE_INCHES)
    targets = {kind: _figure_file("ledger", folder, contents.study, kind) for kind in figures}
    print_table("ledger", text, costs, out)
    for kind, figure in figures.items():
        typer.echo(save(figure, targets[kind]))


@results_app.command()
def plot(
    folder: FolderArgument,
    kind: Annotated[
        Kind | None, typer.Option(help="Kind of figure; default: all that these results allow.")
    ] = None,
    x: Annotated[
        str | None, typer.Option(help="Setting on the x axis of a sweep; default: the first swept.")
    ] = None,
    out: Annotated[
        Path | None,
        path_option("File (.png, .pdf, .svg); default: NAME_KIND.png in FOLDER, or here."),
    ] = None,
    rows: RowsOption = None,
) -> None:
    """Draw learning curves, accuracy over a swept setting, or bars of gaps.

    Only figures that this package made are replaced.
    """
    from studies.report.draw import StudyFigures
    from studies.report.figure_style import save

    require(out is None or kind, "plot", "--kind", None, "must be given together with --out")
    allowed = "must be left out, unless --kind is sweep"
    require(x is None or kind in (None, "sweep"), "plot", "--x", x, allowed)
    if out is not None:
        refuse_unwritable("plot", "--out", out, PLOT_SUFFIXES)
    declared, runs = _finished(folder, rows)
    figures = StudyFigures(declared, runs)
    kinds = [kind] if kind else figures.kinds(x)
    allowed = "there must be learning curves, a swept setting, or a case beside the reference"
    require(kinds, folder, "figures", Fault("nothing to draw"), allowed)
    targets = {each: out or _figure_file("plot", folder, declared, each) for each in kinds}
    drawn = {each: figures.draw(each, x) for each in kinds}  # an error comes before any writing
    for each, figure in drawn.items():
        typer.echo(save(figure, targets[each]))


@results_app.command()
def report(
    folder: FolderArgument,
    out: Annotated[
        Path | None,
        path_option("File to write; default: report.html in FOLDER, or NAME_report.html here."),
    ] = None,
    rows: RowsOption = None,
) -> None:
    """Write one HTML file with tables, figures, declaration, versions and warnings.

    Only an earlier report is replaced.
    """
    from studies.report.page.build import write_report

    if out is not None:
        refuse_unwritable("report", "--out", out, (".html", ".htm"))
    typer.echo(write_report(folder, out, rows or ()))


@results_app.command()
def plan(
    study: StudyArgument,
    out: OutOption = None,
    workers: WorkersOption = None,
    data: DataOption = None,
    rows: RowsOption = None,
    estimate: EstimateOption = True,
) -> None:
    """Print the trials that `run` would start and the estimated time, without writing anything."""
    from studies.declaration.shipped import find_study

    declared = find_study(study)
    print_plan(declared, out or declared.default_folder, workers, data, rows, estimate)


@results_app.command()
def export(
    folder: Annotated[Path, path_argument("Output folder of a study that was run.", "FOLDER")],
    path: Annotated[Path, path_argument("File to write: .h5 (every device) or .nir.")],
    case: Annotated[str, typer.Option(help="Title of the case, as in tables or in the study.")],
    seed: Annotated[int, typer.Option(min=0, help="Seed of the trial.")] = 0,
    data: DataOption = None,
    without_inhibition: Annotated[
        bool, typer.Option("--without-inhibition", help="Leave out what NIR cannot represent.")
    ] = False,
) -> None:
    """Train a finished trial again, since rows hold no weights, and write its network."""
    from studies.execution.export import export_trial

    done = export_trial(
        folder, case, path, seed=seed, data=data, without_inhibition=without_inhibition
    )
    typer.echo(f"network  {done.path}")
    typer.echo(
        f"accuracy {done.accuracy:.2f} % on {done.images} samples; its row has {done.in_row:.2f} %"
    )
    if not done.replayable:
        typer.echo("the two may differ, as aihwkit's own noise cannot be seeded")
    if done.left_out:
        typer.echo(f"both are of the trained network; {done.left_out}")


def _figure_file(command: str, folder: Path, study: "Study", kind: str) -> Path:
    """Returns the file of a figure in the output folder or, for kept rows, in the current one."""
    beside = folder if folder.is_dir() else Path()
    file = beside / f"{study.study}_{kind}.png"
    if beside != folder:
        refuse_unwritable(command, "figure", file)
    return file


def _finished(folder: Path, rows: list[Path] | None) -> "tuple[Study, Runs]":
    """Returns the study and its finished runs, and prints warnings on the error stream."""
    from studies.results import caveats

    contents = shown(folder, rows)
    made = contents.study, contents.runs
    for line in caveats.sentences(caveats.of_origin(*made, contents.hyperparameters)):
        typer.echo(line, err=True)
    return made
