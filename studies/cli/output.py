"""What leaves the command line: text that any stream can hold, and how a command ends."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import typer

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.files import refuse_unwritable, refusing, write_whole
from rpu_ssnn.common.wording import printable
from studies.common.choices import Format

_SUFFIXES: dict[Format, tuple[str, ...]] = {
    "md": (".md", ".txt"),
    "csv": (".csv", ".txt"),
    "latex": (".tex", ".txt"),
    "html": (".html", ".htm", ".txt"),
}
"""Of a file that holds a table."""


def put_table(command: str, text: str, style: Format, out: Path | None) -> None:
    """Prints a table, or writes it and prints the name of the file.

    Raises:
        InputError: another ending than the format has, a table of a study, or no writable file.
    """
    if out is None:
        typer.echo(text)
        return
    refuse_unwritable(command, "--out", out, _SUFFIXES[style])
    refuse_result_table(command, out, out)
    with refusing(out, "must be a writable file", OSError):
        write_whole(out, lambda path: path.write_text(f"{text}\n", encoding="utf-8"))
    typer.echo(f"table   {out}")


def refuse_result_table(command: str, out: Path, table: Path) -> None:
    """Refuses a table under the name of one that `rpu-ssnn run` writes.

    Args:
        out: as the user gave it.

    Raises:
        InputError: it has such a name.
    """
    from studies.results.tables import CURVES_CSV, FAILURES_CSV, RESULTS_CSV

    if table.name in (RESULTS_CSV, CURVES_CSV, FAILURES_CSV):
        allowed = f"must have another name: the numbers would replace a study's {table.name}"
        raise InputError(command, "--out", str(out), allowed)


def replace_unencodable() -> None:
    """Lets streams replace what their encoding cannot hold, such as a dash in latin-1."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            with suppress(OSError, ValueError):
                reconfigure(errors="replace")


def discard_output() -> None:
    """Sends what is still to be printed nowhere, so that the end of the process is silent."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())


def stop(message: str, code: int) -> NoReturn:
    """One line on the error stream, and the exit code."""
    with suppress(OSError, ValueError):  # a stream that is closed or full changes no exit code
        print(printable(message), file=sys.stderr)
        sys.stderr.flush()
    sys.exit(code)
