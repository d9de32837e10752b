"""Arguments and options that several commands have, and what they say of a damaged folder."""

from pathlib import Path
from typing import Annotated

import typer

from rpu_ssnn.common.errors import InputError

MOST_WORKERS = 10_000

StudyArgument = Annotated[str, typer.Argument(help="A study's YAML file, or a shipped name.")]
FolderArgument = Annotated[Path, typer.Argument(help="Output folder of a study.")]
OutOption = Annotated[Path | None, typer.Option(help="Output folder; default: out/NAME.")]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        min=1, max=MOST_WORKERS, help="Processes; default: one a CPU. They share its threads."
    ),
]
DataOption = Annotated[
    Path | None, typer.Option(help="Folder with the images; default: $RPU_SSNN_DATA.")
]
RowsOption = Annotated[
    list[Path] | None,
    typer.Option(help="A results.csv with finished rows to go on from; may be given repeatedly."),
]


def note_damage(error: InputError) -> None:
    """A damaged trial file, on the error stream; the command goes on without it."""
    typer.echo(f"{error}; the damaged file is left out", err=True)
