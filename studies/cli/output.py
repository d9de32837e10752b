"""Prints what any stream can hold, and ends commands."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from rpu_ssnn.common.errors import InputError, require
from rpu_ssnn.common.files import refuse_unwritable, refusing
from rpu_ssnn.common.wording import printable

if TYPE_CHECKING:
    import pandas as pd


def print_table(
    command: str, text: str, exact: "pd.DataFrame", out: Path | None, rows: list[Path] | None
) -> None:
    """Prints a table and, where a file is asked for, writes its exact numbers as CSV.

    Args:
        rows: the files that its rows come from, none of which is written over.

    Raises:
        InputError: the file has another ending, the name of a study's own table, is one of `rows`,
            or cannot be written.
    """
    from studies.results.tables import write_csv

    if out is not None:
        refuse_unwritable(command, "--out", out, (".csv",))
        refuse_result_table(command, out, out)
        read = out.exists() and any(map(out.samefile, rows or ()))
        require(not read, command, "--out", str(out), "must be another file than those of --rows")
    typer.echo(text)
    if out is not None:
        with refusing(out, "must be a writable file", OSError):
            write_csv(exact, out)
        typer.echo(f"table   {out}")


def refuse_result_table(command: str, out: Path, table: Path) -> None:
    """Refuses a table under the name of one that `rpu-ssnn run` writes.

    Args:
        out: the path as the user gave it.

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
    """Ends the command with one line on the error stream and the exit code."""
    with suppress(OSError, ValueError):  # a stream that is closed or full changes no exit code
        print(printable(message), file=sys.stderr)
        sys.stderr.flush()
    sys.exit(code)
