"""The commands about results: before, while and after a study runs.

Whatever is slow to import is imported by the command that needs it.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rpu_ssnn.errors import InputError
from studies.cli_options import FolderArgument
from studies.text_table import Format

if TYPE_CHECKING:
    from studies.results import Runs
    from studies.study import Study

results_app = typer.Typer()

FormatOption = Annotated[Format, typer.Option(help="Of the table.")]


@results_app.command()
def table(
    folder: FolderArgument,
    format: FormatOption = Format.md,
    rows: Annotated[
        str | None, typer.Option(help="Pivot: `case`, a swept path or any setting's path.")
    ] = None,
    columns: Annotated[str | None, typer.Option(help="Pivot: likewise.")] = None,
    values: Annotated[str, typer.Option(help="Pivot: accuracy or gap.")] = "accuracy",
) -> None:
    """Print the summary of a study's results so far, or pivot them by two settings."""
    from studies.pivot import Values, pivot, render_pivot
    from studies.results import results_frame
    from studies.table import render, summary

    if (rows is None) != (columns is None):
        missing = "--rows" if rows is None else "--columns"
        raise InputError("table", missing, None, "must be given too, or neither")
    if values not in list(Values):
        raise InputError("table", "--values", values, "must be accuracy or gap")
    declared, runs = _finished(folder)
    results, reference = results_frame(runs), declared.reference_label
    if rows is None or columns is None:
        typer.echo(render(summary(results, reference), reference, format))
        return
    pivoted = pivot(results, reference, rows, columns, Values(values))
    typer.echo(render_pivot(pivoted, reference, format))


def _finished(folder: Path) -> "tuple[Study, Runs]":
    """The study and its finished runs; what is odd about them is said on the error stream."""
    from studies.execution import finished_runs
    from studies.results import Versions

    def note(path: Path) -> None:
        typer.echo(f"{path} is damaged and left out", err=True)

    declared, runs = finished_runs(folder, on_damage=note)
    if not runs:
        raise InputError(folder, "units", 0, "must hold at least one finished unit")
    versions = {Versions.of(result) for _, result in runs}
    if len(versions) > 1:
        typer.echo(f"rows of different versions: {', '.join(map(str, versions))}", err=True)
    return declared, runs
