"""Prints tables to any stream, and ends commands."""

import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from rpu_ssnn.common.files import refuse_unwritable, write_together
from rpu_ssnn.common.wording import printable

if TYPE_CHECKING:
    import pandas as pd


def print_table(command: str, text: str, exact: "pd.DataFrame", out: Path | None) -> None:
    """Prints a table and, if a file is given, writes its exact numbers as CSV.

    Args:
        exact: the table with exact numbers.

    Raises:
        InputError: the file has another ending, is no earlier table of these columns, or cannot be
            written.
    """
    if out is not None:
        names = exact.iloc[:0].to_csv(index=False)
        refuse_unwritable(command, "--out", out, (".csv",), ours=re.escape(names).encode())
        write_together(command, {out: lambda file: exact.to_csv(file, index=False)})
        text += f"\ntable   {out}"
    typer.echo(text)


def replace_unencodable() -> None:
    """Lets streams replace characters that they cannot encode, such as a dash in latin-1."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            with suppress(OSError, ValueError):
                reconfigure(errors="replace")


def discard_output() -> None:
    """Discards all further output, so that the process ends silently."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())


def stop(message: str, code: int) -> NoReturn:
    """Ends the command with one line on the error stream and the exit code."""
    # A closed or full stream does not change the exit code.
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"{printable(message)}\n")
        sys.stderr.flush()
    sys.exit(code)
