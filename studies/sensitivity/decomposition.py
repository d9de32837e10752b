"""Splits the loss of a device into steps, from a float network to spikes in the device.

Two ways lead from exact backpropagation in floating point into a device:

- by numbers: float -> pulse trains of numbers in the `ideal` preset -> the same in the device;
- by spikes: float -> rates (Eq. 9) and then coincidences (Eq. 10) on float weights -> the device.

Each step's loss is a difference of test accuracies in percentage points, paired by seed. The device
may cost more one way than the other; the difference is the effect of spikes in the same device. All
these steps have perfect neurons. If the device's neurons have a circuit, its faults are a last step
by spikes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import pandas as pd

from rpu_ssnn.common.errors import require
from rpu_ssnn.spec import CircuitSpec
from studies.common.settings import leaves, value_at, with_value
from studies.common.statistics import (
    NOT_SIGNIFICANT,
    ONLY_ALONE,
    SIGNIFICANCE,
    WHY_UNTESTED,
    describe,
    mark,
    paired_tests,
)
from studies.declaration.cases import Case
from studies.declaration.study import Study
from studies.declaration.trial import Failure, Runs
from studies.declaration.update_rules.analog_sgd import AnalogSgdRule
from studies.declaration.update_rules.base import Rule
from studies.declaration.update_rules.loading import rule_class
from studies.declaration.update_rules.pulses import PulseRule
from studies.results import caveats
from studies.results.comparison import columns_of_tests
from studies.results.text_table import interval
from studies.sensitivity.device_question import (
    DeviceQuestion,
    Run,
    accuracy_by_seed,
    ask,
    checked_runner,
    differences,
    setting_notes,
)
from studies.sensitivity.imperfections import circuit_of

QUESTION = "decompose"
IDEAL_DEVICE = "ideal"
"""This preset has a finite step, a finite range and no other imperfection."""

FLOAT = "float network"
NUMBERS_IDEAL = f"numbers in {IDEAL_DEVICE}"
NUMBERS = "numbers in the device"
RATES = "spikes, float weights, rates"
COINCIDENCES = "spikes, float weights, coincidences"
SPIKES = "spikes in the device"
NEURONS = "spikes in the device, faulty neurons"

BY_NUMBERS, BY_SPIKES, BETWEEN = "by numbers", "by spikes", "spikes against numbers"

FRONT_END, PRODUCTS = "the spiking front end", "products of coincidences"
WITH_NUMBERS, WITH_SPIKES = "the device, trained with numbers", "the device, trained with spikes"
WITH_NEURONS = "the faults of the neurons"
INSTEAD, ALL = "spikes instead of numbers", "all"

_PLACES = {
    FRONT_END: "the front end",
    PRODUCTS: "the coincidences",
    WITH_SPIKES: "the device",
    WITH_NEURONS: "the neurons",
}


def steps_to(last: str) -> list[tuple[str, str, str, str]]:
    """Returns way, step, state before and state after for each row of the table.

    Args:
        last: the last state by spikes, `SPIKES` or `NEURONS`.
    """
    faults = [(BY_SPIKES, WITH_NEURONS, SPIKES, NEURONS)] if last == NEURONS else []
    return [
        (BY_NUMBERS, "finite step and pulse trains", FLOAT, NUMBERS_IDEAL),
        (BY_NUMBERS, WITH_NUMBERS, NUMBERS_IDEAL, NUMBERS),
        (BY_SPIKES, FRONT_END, FLOAT, RATES),
        (BY_SPIKES, PRODUCTS, RATES, COINCIDENCES),
        (BY_SPIKES, WITH_SPIKES, COINCIDENCES, SPIKES),
        *faults,
        (BY_NUMBERS, ALL, FLOAT, NUMBERS),
        (BY_SPIKES, ALL, FLOAT, last),
        (BETWEEN, INSTEAD, NUMBERS, SPIKES),
    ]


@dataclass(frozen=True)
class Decomposition:
    """Lists the losses on the way from a float network to spikes in a device.

    Attributes:
        table: one row for each of `steps_to`: ``way``, ``step``, ``before``, ``after``, ``loss``
            (points, mean over the seeds that both have), ``loss_ci`` (half width of the 95 %
            interval), ``loss_p_holm`` (paired t-test after Holm's correction over the steps of one
            way; ``all`` and `INSTEAD` are single questions), ``n`` (number of seeds) and
            ``loss_p_alone`` (not corrected, so that it agrees with ``loss_ci``).
        levels: mean test accuracy (%) of each state.
        sentence: the answer in words; empty if a state has no run.
        notes: lines about what was left out.
        failures: the trials that failed.
    """

    table: pd.DataFrame
    levels: dict[str, float]
    sentence: str
    notes: list[str]
    failures: list[Failure]


def decompose(study: Study, device: str, run: Run) -> Decomposition:
    """Runs all states from a float network to spikes in a device, and measures their losses.

    Every state has its own learning rate (and, in a device, weight range), given by the study's
    case or else searched as in any study.

    >>> from studies import decompose, load_study, runner
    >>> study = load_study("my_study.yaml")  # doctest: +SKIP
    >>> with runner("out/question") as run:  # doctest: +SKIP
    ...     found = decompose(study, "charge_trap", run)
    >>> print(found.sentence)  # doctest: +SKIP

    Args:
        device: label of a device case of the study, or a preset.
        run: runs the missing trials of a study, as the function that `studies.runner` yields does.

    Raises:
        InputError: the input is bad; this is checked before anything runs. The device must not be
            that of the control, and the control (`update_rules.analog_sgd`) must be able to train
            it.
    """
    run = checked_runner(run)
    trained = all_trainings(study, device)
    cases, outcome = trained.cases, run(trained)
    if not outcome.runs:  # every run failed, so nothing can be compared
        return Decomposition(pd.DataFrame(), {}, "", [], outcome.failures)
    table = _table(outcome.runs, cases[-1].name)
    reached = {case.name: accuracy_by_seed(outcome.runs, case.name) for case in cases}
    levels = {state: describe(by_seed.values()).mean for state, by_seed in reached.items()}
    weak = caveats.of_question(outcome.runs, cases[-1].name, FLOAT)
    notes = [*setting_notes(study), *weak, *_weak_floats(table)]
    spikes = next(_simulator(case) for case in cases if case.name == SPIKES)
    others = {_simulator(case) for case in cases if isinstance(case.rule, AnalogSgdRule)} - {spikes}
    notes += [
        f"with spikes the device is simulated by {spikes}, with numbers by {o}" for o in others
    ]
    return Decomposition(table, levels, sentence(table, device), notes, outcome.failures)


def all_trainings(study: Study, device: str) -> Study:
    """Returns the study of all trainings that the question takes.

    Raises:
        InputError: the input is bad, as for `decompose`.
    """
    asked = ask(study, device)
    allowed = "must be a device that is trained by spikes, or its preset"
    by_spikes = isinstance(asked.case.rule, PulseRule)
    require(by_spikes, asked.study.where, "--device", asked.device, allowed)
    perfect = _with_perfect_neurons(asked)
    cases = list(_cases(perfect))
    if circuit_of(asked.case).acts:
        cases.append(_labelled(asked.case, NEURONS))
    return replace(perfect, reference=cases[0]).study_of(QUESTION, cases[1:])


def _with_perfect_neurons(asked: DeviceQuestion) -> DeviceQuestion:
    """Returns the question with perfect neurons in the study and in all its cases."""

    def perfect(case: Case) -> Case:
        neuron = case.network.get("neuron", {})
        if "circuit" not in neuron:
            return case
        kept = {name: value for name, value in neuron.items() if name != "circuit"}
        return case.changed(network={**case.network, "neuron": kept})

    study = asked.study
    neuron = study.network.neuron.model_copy(update={"circuit": CircuitSpec()})
    network = study.network.model_copy(update={"neuron": neuron})
    cases = tuple(perfect(case) for case in study.cases)
    changed = study.model_copy(update={"network": network, "cases": cases})
    return replace(asked, study=changed, case=perfect(asked.case))


def _labelled(case: Case, label: str) -> Case:
    return case.model_copy(update={"label": label, "seeds": None})


def _cases(asked: DeviceQuestion) -> Iterator[Case]:
    """Yields the states in the order of the table, taken from the study's cases if it has them."""
    rule, tile = asked.case.device_rule, asked.case.written.get("tile", {})
    simulator = {key: value for key, value in tile.items() if key == "simulator"}
    numbers = {"update": "analog_sgd", "device": rule.device, "overrides": rule.overrides}
    made: dict[str, dict[str, Any]] = {
        FLOAT: {"update": "ann"},
        NUMBERS_IDEAL: {"update": "analog_sgd", "device": IDEAL_DEVICE, "tile": simulator},
        NUMBERS: {**numbers, "tile": tile},
        RATES: {"update": "rate"},
        COINCIDENCES: {"update": "coincidence"},
    }
    shared = {"network": asked.case.network, "training": asked.case.training}
    for state, keys in made.items():
        read = _read_by(rule_class(keys["update"]), shared)
        yield _labelled(_of_study(asked, Case.model_validate({**keys, **read})), state)
    yield _labelled(asked.case, SPIKES)


def _simulator(case: Case) -> object:
    """Returns the simulator of a case with a device, or None."""
    return value_at(case.rule.model_dump(), "tile.simulator")


def _of_study(asked: DeviceQuestion, made: Case) -> Case:
    """Returns the study's case with the rule, device, network and training of a made one, or else
    that one.

    Both simulators have the same devices, so a control in the other simulator will do too. How the
    float network descends, and how long trains of numbers are, is left to the study.
    """

    def demanded(rule: Rule) -> dict[str, Any]:
        given = rule.model_dump(exclude={"learning_rate": True, "sgd": True, "trains": True})
        drawn = {"draws": getattr(rule, "draws", 0)}
        return with_value(given, "tile.simulator", None) | drawn

    for case in sorted(asked.study.cases, key=lambda case: _simulator(case) != _simulator(made)):
        if demanded(case.rule) == demanded(made.rule):
            both = asked.study_of(QUESTION, (_labelled(case, "own"), _labelled(made, "wanted")))
            _, own, wanted = both.points()
            if (own.network, own.training) == (wanted.network, wanted.training):
                return case
    return made


def _read_by(rule: type[Rule], shared: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Keeps those settings of the device's network and training that have an effect on a rule."""
    read: dict[str, dict[str, Any]] = {}
    for path, value in leaves(shared):
        if rule.has_effect(path):
            read = with_value(read, path, value)
    return read


def _table(runs: Runs, last: str) -> pd.DataFrame:
    steps = steps_to(last)
    reached = {state: accuracy_by_seed(runs, state) for step in steps for state in step[2:]}
    losses = [differences(reached[before], reached[after]).values() for *_, before, after in steps]
    # Which step of a way costs is one question, and what the whole way costs is another.
    questions = groupby(range(len(steps)), lambda row: (steps[row][0], steps[row][1] == ALL))
    tests = [test for _, rows in questions for test in paired_tests(losses[row] for row in rows)]
    names = {"mean": "loss", "half_width": "loss_ci", "p": "loss_p_holm", "n": "n"}
    names["p_alone"] = "loss_p_alone"
    table = pd.DataFrame(steps, columns=["way", "step", "before", "after"])
    return table.join(columns_of_tests(tests, names))


def _weak_floats(table: pd.DataFrame) -> Iterator[str]:
    """Warns if another state ends above the float network, which all losses count from."""
    above = table[(table["before"] == FLOAT) & (table["loss"] + table["loss_ci"] < 0)]
    if len(above):
        best = above.sort_values("loss").iloc[0]
        yield (
            f"the float network is {_points(best, -1.0)} points below {best['after']}, so that its "
            "learning rate may be poor, and losses against it too small; give it another"
        )


def sentence(table: pd.DataFrame, device: str) -> str:
    """Says where the loss arises, and how it differs with numbers instead of spikes."""
    if table["loss"].isna().any():
        return ""
    by = {(row["way"], row["step"]): row for _, row in table.iterrows()}
    whole, front_end, products, inside = (
        by[BY_SPIKES, step] for step in (ALL, FRONT_END, PRODUCTS, WITH_SPIKES)
    )
    numbers, between = by[BY_NUMBERS, WITH_NUMBERS], by[BETWEEN, INSTEAD]
    more, sign = ("more", 1.0) if between["loss"] >= 0 else ("fewer", -1.0)
    verdict = f"In this device, spikes lose {_points(between, sign)} points {more} than numbers"
    if between["loss_p_holm"] != between["loss_p_holm"]:
        verdict = f"Spikes and numbers are not compared in this device: {WHY_UNTESTED}"
    faults = by.get((BY_SPIKES, WITH_NEURONS))
    in_neurons = "" if faults is None else f", {_points(faults)} in its neurons"
    return (
        f"Trained by spikes, {device} is {_points(whole)} points below the float network: "
        f"{_points(front_end)} arise in the spiking front end, {_points(products)} in the "
        f"coincidences, {_points(inside)} in the device{in_neurons}. {_blamed(table)} Trained with "
        f"numbers, it is {_points(numbers)} points below {IDEAL_DEVICE}. {verdict}."
    )


def _blamed(table: pd.DataFrame) -> str:
    """Says which steps by spikes have a significant loss."""
    steps = table[(table["way"] == BY_SPIKES) & (table["step"] != ALL)]
    if steps["loss_p_holm"].isna().all():
        return f"No loss is tested ({WHY_UNTESTED})."
    costs = steps[(steps["loss"] > 0) & (steps["loss_p_holm"] < SIGNIFICANCE)]
    where = [_PLACES[step] for step in costs.sort_values("loss", ascending=False)["step"]]
    if len(where) < 2:
        return f"The only significant loss is in {where[0]}." if where else "None is significant."
    return f"The significant losses, largest first, are in {', '.join(where)}."


def _points(row: pd.Series, sign: float = 1.0) -> str:
    marked = mark(row["loss"], row["loss_ci"], row["loss_p_holm"])
    points = interval(sign * row["loss"], row["loss_ci"], n=row["n"])
    return f"{points} {marked}" if marked in (NOT_SIGNIFICANT, ONLY_ALONE) else points
