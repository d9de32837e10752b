"""Where the points of a device go: from a float network to spikes in the device, step by step.

Two ways lead from exact backpropagation in floating point into a device:

- by numbers: float -> pulse trains of numbers in the `ideal` preset -> the same in the device;
- by spikes: float -> rates (Eq. 9) and then coincidences (Eq. 10) on float weights -> the device.

Each step's loss is a difference of test accuracies in percentage points, paired by seed. The last
step of either way is what the device costs; they need not agree, and their difference is what
spikes make of the same device.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pandas as pd

from rpu_ssnn.common.errors import InputError
from studies.common.statistics import (
    NOT_SIGNIFICANT,
    ONLY_ALONE,
    SIGNIFICANCE,
    describe,
    holm,
    mark,
    paired_p,
    why_untested,
)
from studies.declaration.cases import Case
from studies.declaration.result import Failure, Runs
from studies.declaration.study import Study
from studies.declaration.update_rules.analog_sgd import AnalogSgdCase
from studies.declaration.update_rules.ann import AnnCase
from studies.declaration.update_rules.coincidence import CoincidenceCase
from studies.declaration.update_rules.devices import OnDeviceCase
from studies.declaration.update_rules.pulses import DeviceCase
from studies.declaration.update_rules.rate import RateCase
from studies.results.text_table import interval
from studies.sensitivity.device_question import (
    BySeed,
    DeviceQuestion,
    Run,
    accuracies,
    ask,
    differences,
    setting_notes,
)

QUESTION = "decompose"
IDEAL_DEVICE = "ideal"
"""Preset with a finite step, a finite range and no other imperfection; not float weights."""

FLOAT = "float network"
NUMBERS_IDEAL = f"numbers in {IDEAL_DEVICE}"
NUMBERS = "numbers in the device"
RATES = "spikes, float weights, rates"
COINCIDENCES = "spikes, float weights, coincidences"
SPIKES = "spikes in the device"

BY_NUMBERS, BY_SPIKES, BETWEEN = "by numbers", "by spikes", "spikes against numbers"

FRONT_END, PRODUCTS = "the spiking front end", "products of coincidences"
WITH_NUMBERS, WITH_SPIKES = "the device, trained with numbers", "the device, trained with spikes"
INSTEAD, ALL = "spikes instead of numbers", "all"

STEPS = (
    (BY_NUMBERS, "finite step and pulse trains", FLOAT, NUMBERS_IDEAL),
    (BY_NUMBERS, WITH_NUMBERS, NUMBERS_IDEAL, NUMBERS),
    (BY_SPIKES, FRONT_END, FLOAT, RATES),
    (BY_SPIKES, PRODUCTS, RATES, COINCIDENCES),
    (BY_SPIKES, WITH_SPIKES, COINCIDENCES, SPIKES),
    (BY_NUMBERS, ALL, FLOAT, NUMBERS),
    (BY_SPIKES, ALL, FLOAT, SPIKES),
    (BETWEEN, INSTEAD, NUMBERS, SPIKES),
)
"""Way, step, the state before it and the one after."""


@dataclass(frozen=True)
class Decomposition:
    """The answer.

    Attributes:
        table: one row of `STEPS`; see `_table` for the columns.
        levels: mean test accuracy (%) of each state.
        sentence: the answer in words; empty where a state has no run.
        notes: what was left out, a line each.
    """

    table: pd.DataFrame
    levels: dict[str, float]
    sentence: str
    notes: list[str]
    failures: list[Failure]


def decompose(study: Study, device: str, run: Run) -> Decomposition:
    """Runs the six states that lie between a float network and spikes in a device.

    Every state has its own learning rate (and weight range, in a device): given by the study's
    case where that has one, else searched as in any study.

    Raises:
        InputError: bad input, before anything runs; among it the control itself, and a device that
            the control cannot train (`update_rules.analog_sgd`).
    """
    asked = ask(study, device)
    if not isinstance(asked.case, DeviceCase):
        allowed = "must be a device that is trained by spikes, or its preset"
        raise InputError(study.study, "--device", device, allowed)
    cases = list(_cases(asked))
    outcome = run(replace(asked, reference=cases[0]).study_of(QUESTION, cases[1:]))
    table = _table(outcome.runs)
    levels = {case.name: _mean(accuracies(outcome.runs, case.name)) for case in cases}
    notes = setting_notes(asked)
    spikes = _simulator(asked.case)
    others = {_simulator(case) for case in cases if isinstance(case, AnalogSgdCase)} - {spikes}
    for other in sorted(others):
        notes.append(f"simulator of devices: {other} by numbers, at least once; {spikes} by spikes")
    return Decomposition(table, levels, sentence(table, device), notes, outcome.failures)


def _cases(asked: DeviceQuestion) -> Iterator[Case]:
    """The states in the order of the table, as the study has them where it has."""
    study, inside = asked.study, asked.case
    shared = {"network": inside.network, "training": inside.training}

    def labelled(case: Case, label: str) -> Case:
        return case.model_copy(update={"label": label, "seeds": None})

    made = AnnCase(update="ann", **_read_by(AnnCase, shared))
    found = next((c for c in study.cases if isinstance(c, AnnCase)), made)
    yield labelled(found, FLOAT)
    for device, label in ((IDEAL_DEVICE, NUMBERS_IDEAL), (inside.device, NUMBERS)):
        overrides = {} if label == NUMBERS_IDEAL else inside.overrides
        same = {name: inside.tile[name] for name in ("simulator",) if name in inside.tile}
        tile = same if label == NUMBERS_IDEAL else inside.tile
        yield labelled(_control(study, device, overrides, tile, shared), label)
    rates = (c for c in study.cases if isinstance(c, RateCase) and c.surrogate is None)
    yield labelled(next(rates, RateCase(update="rate", **shared)), RATES)
    exact = (c for c in study.cases if isinstance(c, CoincidenceCase))
    yield labelled(next(exact, CoincidenceCase(update="coincidence", **shared)), COINCIDENCES)
    yield labelled(inside, SPIKES)


def _simulator(case: OnDeviceCase) -> str:
    return str(case.tile.get("simulator", "aihwkit"))


def _without_simulator(tile: dict[str, object]) -> dict[str, object]:
    """Both simulators have the same devices, where the tile has nothing that only one has."""
    return {name: setting for name, setting in tile.items() if name != "simulator"}


def _control(
    study: Study,
    device: str,
    overrides: dict[str, object],
    tile: dict[str, object],
    shared: dict[str, dict[str, object]],
) -> AnalogSgdCase:
    """The study's own control in that device, in the same simulator if there is one; else a new
    one."""
    controls = [
        case
        for case in study.cases
        if isinstance(case, AnalogSgdCase)
        and (case.device, case.overrides) == (device, overrides)
        and _without_simulator(case.tile) == _without_simulator(tile)
    ]
    if controls:
        return next((case for case in controls if case.tile == tile), controls[0])
    kept = _read_by(AnalogSgdCase, shared)
    return AnalogSgdCase(update="analog_sgd", device=device, overrides=overrides, tile=tile, **kept)


def _read_by(
    case: type[AnnCase | AnalogSgdCase], shared: dict[str, dict[str, object]]
) -> dict[str, dict[str, object]]:
    """The device's own network and training, as far as training with numbers reads them."""
    reads = set(case.reads or ())
    return {
        section: {key: value for key, value in settings.items() if f"{section}.{key}" in reads}
        for section, settings in shared.items()
    }


def _table(runs: Runs) -> pd.DataFrame:
    """Columns: ``way``, ``step``, ``before``, ``after``; ``loss`` (points, mean over the seeds that
    both have), ``loss_ci`` (half width of the 95 % interval), ``loss_p`` (paired t-test, corrected
    by Holm over all rows), ``n`` (seeds), ``loss_p_alone`` (not corrected: it agrees with
    ``loss_ci``).
    """
    reached = {state: accuracies(runs, state) for step in STEPS for state in step[2:]}
    losses = [differences(reached[before], reached[after]) for _, _, before, after in STEPS]
    alone = [paired_p(list(loss.values())) for loss in losses]
    samples = [describe(list(loss.values())) for loss in losses]
    return pd.DataFrame(STEPS, columns=["way", "step", "before", "after"]).assign(
        loss=[sample.mean for sample in samples],
        loss_ci=[sample.half_width for sample in samples],
        loss_p=holm(alone),
        n=[sample.n for sample in samples],
        loss_p_alone=alone,
    )


def sentence(table: pd.DataFrame, device: str) -> str:
    """The device's share and the spikes' share of the loss, as far as they can be told."""
    if table["loss"].isna().any():
        return ""
    by = {(row["way"], row["step"]): row for _, row in table.iterrows()}
    whole, front_end, products, inside = (
        by[BY_SPIKES, step] for step in (ALL, FRONT_END, PRODUCTS, WITH_SPIKES)
    )
    numbers, between = by[BY_NUMBERS, WITH_NUMBERS], by[BETWEEN, INSTEAD]
    if between["loss_p"] != between["loss_p"]:
        why = why_untested(int(between["n"]))
        verdict = f"{why} cannot tell whether spikes or numbers serve the device better"
    elif between["loss_p"] >= SIGNIFICANCE:
        known = mark(between["loss"], between["loss_ci"], between["loss_p"])
        after = " after correction" if known == ONLY_ALONE else ""
        verdict = f"spikes and numbers cannot be told apart in this device{after}"
    elif between["loss"] > 0:
        verdict = f"numbers serve this device better, by {_points(between)}"
    else:
        verdict = f"spikes serve this device better, by {_points(between, -1.0)}"
    return (
        f"{device} trained by spikes is {_points(whole)} points below the float network: "
        f"{_points(front_end)} are the spiking front end's, {_points(products)} the coincidences', "
        f"{_points(inside)} the device's; trained with numbers the device costs "
        f"{_points(numbers)}; {verdict}."
    )


def _points(row: pd.Series, sign: float = 1.0) -> str:
    untold = _IN_WORDS.get(mark(row["loss"], row["loss_ci"], row["loss_p"]), "")
    return interval(sign * row["loss"], row["loss_ci"], n=row["n"]) + untold


_IN_WORDS = {
    NOT_SIGNIFICANT: " (not significant)",
    ONLY_ALONE: " (not significant after correction)",
}


def _mean(by_seed: BySeed) -> float:
    return describe(list(by_seed.values())).mean
