"""`rpu-ssnn figure` draws the figures of the paper that are not sweeps of a study."""

from importlib import import_module
from pathlib import Path
from typing import Annotated, Literal

import typer

from rpu_ssnn.common.errors import InputError, require
from rpu_ssnn.common.files import PLOT_SUFFIXES, refuse_unwritable, write_whole
from rpu_ssnn.common.wording import listed
from studies.cli.options import DataOption, path_argument, path_option
from studies.cli.output import refuse_result_table

figure_app = typer.Typer()


_OF_MNIST = ("figure3b", "figure5")


@figure_app.command()
def figure(
    which: Annotated[
        Literal["figure3b", "figure4", "figure5", "figure7"],
        typer.Argument(help="A figure of the paper."),
    ],
    folder: Annotated[
        Path | None, path_argument("Output folder of the study paper_figure7, for figure7 only.")
    ] = None,
    data: DataOption = None,
    out: Annotated[
        Path | None,
        path_option("File (.png, .pdf, .svg); default: paper_NAME.png, in this folder."),
    ] = None,
) -> None:
    """Draw a figure of the paper, and write its numbers into a CSV beside it."""
    from studies.execution.api import load_results
    from studies.report.figure_style import save

    path = out or Path(f"paper_{which}.png")
    if (which == "figure7") != (folder is not None):
        wanted = "must be given for figure7, and left out for the others"
        raise InputError("figure", "FOLDER", None if folder is None else str(folder), wanted)
    allowed = f"must be left out for {which}; only {listed(_OF_MNIST)} need images of MNIST"
    require(data is None or which in _OF_MNIST, "figure", "--data", str(data), allowed)
    refuse_unwritable("figure", "--out", path, PLOT_SUFFIXES)
    numbers = path.with_suffix(".csv")
    refuse_result_table("figure", path, numbers)
    module = import_module(f"studies.reproductions.figures.{which}")
    table = module.numbers(data if folder is None else load_results(folder))
    typer.echo(save(module.draw(table), path))
    write_whole(numbers, lambda file: table.to_csv(file, index=False))
    typer.echo(numbers)
