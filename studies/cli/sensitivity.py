"""Defines the commands that ask about one device: `attribute`, `decompose` and `require`."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rpu_ssnn.common.wording import counted
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
from studies.common.choices import Others, OtherVersions

if TYPE_CHECKING:
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
    from studies.report import attribution_view
    from studies.sensitivity.attribution import all_trainings
    from studies.sensitivity.attribution import attribute as answer

    asked = workers, scheduler, data, other_versions, rows, retry_failed
    _answer("attribute", study, device, out, asked, plan, all_trainings, answer, attribution_view)


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
    from studies.report import decomposition_view
    from studies.sensitivity.decomposition import all_trainings
    from studies.sensitivity.decomposition import decompose as answer

    asked = workers, scheduler, data, other_versions, rows, retry_failed

    def trainings(study: "Study", device: str, done: object) -> "Study":
        return all_trainings(study, device)

    _answer("decompose", study, device, out, asked, plan, trainings, answer, decomposition_view)


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
    from studies.report import requirement_view
    from studies.sensitivity.axes import STANDARD
    from studies.sensitivity.requirement import most_trainings
    from studies.sensitivity.requirement import require as answer

    arguments: dict[str, Any] = {
        "loss": loss,
        "parameters": parameter or STANDARD,
        "others": others,
        "chip": None if chip is None else load_chip(chip),
        "image_nj": image_nj,
        "image_us": image_us,
    }
    most, answering = partial(most_trainings, **arguments), partial(answer, **arguments)
    asked = workers, scheduler, data, other_versions, rows, retry_failed
    _answer("require", study, device, out, asked, plan, most, answering, requirement_view)


def _answer(
    question: str,
    study: str,
    device: str,
    out: Path | None,
    asked: tuple[int | None, str | None, Path | None, OtherVersions, list[Path] | None, bool],
    plan: bool,
    trainings: "Callable[..., Study]",
    answer: Callable[..., Any],
    view: Any,
) -> None:
    """Answers a question about a device, or prints the plan of all trainings that it takes.

    If `attribute` or `decompose` is interrupted, the answer is from the seeds that are complete.
    The study gets the hyperparameters that its own run has found, and the rows of its own folder.

    Args:
        asked: the arguments of `executing` after the folder.
        trainings: returns the study of all trainings.
        answer: runs them, and answers with a table, lines and failures.
        view: the module of `studies.report` that shows the answer.
    """
    from studies.declaration.shipped import find_study
    from studies.execution.study_runs import finished_in, of_whole_seeds, runner_of, with_own_folder
    from studies.sensitivity.device_question import device_name, question_name

    written = find_study(study)
    declared, own = with_own_folder(written, written.default_folder)
    folder_name = question_name(declared.study, question, device_name(declared, device))
    root = out or Path("out") / folder_name
    workers, scheduler, data, other_versions, given, retry = asked
    rows = list(dict.fromkeys([*(given or ()), *own]))
    if plan:
        trained = trainings(declared, device, done=finished_in(root, rows))
        print_plan(trained, root, workers, data, rows)
        return
    with executing(root, workers, scheduler, data, other_versions, rows, retry) as options:
        try:
            result = answer(declared, device, run=runner_of(root, options))
        except KeyboardInterrupt:
            # `require` chooses each value by the last answer, and `rerun` doubts the finished rows.
            if question != "require" and other_versions != "rerun":
                done = of_whole_seeds(finished_in(root, rows))
                trained = trainings(declared, device, done=done)
                n_all = len({seed for point in trained.points() for seed in point.seeds})
                n = len({trial.settings.seed for trial, _ in done(trained).runs})
                told = f"complete in every case: {n} of {counted(n_all, 'seed')}"
                typer.echo(f"{told}; the others may change the answer")
                if n:
                    _show(answer(declared, device, run=done), view, device, root)
            raise
    _show(result, view, device, root)
    end(result.failures, root)


def _show(result: Any, view: Any, device: str, root: Path) -> None:
    """Prints an answer, and writes its table and figure to the folder."""
    from studies.results.tables import write_csv

    for line in view.lines(result):
        typer.echo(line)
    if len(result.table):
        typer.echo(f"table   {write_csv(result.table, root / view.FILE)}")
        typer.echo(f"figure  {view.draw(result, device, root)}")
