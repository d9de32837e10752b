"""Defines the common options and the end of all commands that run trials."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rpu_ssnn.common.errors import require
from rpu_ssnn.common.wording import counted
from studies.cli.options import DataOption, RowsOption, WorkersOption
from studies.cli.output import stop
from studies.common.choices import OtherVersions
from studies.common.interrupts import EXIT_CODE

if TYPE_CHECKING:
    from studies.declaration.study import Study
    from studies.declaration.trial import Failure
    from studies.execution.phase import Options

PlanOption = Annotated[
    bool, typer.Option("--plan", help="Only print what would run and how long it would take.")
]
EstimateOption = Annotated[
    bool, typer.Option(help="Time a few steps of each case; --no-estimate answers at once.")
]


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Holds the options of all commands that run trials."""

    workers: WorkersOption = None
    data: DataOption = None
    other_versions: Annotated[
        OtherVersions,
        typer.Option(help="What to do with rows of other torch, aihwkit or numerics."),
    ] = "refuse"
    rows: RowsOption = None
    retry_failed: Annotated[
        bool,
        typer.Option("--retry-failed", help="Run trials again that failed in an earlier call."),
    ] = False
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a running dask scheduler whose workers run it.")
    ] = None

    @contextmanager
    def executing(self, root: Path) -> "Iterator[Options]":
        """Yields the options for running trials, with progress on the error stream.

        Ctrl-C ends the command with a message on how to continue.

        Raises:
            InputError: the options contradict each other, or there is no such scheduler.
        """
        from studies.execution.phase import Options, training_job
        from studies.execution.progress import ClosedPipeConsole, Reporter
        from studies.workers.clusters import executor_of

        try:
            with closing(executor_of(self.workers, self.scheduler)) as executor:
                yield Options(
                    job=training_job(self.data),
                    executor=executor,
                    other_versions=self.other_versions,
                    reporter=Reporter(ClosedPipeConsole(stderr=True)),
                    kept_rows=self.rows or (),
                    retry_failed=self.retry_failed,
                )
        except KeyboardInterrupt:
            again = f"continue with: {shlex.join(['rpu-ssnn', *sys.argv[1:]])}"
            stop(f"interrupted; finished rows are kept in {root}; {again}", EXIT_CODE)


def print_plan(
    study: "Study",
    root: Path,
    workers: int | None,
    data: Path | None,
    rows: list[Path] | None,
    estimate: bool,
) -> None:
    """Prints the trials of a study that are still to run in its folder, and the estimated time.

    Raises:
        InputError: the study, its images, the folder or the rows are not valid, or there are
            workers without an estimate.
    """
    from studies.declaration.study import refuse_missing_images
    from studies.execution import plan as planning
    from studies.execution import timing
    from studies.report.plan_view import plan_text, totals

    allowed = "must be left out with --no-estimate, as it concerns the estimate only"
    require(workers is None or estimate, "plan", "--workers", workers, allowed)
    refuse_missing_images(study, data, needed=estimate and not rows)
    planned = planning.make_plan(study, root, rows or ())
    for error in planned.faults:
        typer.echo(f"left out: {error}", err=True)
    estimated = None
    if estimate and (planned.missing or planned.search):
        typer.echo(f"{totals(planned)}; timing a few steps of each case", err=True)
        tell = partial(typer.echo, err=True)
        estimated = planning.estimate(planned, timing.timing_job(data), workers, tell)
    typer.echo(plan_text(planned, estimated))


def end(failures: "list[Failure]", root: Path) -> None:
    """Ends with exit code 1 if trials failed."""
    if failures:
        typer.echo(
            f"{counted(len(failures), 'trial')} failed; {root / 'failures.csv'} lists what failed, "
            "and --retry-failed runs it again",
            err=True,
        )
        raise typer.Exit(1)
