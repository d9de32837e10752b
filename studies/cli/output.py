"""What leaves the command line: text that any stream can hold, and how a command ends."""

import os
import sys
from contextlib import suppress
from typing import NoReturn

from rpu_ssnn.common.wording import printable


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
