"""Defines the commands that ask about one device: `attribute`, `decompose` and `require`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.wording import counted, listed
from studies.cli.options import QuestionOutOption, StudyArgument, with_options
from studies.cli.running import EstimateOption, PlanOption, RunOptions, end, print_plan
from studies.common.choices import Others

if TYPE_CHECKING:
    from studies.declaration.study import Study

questions_app = typer.Typer()

DeviceOption = Annotated[
    str, typer.Option(help="Label of a case of the study with a device, or a preset.")
]


@dataclass(frozen=True, kw_only=True)
class QuestionOptions(RunOptions):
    """Holds the options of all questions about a device."""

    study: StudyArgument
    device: DeviceOption
    out: QuestionOutOption = None
    plan: PlanOption = False
    estimate: EstimateOption = True


@questions_app.command()
@with_options
def attribute(options: QuestionOptions) -> None:
    """Which imperfection of a device costs most? Trains with each off, and with each alone on."""
    from studies.report import attribution_view
    from studies.sensitivity.attribution import all_trainings
    from studies.sensitivity.attribution import attribute as answer

    _answer(options, answer, all_trainings, attribution_view)


@questions_app.command()
@with_options
def decompose(options: QuestionOptions) -> None:
    """How much do the device and the training by spikes cost, against a float network?"""
    from studies.report import decomposition_view
    from studies.sensitivity.decomposition import all_trainings
    from studies.sensitivity.decomposition import decompose as answer

    _answer(options, answer, lambda *about, done: all_trainings(*about), decomposition_view)


@questions_app.command()
@with_options
def require(
    loss: Annotated[
        float, typer.Option(help="Largest allowed loss of accuracy to the reference, points.")
    ] = 1.0,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            help="Parameter to vary; the option may be repeated; default: what is imperfect in the "
            "device."
        ),
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
    *,
    options: QuestionOptions,
) -> None:
    """How good must a device be? Finds the value of each parameter at which the loss is --loss.

    There may also be bounds on the energy or time of an image in training, in a chip.

    --plan counts the most trainings that may be needed; most parameters need fewer.
    """
    from studies.chip.description import load_chip
    from studies.report import requirement_view
    from studies.sensitivity.requirement import most_trainings
    from studies.sensitivity.requirement import require as answer

    wanted = {
        "loss": loss,
        "parameters": parameter,
        "others": others,
        "chip": None if chip is None else load_chip(chip),
        "image_nj": image_nj,
        "image_us": image_us,
    }
    _answer(options, answer, most_trainings, requirement_view, **wanted)


def _answer(
    asked: QuestionOptions,
    answer: Callable[..., Any],
    trainings: "Callable[..., Study]",
    view: Any,
    **wanted: Any,
) -> None:
    """Answers a question about a device, or prints the plan of all trainings that it takes.

    If `attribute` or `decompose` is interrupted, the answer is from the seeds that are complete.
    The study gets the hyperparameters that its own run has found, and the rows of its own folder.

    Args:
        answer: runs the trainings, and answers with a table, lines and failures; the question has
            its name.
        trainings: returns the study of all trainings.
        view: the module of `studies.report` that shows the answer.
        wanted: what both functions take besides study, device and runs.
    """
    from studies.declaration.shipped import find_study
    from studies.execution.plan import make_plan
    from studies.execution.progress import duration
    from studies.execution.study_runs import finished_in, of_whole_seeds, runner_of, with_own_folder
    from studies.sensitivity.device_question import device_name, question_name

    written = find_study(asked.study)
    declared, own = with_own_folder(written, written.default_folder)
    question, about = answer.__name__, (declared, asked.device)
    root = asked.out or Path("out") / question_name(declared.study, question, device_name(*about))
    rows = list(dict.fromkeys([*(asked.rows or ()), *own]))
    finished = finished_in(root, rows)
    trained = trainings(*about, done=finished, **wanted)
    if asked.plan:
        print_plan(trained, root, asked.workers, asked.data, rows, asked.estimate)
        return
    if not asked.estimate:
        raise InputError(question, "--plan", None, "must be given together with --no-estimate")
    most, runs = sum(len(point.seeds) for point in trained.points()), finished(trained).runs
    names = listed([case.name for case in trained.cases], mark="; ")  # names may have commas
    told = f"at most {counted(most, 'training')} ({names})"
    search = len(make_plan(trained, root, rows).search)
    if search:
        told += f", after {counted(search, 'run')} of the search"
    if seconds := [float(str(result.row["seconds"])) for _, result in runs]:
        left = duration((search + most - len(runs)) * max(seconds))
        told += f", {left} one after the other if each takes as long as the longest finished one"
    fewer = ", and --parameter asks for fewer" if "parameters" in wanted else ""
    told += f"; --plan estimates their time{fewer}"
    with replace(asked, rows=rows).executing(root) as options:
        try:
            found = answer(*about, run=runner_of(root, replace(options, told=told)), **wanted)
        except KeyboardInterrupt:
            # `require` chooses each value by the last answer, and `rerun` doubts the finished rows.
            if question != "require" and asked.other_versions != "rerun":
                done = of_whole_seeds(finished)
                trained = trainings(*about, done=done)
                n_all = len({seed for point in trained.points() for seed in point.seeds})
                n = len({trial.settings.seed for trial, _ in done(trained).runs})
                told = f"complete in every case: {n} of {counted(n_all, 'seed')}"
                typer.echo(f"{told}; the others may change the answer")
                if n:
                    _show(answer(*about, run=done), view, asked.device, root)
            raise
    _show(found, view, asked.device, root)
    end(found.failures, root)


def _show(found: Any, view: Any, device: str, root: Path) -> None:
    """Prints an answer, and writes its table and figure to the folder."""
    from studies.results.tables import write_csv

    for line in view.lines(found):
        typer.echo(line)
    if len(found.table):
        typer.echo(f"table   {write_csv(found.table, root / view.FILE)}")
        typer.echo(f"figure  {view.draw(found, device, root)}")
