"""Defines the commands that ask about one device: `attribute`, `decompose` and `require`."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from studies.cli.options import (
    DataOption,
    QuestionOutOption,
    RowsOption,
    StudyArgument,
    WorkersOption,
)
from studies.cli.running import (
    OtherVersionsOption,
    PlanOption,
    RetryOption,
    SchedulerOption,
    end,
    executing,
    print_plan,
)
from studies.common.choices import Others

if TYPE_CHECKING:
    import pandas as pd

    from studies.declaration.study import Study

questions_app = typer.Typer()

DeviceOption = Annotated[
    str, typer.Option(help="Label of a case of the study with a device, or a preset.")
]


@questions_app.command()
def attribute(
    study: StudyArgument,
    device: DeviceOption,
    out: QuestionOutOption = None,
    workers: WorkersOption = None,
    data: DataOption = None,
    other_versions: OtherVersionsOption = "refuse",
    rows: RowsOption = None,
    retry_failed: RetryOption = False,
    scheduler: SchedulerOption = None,
    plan: PlanOption = False,
) -> None:
    """Which imperfection of a device costs most? Trains with each off, and with each alone on."""
    from studies.execution.study_runs import finished_in, runner_of
    from studies.report.attribution_view import FILE, draw, lines
    from studies.sensitivity.attribution import all_trainings
    from studies.sensitivity.attribution import attribute as answer

    declared, root, rows = _asked(study, "attribute", device, out, rows)
    if plan:
        whole = all_trainings(declared, device, finished_in(root, rows))
        print_plan(whole, root, workers, data, rows)
        return
    asked = workers, scheduler, data, other_versions, rows, retry_failed
    with executing(root, *asked) as options:
        found = answer(declared, device, runner_of(root, options))
    _print(lines(found), found.table, root / FILE, partial(draw, found, device, root))
    end(found.failures, root)


@questions_app.command()
def decompose(
    study: StudyArgument,
    device: DeviceOption,
    out: QuestionOutOption = None,
    workers: WorkersOption = None,
    data: DataOption = None,
    other_versions: OtherVersionsOption = "refuse",
    rows: RowsOption = None,
    retry_failed: RetryOption = False,
    scheduler: SchedulerOption = None,
    plan: PlanOption = False,
) -> None:
    """How much do the device and the training by spikes cost, against a float network?"""
    from studies.execution.study_runs import runner_of
    from studies.report.decomposition_view import FILE, draw, lines
    from studies.sensitivity.decomposition import all_trainings
    from studies.sensitivity.decomposition import decompose as answer

    declared, root, rows = _asked(study, "decompose", device, out, rows)
    if plan:
        print_plan(all_trainings(declared, device), root, workers, data, rows)
        return
    asked = workers, scheduler, data, other_versions, rows, retry_failed
    with executing(root, *asked) as options:
        found = answer(declared, device, runner_of(root, options))
    reached = any(level == level for level in found.levels.values())
    table = found.table if reached else found.table[:0]
    _print(lines(found), table, root / FILE, partial(draw, found, device, root))
    end(found.failures, root)


@questions_app.command()
def require(
    study: StudyArgument,
    device: DeviceOption,
    loss: Annotated[
        float, typer.Option(help="Largest allowed loss of accuracy to the reference, points.")
    ] = 1.0,
    parameter: Annotated[
        list[str] | None, typer.Option(help="Parameter to vary; the option may be repeated.")
    ] = None,
    others: Annotated[
        Others, typer.Option(help="Whether the other imperfections stay as they are, or are off.")
    ] = "as-is",
    image_nj: Annotated[
        float | None, typer.Option(help="Largest allowed energy of an image in training, nJ.")
    ] = None,
    image_us: Annotated[
        float | None, typer.Option(help="Longest allowed time of an image in training, us.")
    ] = None,
    chip: Annotated[
        str | None,
        typer.Option(
            help="Chip that trains the image: a YAML file, or a shipped chip; default: the study's."
        ),
    ] = None,
    out: QuestionOutOption = None,
    workers: WorkersOption = None,
    data: DataOption = None,
    other_versions: OtherVersionsOption = "refuse",
    rows: RowsOption = None,
    retry_failed: RetryOption = False,
    scheduler: SchedulerOption = None,
    plan: PlanOption = False,
) -> None:
    """How good must a device be? Finds the value of each parameter at which the loss is --loss.

    There may also be bounds on the energy or time of an image in training, in a chip.

    --plan counts the most trainings that may be needed; most parameters need fewer.
    """
    from studies.chip.description import load_chip
    from studies.execution.study_runs import finished_in, runner_of
    from studies.report.requirement_view import FILE, draw, lines
    from studies.sensitivity.axes import STANDARD
    from studies.sensitivity.requirement import most_trainings
    from studies.sensitivity.requirement import require as answer

    around = None if chip is None else load_chip(chip)
    declared, root, rows = _asked(study, "require", device, out, rows)
    wanted: dict[str, Any] = {
        "parameters": parameter or STANDARD,
        "others": others,
        "chip": around,
        "image_nj": image_nj,
        "image_us": image_us,
    }
    if plan:
        done = finished_in(root, rows)
        most = most_trainings(declared, device, loss, done, **wanted)
        print_plan(most, root, workers, data, rows)
        return
    asked = workers, scheduler, data, other_versions, rows, retry_failed
    with executing(root, *asked) as options:
        found = answer(declared, device, loss, runner_of(root, options), **wanted)
    _print(lines(found), found.table, root / FILE, partial(draw, found, device, loss, root))
    end(found.failures, root)


def _asked(
    study: str, question: str, device: str, out: Path | None, rows: list[Path] | None
) -> "tuple[Study, Path, list[Path]]":
    """Returns the study, with hyperparameters that its run has found, the output folder, and the
    files of finished rows, with those of the study's own folder."""
    from studies.declaration.shipped import find_study
    from studies.execution.api import default_folder
    from studies.execution.study_runs import with_own_folder
    from studies.sensitivity.device_question import device_name, name_of

    found = find_study(study)
    declared, own = with_own_folder(found, default_folder(found))
    name = name_of(declared.study, question, device_name(declared, device))
    return declared, out or Path("out") / name, list(dict.fromkeys([*(rows or ()), *own]))


def _print(
    lines: Iterable[str], table: "pd.DataFrame", file: Path, draw: Callable[[], Path]
) -> None:
    """Prints an answer, and writes its exact numbers and its figure if it has a table."""
    from studies.results.tables import write_csv

    for line in lines:
        typer.echo(line)
    if len(table):
        typer.echo(f"table   {write_csv(table, file)}\nfigure  {draw()}")
