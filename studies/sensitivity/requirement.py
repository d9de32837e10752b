"""Finds what a device has to meet: each parameter's value at which the wanted loss is reached.

A parameter is varied alone; the others stay as they are, or all other imperfections are switched
off (`off`), which asks what the parameter would cost by itself. Loss is the reference's test
accuracy minus the device's, in points, paired by seed.

Bracketing. The device's own value is the first; the second is the best value where the own loses
too much, else the worst. Where these two lie on both sides of the wanted loss,
`scipy.optimize.elementwise.find_root` narrows the bracket, all parameters at a time, so that each
round is one study. It stops where

- the bracket is narrower than a factor `WITHIN`, or
- neither end of the bracket can be told from the wanted loss with these seeds (95 %), or
- `MOST_ROUNDS` rounds were made.

Every value is run with all seeds of the study.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd
from scipy.optimize import elementwise

from rpu_ssnn.common.errors import InputError, one_of
from studies.common.choices import Others
from studies.common.statistics import mean_and_half_width
from studies.declaration.cases import Case
from studies.declaration.study import Study
from studies.declaration.trial import Failure
from studies.results import caveats
from studies.results.text_table import interval
from studies.sensitivity.axes import STANDARD, RequirementAxis, axis, parameters_for
from studies.sensitivity.device_question import (
    AS_IS,
    BySeed,
    DeviceQuestion,
    Run,
    TunedDevice,
    ask,
    hyperparameter_note,
    setting_notes,
    tuned_device_of,
)
from studies.sensitivity.evaluator import QUESTION, DeviceEvaluator
from studies.sensitivity.imperfections import Off, imperfections, switched_off
from studies.sensitivity.threshold_crossing import Losses, bracket, side, threshold_crossing

WITHIN = 1.5
FIRST_VALUES, MOST_ROUNDS = 2, 8

UNTUNED = TunedDevice(learning_rate=1.0, weight_range=1.0, thinning=None)
"""This stands in place of hyperparameters that are not known before anything runs."""

CASE_IN_QUESTION = "case 2"
"""Errors name the device so: the first case of a question's study is the reference."""

MET, NOT_MET, CANNOT_TELL = "met", "not met", "cannot tell"


@dataclass(frozen=True)
class Requirement:
    """Answers what each parameter has to meet.

    Attributes:
        table: one row for each parameter with ``parameter``, ``unit``, ``own`` (the device's own
            value), ``own_loss`` and ``own_loss_ci`` (points); ``bound`` (at most, at least),
            ``required`` and its interval ``easy``, ``hard`` (value at the harmless and the harmful
            end; NaN: open or none), ``why_none``, ``stopped`` (why no more values were measured),
            ``verdict``, ``values`` (measured), ``n`` (seeds), ``wanted`` (loss, points).
        curves: the loss at every measured value: ``parameter``, ``unit``, ``value``, ``loss``,
            ``loss_ci``, ``n``.
        notes: lines on what was held and left out.
        trials: number of runs that the answer rests on.
        failures: the trials that failed.
    """

    table: pd.DataFrame
    curves: pd.DataFrame
    notes: list[str]
    trials: int
    failures: list[Failure]


def require(
    study: Study,
    device: str,
    loss: float,
    run: Run,
    *,
    parameters: Sequence[str] = STANDARD,
    others: Others = "as-is",
) -> Requirement:
    """Runs what the bracketing asks for, and says what each parameter has to meet.

    >>> from studies import require, load_study, runner
    >>> study = load_study("my_study.yaml")  # doctest: +SKIP
    >>> with runner("out/question") as run:  # doctest: +SKIP
    ...     found = require(study, "charge_trap", 1.0, run, parameters=["levels"])
    >>> print(found.table[["parameter", "required", "verdict"]])  # doctest: +SKIP

    Args:
        device: label of a device case of the study, or a preset.
        loss: accuracy that may be lost to the reference, percentage points.
        run: runs what is missing of a study, such as `studies.runner` returns it.
        parameters: names of `axes.PARAMETERS`, or of a law of the user's own.
        others: leaves the other imperfections as they are (`as-is`), or switches them `off`.

    Raises:
        InputError: bad input, before anything runs.
    """
    _check(study, loss, others)
    asked = ask(study, device)
    _check_worst_values(asked, parameters, others)
    evaluator = DeviceEvaluator(asked, run)
    evaluator.run({AS_IS: asked.case})
    tuned = tuned_device_of(evaluator.runs)
    if tuned is None:
        nothing = pd.DataFrame()
        return Requirement(nothing, nothing, [], 0, evaluator.failures)
    case = asked.case.changed(hyperparameters=tuned.hyperparameters)
    axes, notes = _axes(case, tuned, parameters, others)
    evaluator.add_own(axes, case)
    evaluator.measure([(along, _far_end(along, evaluator.losses(along), loss)) for along in axes])
    _narrow(evaluator, [along for along in axes if bracket(evaluator.losses(along), loss)], loss)
    table = pd.DataFrame([_row(along, evaluator.losses(along), loss) for along in axes])
    curves = pd.DataFrame([point for along in axes for point in _curve(along, evaluator)])
    head = [
        f"{device} as it is loses {_points(evaluator.loss_of(AS_IS))} points to "
        f"{asked.reference.name}; wanted: at most {loss:g}",
        *caveats.of_device(evaluator.runs, AS_IS, asked.reference.name),
        "all other imperfections are switched off"
        if others == "off"
        else "each parameter is varied alone, the others as they are",
        hyperparameter_note(tuned),
    ]
    trials = len({trial.identity for trial, _ in evaluator.runs})
    notes = [*head, *setting_notes(asked), *notes]
    return Requirement(table, curves, notes, trials, evaluator.failures)


def _check(study: Study, loss: float, others: Others) -> None:
    if not 0 < loss <= 100:
        allowed = "must be above 0 and at most 100 percentage points, all there is to lose"
        raise InputError(study.study, "--loss", loss, allowed)
    if others not in get_args(Others):
        raise InputError(study.study, "--others", others, one_of(get_args(Others), others))


def _check_worst_values(asked: DeviceQuestion, parameters: Sequence[str], others: Others) -> None:
    """Refuses parameters whose worst values the device or its simulator does not allow."""
    case, study = asked.case, asked.study.study
    known = parameters_for(case)
    for name in parameters:
        if name not in known:
            raise InputError(study, "--parameter", name, one_of(known, name))
    asked.study_of(QUESTION, [case])  # what is wrong without them is said as it is
    off, _ = imperfections(case, None)
    if not case.written.get("hyperparameters"):  # a search will find them
        case = case.changed(hyperparameters=UNTUNED.hyperparameters)
    for name in parameters:
        along = axis(name, _context(case, off, name, others), UNTUNED)
        if isinstance(along, str):
            continue  # noted later
        try:
            asked.study_of(QUESTION, [along.case(along.worst_value)])
        except InputError as error:
            field = error.field.removeprefix(f"{CASE_IN_QUESTION}.")
            allowed = f"does not go with {case.device_rule.device}: {field}: {error.allowed}"
            raise InputError(study, "--parameter", name, allowed) from error


def _context(case: Case, off: Off, name: str, others: Others) -> Case:
    """Returns the device around a parameter."""
    if others == "as-is":
        return case
    return switched_off(case, off, set(off) - {parameters_for(case)[name].imperfection})


def _axes(
    case: Case, tuned: TunedDevice, parameters: Sequence[str], others: Others
) -> tuple[list[RequirementAxis], list[str]]:
    off, left_out = imperfections(case, tuned.thinning)
    axes, notes = [], []
    for name in dict.fromkeys(parameters):
        found = axis(name, _context(case, off, name, others), tuned)
        if isinstance(found, str):
            notes.append(found)
        else:
            axes.append(found)
    return axes, notes + (left_out if others == "off" else [])


def _far_end(along: RequirementAxis, losses: Losses, wanted: float) -> float | None:
    """Returns the second value: the best where the own one loses too much, else the worst."""
    own = along.harm(along.own)
    mean, _ = mean_and_half_width(list(losses[own].values()))
    end = along.harm(along.worst_value if mean <= wanted else along.best_value)
    return end if (end > own) == (mean <= wanted) and end != own else None


def _narrow(evaluator: DeviceEvaluator, axes: Sequence[RequirementAxis], wanted: float) -> None:
    """Narrows all brackets at once, where each call of ``excess`` is one study."""
    if not axes:
        return

    def excess(harm: np.ndarray, index: np.ndarray) -> np.ndarray:
        active = [axes[int(i)] for i in index]
        evaluator.measure(list(zip(active, harm.tolist(), strict=True)))
        return np.array(
            [
                _excess(evaluator.losses(along), evaluator.place(along, at), wanted)
                for along, at in zip(active, harm.tolist(), strict=True)
            ]
        )

    start = [bracket(evaluator.losses(along), wanted) or (0.0, 0.0) for along in axes]
    elementwise.find_root(
        excess,
        (np.array([low for low, _ in start]), np.array([high for _, high in start])),
        args=(np.arange(len(axes)),),
        tolerances={"xatol": math.log10(WITHIN), "xrtol": 0.0, "fatol": 0.0, "frtol": 0.0},
        maxiter=MOST_ROUNDS,
    )


def _excess(losses: Losses, harm: float, wanted: float) -> float:
    """Returns how far the loss is from the wanted one; 0 ends the search.

    The inverse hyperbolic sine keeps a loss of 80 points at one end from bending the root finder's
    interpolation.
    """
    between = bracket(losses, wanted)
    if not losses[harm] or between is None:
        return 0.0
    if all(_cannot_be_told(losses[end], wanted) for end in between):
        return 0.0
    return math.asinh(mean_and_half_width(list(losses[harm].values()))[0] - wanted)


def _cannot_be_told(losses: BySeed, wanted: float) -> bool:
    """Says whether the seeds leave open on which side of the wanted one the loss is.

    One seed alone leaves nothing open, so that a study of one seed still narrows its brackets.
    """
    mean, half = mean_and_half_width(list(losses.values()))
    return abs(mean - wanted) <= half


def _row(along: RequirementAxis, losses: Losses, wanted: float) -> dict[str, object]:
    own = losses[along.harm(along.own)]
    mean, half = mean_and_half_width(list(own.values()))
    found = threshold_crossing(losses, wanted)
    ends = (None, None, None) if found is None else (found.harm, found.low, found.high)
    required, easy, hard = (math.nan if harm is None else along.value(harm) for harm in ends)
    return {
        "parameter": along.name,
        "unit": along.parameter.unit,
        "own": along.own,
        "own_loss": mean,
        "own_loss_ci": half,
        "bound": "at least" if along.larger_is_better else "at most",
        "required": required,
        "easy": easy,
        "hard": hard,
        "why_none": "" if found else _why_none(along, losses, wanted),
        "stopped": _why_stopped(losses, wanted),
        "verdict": {-1: MET, 0: CANNOT_TELL, 1: NOT_MET}[side(own, wanted)],
        "values": sum(map(bool, losses.values())),
        "n": len(own),
        "wanted": wanted,
    }


def _curve(along: RequirementAxis, evaluator: DeviceEvaluator) -> Iterator[dict[str, object]]:
    of_values = {_measured(along, harm): of for harm, of in evaluator.losses(along).items()}
    for value in sorted(of_values):
        mean, half = mean_and_half_width(list(of_values[value].values()))
        shared = {"parameter": along.name, "unit": along.parameter.unit, "value": value}
        yield shared | {"loss": mean, "loss_ci": half, "n": len(of_values[value])}


def _measured(along: RequirementAxis, harm: float) -> float:
    """Returns the value that was run: the device's own in all digits, others in three."""
    return along.own if harm == along.harm(along.own) else along.value(harm)


def _why_none(along: RequirementAxis, losses: Losses, wanted: float) -> str:
    ends = sorted(harm for harm, by_seed in losses.items() if by_seed)
    if not ends:
        return "its runs failed"
    if failed := [harm for harm, by_seed in losses.items() if not by_seed]:
        return f"all runs at {_measured(along, failed[0]):g} failed"
    best, worst = ends[0], ends[-1]
    without_limit = mean_and_half_width(list(losses[worst].values()))[0] <= wanted
    end = worst if without_limit else best
    loss, value = f"loss {_points(losses[end])}", f"{_measured(along, end):g}"
    if _cannot_be_told(losses[end], wanted):
        return f"these seeds cannot tell: {loss} at {value}, its last value; add seeds"
    if without_limit:
        return f"no limit up to {value} ({loss})"
    return f"not reached by it alone: {loss} at {value}"


def _points(losses: BySeed) -> str:
    return interval(*mean_and_half_width(list(losses.values())), n=len(losses))


def _why_stopped(losses: Losses, wanted: float) -> str:
    """Says why no further value was measured; empty where the bracket is as narrow as wanted."""
    between = bracket(losses, wanted)
    if between is None or between[1] - between[0] <= math.log10(WITHIN):
        return ""
    if all(_cannot_be_told(losses[end], wanted) for end in between):
        return "the seeds cannot tell whether the two nearest values lose too much; add seeds"
    if not all(losses.values()):
        return "all runs of a value between the two nearest ones failed"
    return ""
