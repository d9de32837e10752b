"""Finds what is required of a device: the value of each parameter that gives the wanted loss.

Each parameter is varied alone. The others stay as they are, or all other imperfections are switched
off (`off`), to see what the parameter would cost by itself. Loss is the reference's test accuracy
minus the device's, in points, paired by seed.

Bracketing starts with the device's original value. The second value is the best one if the original
one loses too much, else the worst. If the wanted loss is between the losses of these two,
`scipy.optimize.elementwise.find_root` narrows the bracket, for all parameters at a time, so that
each round is one study. It stops when

- the bracket is narrower than a factor `WITHIN`, or
- neither end of the bracket can be distinguished from the wanted loss with these seeds (95 %), or
- there have been `MOST_ROUNDS` rounds.

Every value is run with all seeds of the study. A bound on the energy or time of an image in a chip
is treated in the same way, with the same runs and those that its bracket needs in addition.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import pandas as pd
from scipy.optimize import elementwise

from rpu_ssnn.common.errors import InputError, one_of, several
from studies.chip.description import Chip
from studies.common.choices import Others
from studies.common.statistics import describe, seeds_to_tell
from studies.declaration.cases import Case
from studies.declaration.study import Study
from studies.declaration.trial import Failure
from studies.results import caveats
from studies.results.chip_ledger import chip_ledger
from studies.sensitivity.axes import RequirementAxis, axis, parameters_for
from studies.sensitivity.bounded_axis import (
    QUESTION,
    Bound,
    BoundedAxis,
    DeviceEvaluator,
    bounds_of,
)
from studies.sensitivity.device_question import (
    AS_IS,
    UNTUNED,
    DeviceQuestion,
    Run,
    TunedDevice,
    ask,
    checked_runner,
    setting_notes,
)
from studies.sensitivity.imperfections import imperfections, others_in_steps, switched_off
from studies.sensitivity.threshold_crossing import side, threshold_crossing

WITHIN = 1.5
MOST_ROUNDS = 8

CASE_IN_QUESTION = "case 2"
"""Errors give the device this name, as the first case of a question's study is the reference."""

MET, NOT_MET, CANNOT_TELL = "met", "not met", "cannot tell"


@dataclass(frozen=True)
class Requirement:
    """Gives the values required of each parameter.

    Attributes:
        table: one row for each parameter and bound with ``parameter``, ``unit``, ``own`` (the
            device's original value), ``of`` (loss, energy, time), ``own_cost`` and ``own_cost_ci``
            (points, nJ, us); ``bound`` (at most, at least), ``required`` and its interval ``easy``,
            ``hard`` (values at the end that costs less and at the end that costs more; NaN if open
            or none), ``why_none``, ``stopped`` (why no more values were measured), ``verdict``,
            ``values`` (number measured), ``n`` (seeds), ``wanted`` (the bound on the cost).
        curves: the cost at every measured value: ``parameter``, ``unit``, ``of``, ``value``,
            ``cost``, ``cost_ci``, ``n``.
        notes: lines about what was kept fixed or left out.
        trials: number of runs that the answer is based on.
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
    parameters: str | Sequence[str] | None = None,
    others: Others = "as-is",
    chip: Chip | None = None,
    image_nj: float | None = None,
    image_us: float | None = None,
) -> Requirement:
    """Runs the devices that the bracketing needs, and finds the value required of each parameter.

    >>> from studies import require, load_study, runner
    >>> study = load_study("my_study.yaml")  # doctest: +SKIP
    >>> with runner("out/question") as run:  # doctest: +SKIP
    ...     found = require(study, "charge_trap", 1.0, run, parameters=["levels"])
    >>> print(found.table[["parameter", "required", "verdict"]])  # doctest: +SKIP

    Args:
        device: label of a device case of the study, or a preset.
        loss: largest allowed loss of accuracy to the reference, percentage points.
        run: runs the missing trials of a study, as the function that `studies.runner` yields does.
        parameters: one or several of `axes.PARAMETERS`, or parameters of a user's law; None means
            those that are imperfections of the device.
        others: `as-is` leaves the other imperfections as they are, `off` switches them off.
        chip: the chip around the devices; None means the study's.
        image_nj, image_us: largest energy and time (nJ, us) of a training image in the chip.

    Raises:
        InputError: the input is bad, which is checked before anything runs, or kept rows have no
            events.
    """
    run = checked_runner(run)
    limits = {"loss": loss, "chip": chip, "image_nj": image_nj, "image_us": image_us}
    search = _Search.of(study, device, parameters, others, **limits)
    asked, bounds = search.asked, search.bounds
    evaluator = DeviceEvaluator(asked, run)
    evaluator.run({AS_IS: asked.case})
    tuned = TunedDevice.of(evaluator.runs)
    if tuned is None:
        return Requirement(pd.DataFrame(), pd.DataFrame(), [], 0, evaluator.failures)
    taken = [_in_chip(evaluator, chip, study) for chip in {bound.chip for bound in bounds} if chip]
    case = asked.case.tuned(tuned)
    axes, notes = search.axes(case, tuned)
    evaluator.cases[AS_IS] = case
    evaluator.measure((along, along.harm(along.own)) for along in axes)
    each = [BoundedAxis(along, bound, evaluator) for along in axes for bound in bounds]
    evaluator.measure([(bounded.along, end) for bounded in each for end in _ends(bounded)])
    each = [bounded.rising() for bounded in each]
    _narrow(evaluator, [bounded for bounded in each if bounded.between])
    table = pd.DataFrame([_row(bounded) for bounded in each])
    curves = pd.DataFrame([point for bounded in each for point in _curve(bounded)])
    head = [
        f"{device} as it is loses {bounds[0].text(evaluator.costs(AS_IS, bounds[0]))} points to "
        f"{asked.reference.name}; at most {loss:g} are allowed",
        *caveats.of_question(evaluator.runs, AS_IS, asked.reference.name),
        "all other imperfections are switched off"
        if others == "off"
        else "each parameter is varied alone, the others as they are",
        tuned.note,
    ]
    trials = len({trial.identity for trial, _ in evaluator.runs})
    notes = [*head, *taken, *setting_notes(study), *notes, *(_together(each) if taken else ())]
    return Requirement(table, curves, notes, trials, evaluator.failures)


def most_trainings(study: Study, device: str, done: Run, **wanted: Any) -> Study:
    """Returns a study of as many trainings as the search of a loss makes at most: a parameter has
    one value between its best and its worst, and further seeds stand in place of further values.

    Args:
        done: returns what is finished of a study.
        wanted: all other arguments of `require`, which are checked as there.

    Raises:
        InputError: the input is bad.
    """
    search = _Search.of(study, device, **wanted)
    asked = search.asked
    tuned = TunedDevice.of(done(asked.study_of(QUESTION, [asked.case])).runs) or UNTUNED
    axes, _ = search.axes(asked.case.tuned(tuned), tuned)
    seeds = range(len(study.seeds) * (1 + MOST_ROUNDS))
    cases = [asked.case]
    for along in axes:
        harm = (along.harm(along.best_value) + along.harm(along.worst_value)) / 2
        cases.append(along.case(along.value(harm)).changed(label=along.name, seeds=list(seeds)))
    return asked.study_of(QUESTION, cases)


@dataclass(frozen=True)
class _Search:
    """Holds what `require` is asked, after its check.

    Attributes:
        parameters: names of parameters, each once.
    """

    asked: DeviceQuestion
    bounds: list[Bound]
    parameters: list[str]
    others: Others

    @classmethod
    def of(
        cls, study: Study, device: str, parameters: object, others: Others, **limits: Any
    ) -> "_Search":
        """Checks the arguments of `require`.

        Args:
            limits: those of `bounds_of`.

        Raises:
            InputError: a bound is bad, there is no such parameter, the device or its simulator does
                not support its worst value, or `others` is not one of its words.
        """
        asked = ask(study, device)
        bounds = list(bounds_of(asked, **limits))
        case, where = asked.case, asked.study.where
        known = parameters_for(case)
        if parameters is None:
            off, _ = imperfections(case, UNTUNED.thinning)
            parameters = [name for name, row in known.items() if row.imperfection in off]
        names = list(dict.fromkeys(several(where, "--parameter", parameters)))
        words = (("--parameter", name, known) for name in names or [None])
        for field, word, valid in (("--others", others, get_args(Others)), *words):
            if word not in valid:
                raise InputError(where, field, word, one_of(valid, word))
        asked.study_of(QUESTION, [case])  # errors that do not depend on the parameters come first
        search = cls(asked, bounds, names, others)
        if not case.written.get("hyperparameters"):  # a search will find the hyperparameters
            case = case.tuned(UNTUNED)
        for along in search.axes(case, UNTUNED)[0]:
            try:
                asked.study_of(QUESTION, [along.case(along.worst_value)])
            except InputError as error:
                field = error.field.removeprefix(f"{CASE_IN_QUESTION}.")
                allowed = f"cannot be varied in {case.device_rule.device}: {field}: {error.allowed}"
                raise InputError(where, "--parameter", along.name, allowed) from error
        return search

    def axes(self, case: Case, tuned: TunedDevice) -> tuple[list[RequirementAxis], list[str]]:
        """Returns the axes of the parameters that the device has, and notes on the others.

        Args:
            case: the device with its hyperparameters.
        """
        off, left_out = imperfections(case, tuned.thinning)
        axes, notes = [], []
        for name in self.parameters:
            context = case  # the device in which the parameter is varied
            if self.others == "off":
                own = parameters_for(case)[name].imperfection
                context = switched_off(case, off, set(off) - {own})
            result = axis(name, context, tuned)
            if isinstance(result, str):
                notes.append(result)
                continue
            axes.append(result)
            if (name, self.others) == ("levels", "as-is"):
                notes += others_in_steps(name, off)
        return axes, notes + (left_out if self.others == "off" else [])


def _ends(bounded: BoundedAxis) -> list[float]:
    """Returns the harms to measure after the original one.

    For a loss, it is the best value if the original one loses too much, else the worst. For an
    energy or a time that is too large, it is both, as either may be the better one.
    """
    along, own = bounded.along, bounded.along.harm(bounded.along.own)
    above = not bounded.keeps(bounded.costs[own])
    better = min(own, along.harm(along.best_value))
    worse = max(own, along.harm(along.worst_value))
    if bounded.bound.chip is None:
        return [better if above else worse]
    return [better, worse] if above else []


def _narrow(evaluator: DeviceEvaluator, each: Sequence[BoundedAxis]) -> None:
    """Narrows all brackets at once, so that each call of ``excess`` is one study."""
    if not each:
        return

    def excess(harm: np.ndarray, index: np.ndarray) -> np.ndarray:
        active = [(each[int(i)], float(at)) for i, at in zip(index, harm, strict=True)]
        evaluator.measure([(bounded.along, at) for bounded, at in active])
        return np.array([bounded.excess(at) for bounded, at in active])

    start = [bounded.between or (0.0, 0.0) for bounded in each]
    elementwise.find_root(
        excess,
        (np.array([low for low, _ in start]), np.array([high for _, high in start])),
        args=(np.arange(len(each)),),
        tolerances={"xatol": math.log10(WITHIN), "xrtol": 0.0, "fatol": 0.0, "frtol": 0.0},
        maxiter=MOST_ROUNDS,
    )


def _row(bounded: BoundedAxis) -> dict[str, object]:
    along, costs, most = bounded.along, bounded.costs, bounded.bound.most
    own = costs[along.harm(along.own)]
    at_own = describe(own.values())
    crossing = threshold_crossing(costs, most)
    ends = (None, None, None) if crossing is None else (crossing.harm, crossing.low, crossing.high)
    required, easy, hard = (math.nan if harm is None else along.value(harm) for harm in ends)
    return {
        "parameter": along.name,
        "unit": along.parameter.unit,
        "own": along.own,
        "of": bounded.bound.of,
        "own_cost": at_own.mean,
        "own_cost_ci": at_own.half_width,
        "bound": "at most" if along.at_most else "at least",
        "required": required,
        "easy": easy,
        "hard": hard,
        "why_none": "" if crossing else _why_none(bounded),
        "stopped": _why_stopped(bounded),
        "verdict": {-1: MET, 0: CANNOT_TELL, 1: NOT_MET}[side(own, most)],
        "values": sum(map(bool, costs.values())),
        "n": at_own.n,
        "wanted": most,
    }


def _curve(bounded: BoundedAxis) -> Iterator[dict[str, object]]:
    along = bounded.along
    by_value = {along.measured(harm): by_seed for harm, by_seed in bounded.costs.items()}
    for value in sorted(by_value):
        costs = describe(by_value[value].values())
        yield {
            "parameter": along.name, "unit": along.parameter.unit, "of": bounded.bound.of,
            "value": value, "cost": costs.mean, "cost_ci": costs.half_width, "n": costs.n
        }  # fmt: skip


def _why_none(bounded: BoundedAxis) -> str:
    along, costs, bound = bounded.along, bounded.costs, bounded.bound
    ends = sorted(harm for harm, by_seed in costs.items() if by_seed)
    if not ends:
        return "all its runs failed"
    if failed := [harm for harm, by_seed in costs.items() if not by_seed]:
        return f"all runs at {along.measured(failed[0]):g} failed"
    without_limit = bounded.keeps(costs[ends[-1]])
    end = ends[-1] if without_limit else ends[0]
    cost, value = f"{bound.of} {bound.text(costs[end])}", f"{along.measured(end):g}"
    if bounded.cannot_be_told(costs[end]):
        last = describe(costs[end].values())
        needed = seeds_to_tell(last.n, last.mean - bound.most, last.half_width, 1)
        more = f"it would take {needed} seeds or more" if needed else "add seeds"
        return f"not decided by these seeds: {cost} at {value}, its last value; {more}"
    if bound.chip is not None:
        measured = f"{along.measured(ends[0]):g} to {along.measured(ends[-1]):g}"
        return f"bound {'kept' if without_limit else 'broken'} from {measured}: {cost} at {value}"
    if without_limit:
        return f"no limit {'up' if along.at_most else 'down'} to {value} ({cost})"
    return f"not enough by itself: {cost} at {value}, its best value"


def _together(each: Sequence[BoundedAxis]) -> Iterator[str]:
    """Says which values of each parameter keep all bounds, for means over seeds."""
    for name in dict.fromkeys(bounded.along.name for bounded in each):
        kept = np.array([bounded.kept for bounded in each if bounded.along.name == name])
        low, high = kept[:, 0].max(), kept[:, 1].min()
        if not low <= high:
            yield f"{name}: no measured value keeps all bounds"
            continue
        words = [
            f"{word} {end:.3g}" for word, end in (("from", low), ("to", high)) if np.isfinite(end)
        ]
        yield f"{name}: all bounds are kept {' '.join(words) or 'at all measured values'}"


def _in_chip(evaluator: DeviceEvaluator, chip: Chip, study: Study) -> str:
    """Says which energy and time an image takes in a chip with the unchanged device.

    Raises:
        InputError: its rows have no events.
    """
    own = [run for run in evaluator.runs if run[0].label == AS_IS]
    row = chip_ledger(own, chip, study.study).iloc[0]
    energy, low, high = (1e9 * row[f"image_{end}j"] for end in ("", "low_", "high_"))
    late = row["training_s"] > 1.01 * row["simulated_s"]
    return (
        f"an image in training takes {energy:.3g} nJ ({low:.3g} to {high:.3g} within the intervals "
        f"of the components) and {1e6 * row['image_s']:.3g} us in {chip.chip}"
    ) + (", longer than devices lost charge" if late else "")


def _why_stopped(bounded: BoundedAxis) -> str:
    """Says why no more values were measured, with an empty text if the bracket is narrow enough."""
    costs, between = bounded.costs, bounded.between
    if between is None or between[1] - between[0] <= math.log10(WITHIN):
        return ""
    if all(bounded.cannot_be_told(costs[end]) for end in between):
        return "not decided by these seeds: whether the two nearest values cost too much; add seeds"
    if not all(costs.values()):
        return "all runs of a value between the two nearest ones failed"
    return ""
