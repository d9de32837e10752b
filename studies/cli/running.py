"""Defines the common options and the end of all commands that run trials."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rpu_ssnn.common.wording import counted
from studies.cli.output import stop
from studies.common.choices import OtherVersions
from studies.common.interrupts import EXIT_CODE

if TYPE_CHECKING:
    from studies.declaration.trial import Failure
    from studies.execution.phase import Options

OtherVersionsOption = Annotated[
    OtherVersions, typer.Option(help="Rows of other torch, aihwkit or numerics versions.")
]
RetryOption = Annotated[
    bool, typer.Option("--retry-failed", help="Run trials again that failed in an earlier call.")
]
SchedulerOption = Annotated[
    str | None, typer.Option(help="Address of a running dask scheduler whose workers run it.")
]


@contextmanager
def executing(
    root: Path,
    workers: int | None,
    scheduler: str | None,
    data: Path | None,
    other_versions: OtherVersions,
    rows: list[Path] | None,
    retry_failed: bool,
) -> "Iterator[Options]":
    """Yields the options for running trials, with progress on the error stream.

    Ctrl-C ends the command with a message on how to continue.

    Raises:
        InputError: the options contradict each other, or there is no such scheduler.
    """
    from studies.execution.phase import Options, training_job
    from studies.execution.progress import ClosedPipeConsole, ConsoleReporter
    from studies.workers.clusters import executor_of

    try:
        with closing(executor_of(workers, scheduler)) as executor:
            yield Options(
                job=training_job(data),
                executor=executor,
                other_versions=other_versions,
                reporter=ConsoleReporter(ClosedPipeConsole(stderr=True)),
                kept_rows=rows or (),
                retry_failed=retry_failed,
            )
    except KeyboardInterrupt:
        command = shlex.join(["rpu-ssnn", *sys.argv[1:]])
        stop(f"interrupted; finished rows are kept in {root}; continue with: {command}", EXIT_CODE)


def end(failures: "list[Failure]", root: Path) -> None:
    """Ends with exit code 1 if trials failed."""
    if failures:
        typer.echo(
            f"{counted(len(failures), 'trial')} failed, listed in {root / 'failures.csv'}; "
            "--retry-failed runs them again",
            err=True,
        )
        raise typer.Exit(1)
