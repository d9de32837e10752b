"""Defines the arguments and options that several commands share, and reads results for them."""

from collections.abc import Callable
from functools import wraps
from inspect import Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rpu_ssnn.common.errors import require
from rpu_ssnn.common.files import user_path
from studies.common.choices import MOST_WORKERS

if TYPE_CHECKING:
    from studies.execution.study_runs import FolderContents


def given_path(text: str) -> Path:
    """Returns a path of the command line, with ``~`` expanded.

    Raises:
        InputError: the text cannot be a path.
    """
    return user_path("command line", "path", text)


def _existing_folder(text: str) -> Path:
    """Returns the path of a folder that exists.

    Raises:
        InputError: there is no such folder.
    """
    folder = given_path(text)
    require(folder.is_dir(), "command line", "path", text, "must be an existing folder")
    return folder


def path_option(help: str, *names: str, parser: Callable[[str], Path] = given_path) -> Any:
    """Returns an option that takes a path.

    Args:
        names: the names of the option, if they differ from that of the parameter.
        parser: checks the path.
    """
    return typer.Option(*names, parser=parser, metavar="PATH", help=help)


def path_argument(help: str, metavar: str = "PATH") -> Any:
    """Returns an argument that is a path."""
    return typer.Argument(parser=given_path, metavar=metavar, help=help)


StudyArgument = Annotated[str, typer.Argument(help="YAML file or name of a study.")]
FolderArgument = Annotated[
    Path,
    path_argument(
        "Output folder of a study; or, with --rows, a study; or the name of a study whose rows are "
        "kept in docs/results.",
        "FOLDER",
    ),
]
OutOption = Annotated[
    Path | None, path_option("Output folder; default: out/NAME, or that of STUDY if it is one.")
]
QuestionOutOption = Annotated[
    Path | None, path_option("Output folder; default: out/STUDY_COMMAND_DEVICE.")
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=MOST_WORKERS,
        help="Number of worker processes, which share the CPUs; default: one per CPU.",
    ),
]
DataOption = Annotated[
    Path | None,
    path_option("Folder with the images; default: $RPU_SSNN_DATA.", parser=_existing_folder),
]
TableOutOption = Annotated[
    Path | None, path_option("CSV file for the exact numbers; it replaces only such a table.")
]
RowsOption = Annotated[
    list[Path] | None,
    path_option("A results.csv whose rows count as finished; the option may be repeated."),
]


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the fields of a dataclass, the type of its last parameter, as options.

    The help lists those that must be given first.
    """
    *own, last = signature(command).parameters.values()
    shared = signature(last.annotation).parameters

    @wraps(command)
    def run(**given: Any) -> None:
        options = last.annotation(**{name: given.pop(name) for name in shared})
        command(**given, **{last.name: options})

    listed = sorted((*own, *shared.values()), key=lambda each: each.default is not each.empty)
    named = [each.replace(kind=each.KEYWORD_ONLY) for each in listed]
    run.__signature__ = Signature(named)  # type: ignore[attr-defined]
    return run


def shown(folder: Path, rows: list[Path] | None) -> "FolderContents":
    """Reads the contents of a folder, or of a study with rows, and prints what is left out.

    Raises:
        InputError: nothing can be shown; if trial files are damaged, the error of the first one.
    """
    from studies.execution.study_runs import refuse_empty, shown_contents

    contents = shown_contents(folder, rows or ())
    refuse_empty(folder, contents)
    for note in (*(f"left out: {error}" for error in contents.faults), *contents.not_shown):
        typer.echo(note, err=True)
    return contents
