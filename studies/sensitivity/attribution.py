"""Finds which imperfection of a device costs most, by switching each off alone, and on alone.

Every effect is a difference of test accuracies in percentage points, paired by seed:

- recovered: without the imperfection, minus the device as it is;
- lost: with all imperfections off, minus with this one alone;
- whole: with all off, minus the device as it is;
- remaining: the reference, minus the device with all off.

If the imperfections were independent, recovered and lost would be equal, and either would add up
to the whole. Where they differ, the difference cannot be attributed to a single imperfection.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rpu_ssnn.common.wording import listed
from studies.common.statistics import (
    SIGNIFICANCE,
    WHY_UNTESTED,
    PairedTest,
    SampleStatistics,
    describe,
    paired_tests,
    seeds_to_tell,
)
from studies.declaration.cases import Case
from studies.declaration.study import Study
from studies.declaration.trial import Failure, Runs
from studies.results import caveats
from studies.results.text_table import interval
from studies.sensitivity.device_question import (
    AS_IS,
    UNTUNED,
    BySeed,
    DeviceQuestion,
    Run,
    TunedDevice,
    accuracy_by_seed,
    ask,
    checked_runner,
    differences,
    setting_notes,
)
from studies.sensitivity.imperfections import Off, imperfections, settings_of, switched_off

QUESTION = "attribute"
ALL_OFF = "all off"
SUM = "sum of all"
WHOLE = "all together"
INTERACTION = "together minus sum"
REMAINING = "remaining with all off"
TOTALS = (SUM, WHOLE, INTERACTION, REMAINING)
"""The last rows of the table are these, which are not imperfections."""

_SWITCHED = {"recovered": "switched off", "lost": "switched on"}


@dataclass(frozen=True)
class Attribution:
    """Ranks the imperfections of a device by their cost in accuracy.

    Attributes:
        table: one row for each imperfection, costliest first, then `TOTALS`. The columns are
            ``imperfection``; ``value`` and ``off`` (its settings as they are and switched off);
            ``recovered``, ``recovered_ci``, ``recovered_p_holm``, ``recovered_n`` (mean in points,
            half width of the 95 % interval, p of the paired t-test after Holm's correction over the
            imperfections, number of seeds), the same for ``lost``, and for ``entangled``:
            recovered minus lost. `REMAINING` has values under ``lost`` only.
        notes: lines about what was kept fixed or left out, and about interactions.
        failures: the trials that failed.
        sentence: names the imperfections with a significant cost and the loss that remains with all
            off; empty without a table.
    """

    table: pd.DataFrame
    notes: list[str]
    failures: list[Failure]
    sentence: str = ""


def attribute(study: Study, device: str, run: Run) -> Attribution:
    """Runs the device as it is, then with each imperfection off and on alone, and ranks them.

    >>> from studies import attribute, load_study, runner
    >>> study = load_study("my_study.yaml")  # doctest: +SKIP
    >>> with runner("out/question") as run:  # doctest: +SKIP
    ...     found = attribute(study, "charge_trap", run)
    >>> print(found.sentence)  # doctest: +SKIP

    Args:
        device: label of a device case of the study, or a preset.
        run: runs the missing trials of a study, as the function that `studies.runner` yields does.

    Raises:
        InputError: the input is bad; this is checked before anything runs.
    """
    run = checked_runner(run)
    asked = ask(study, device)
    outcome = run(asked.study_of(QUESTION, [asked.case]))
    tuned = TunedDevice.of(outcome.runs)
    if tuned is None:  # every run failed, so nothing can be compared
        return Attribution(pd.DataFrame(), [], outcome.failures)
    off, left_out = imperfections(asked.case, tuned.thinning)
    outcome = run(asked.study_of(QUESTION, _cases(asked, tuned, off)))
    table = _table(outcome.runs, off, asked)
    notes = [tuned.note, *setting_notes(study), *left_out]
    if not len(table):
        notes.append("the device has no imperfection that can be switched off")
        return Attribution(table, notes, outcome.failures)
    reference = asked.reference.name
    notes += [*_notes(table), *caveats.of_question(outcome.runs, AS_IS, reference)]
    references = accuracy_by_seed(outcome.runs, reference)
    gap = describe(differences(references, accuracy_by_seed(outcome.runs, AS_IS)).values())
    return Attribution(table, notes, outcome.failures, " ".join(_sentences(table, gap)))


def all_trainings(study: Study, device: str, done: Run) -> Study:
    """Returns the study of all trainings that the question takes.

    Args:
        device: that of `attribute`.
        done: returns what is finished of a study.

    Raises:
        InputError: the input is bad.
    """
    asked = ask(study, device)
    tuned = TunedDevice.of(done(asked.study_of(QUESTION, [asked.case])).runs) or UNTUNED
    off, _ = imperfections(asked.case, tuned.thinning)
    return asked.study_of(QUESTION, [asked.case, *_cases(asked, tuned, off)[1:]])


def _cases(asked: DeviceQuestion, tuned: TunedDevice, off: Off) -> list[Case]:
    changed = {ALL_OFF: set(off)}
    changed |= {without(name): {name} for name in off}
    changed |= {only(name): set(off) - {name} for name in off}
    as_it_is = asked.case.tuned(tuned)
    return [as_it_is] + [
        switched_off(as_it_is, off, names).changed(label=label) for label, names in changed.items()
    ]


def without(name: str) -> str:
    """Returns the label of the device with one imperfection switched off."""
    return f"without {name}"


def only(name: str) -> str:
    """Returns the label of the device with all imperfections but one switched off."""
    return f"only {name}"


def _table(runs: Runs, off: Off, asked: DeviceQuestion) -> pd.DataFrame:
    if not off:
        return pd.DataFrame()
    as_it_is, all_off = accuracy_by_seed(runs, AS_IS), accuracy_by_seed(runs, ALL_OFF)
    recovered = {n: differences(accuracy_by_seed(runs, without(n)), as_it_is) for n in off}
    lost = {n: differences(all_off, accuracy_by_seed(runs, only(n))) for n in off}
    entangled = {n: differences(recovered[n], lost[n]) for n in off}
    has = settings_of(asked.case)
    rows: list[dict[str, object]] = [
        {
            "imperfection": name,
            "value": ", ".join(f"{_last(path)} {_as_text(has[path])}" for path in changes),
            "off": ", ".join(f"{_last(path)} {_as_text(to)}" for path, to in changes.items()),
        }
        for name, changes in off.items()
    ]
    for kind, effects in (("recovered", recovered), ("lost", lost), ("entangled", entangled)):
        tests = paired_tests(effect.values() for effect in effects.values())
        for row, test in zip(rows, tests, strict=True):
            row.update(_cells(kind, test))
    each = pd.DataFrame(rows).sort_values("recovered", ascending=False, kind="stable")
    whole = differences(all_off, as_it_is)
    sums = {"recovered": _sum(recovered.values()), "lost": _sum(lost.values())}
    reference = accuracy_by_seed(runs, asked.reference.name)
    totals: dict[str, dict[str, BySeed]] = {
        SUM: sums,
        WHOLE: {"recovered": whole, "lost": whole},
        INTERACTION: {kind: differences(whole, total) for kind, total in sums.items()},
        REMAINING: {"lost": differences(reference, all_off)},
    }
    last = []
    for name, kinds in totals.items():
        row = {"imperfection": name}
        for kind, by_seed in kinds.items():
            row |= _cells(kind, paired_tests([by_seed.values()])[0])
        last.append(row)
    return pd.concat([each, pd.DataFrame(last)], ignore_index=True)


def _cells(kind: str, test: PairedTest) -> dict[str, object]:
    return {
        kind: test.mean,
        f"{kind}_ci": test.half_width,
        f"{kind}_p_holm": test.p,
        f"{kind}_n": test.n,
    }


def _sum(effects: Collection[BySeed]) -> BySeed:
    """Adds effects up seed by seed, for the seeds that all of them have."""
    seeds = set.intersection(*(set(effect) for effect in effects))
    return {seed: sum(effect[seed] for effect in effects) for seed in sorted(seeds)}


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _as_text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _notes(table: pd.DataFrame) -> Iterator[str]:
    """Names the imperfections that cost more or less among the others than alone."""
    for _, row in table[table["entangled_p_holm"] < SIGNIFICANCE].iterrows():
        yield (
            f"{row['imperfection']} interacts with the others: its cost among them and its cost "
            f"alone differ by {_points(row, 'entangled')} points"
        )


def _sentences(table: pd.DataFrame, gap: SampleStatistics) -> Iterator[str]:
    """Names every imperfection with a significant cost, the largest mean first, and the device's
    gap to the reference (points)."""
    each = table[~table["imperfection"].isin(TOTALS)]
    n_told = 0
    for kind, words in _SWITCHED.items():
        costs = each[(each[kind] > 0) & (each[f"{kind}_p_holm"] < SIGNIFICANCE)]
        costs = costs.sort_values(kind, ascending=False, kind="stable")
        n_told += len(costs)
        named = ", ".join(
            f"{row['imperfection']} {_points(row, kind)}" for _, row in costs.iterrows()
        )
        if named:
            verb = "recover" if kind == "recovered" else "lose"
            yield f"{words.capitalize()} alone, these significantly {verb} points: {named}."
    known = each.dropna(subset=["recovered"])
    if not n_told and len(known):
        most = known.sort_values("recovered", ascending=False, kind="stable").iloc[0]
        alike = known["imperfection"][np.isclose(known["recovered"], most["recovered"])]
        verdict = "No single imperfection has a significant cost"
        if each[["recovered_p_holm", "lost_p_holm"]].isna().all(axis=None):
            verdict = f"Nothing is tested ({WHY_UNTESTED})"
        yield (
            f"{verdict}; switched off alone, "
            f"{listed([*alike])} {'recovers' if len(alike) == 1 else 'each recover'} most "
            f"({_points(most, 'recovered')} points)."
        )
        n, mean, half = most[["recovered_n", "recovered", "recovered_ci"]]
        needed = seeds_to_tell(int(n), mean, half, len(known))
        if needed and mean > 0:
            yield f"At this spread, it would take {needed} seeds or more to tell that from 0."
    remaining = table[table["imperfection"] == REMAINING].iloc[0]
    if remaining["lost"] == remaining["lost"]:
        left = interval(remaining["lost"], remaining["lost_ci"], n=remaining["lost_n"])
        below = interval(gap.mean, gap.half_width, n=gap.n)
        yield f"The device is {below} points below the reference; with all off, {left} remain."


def _points(row: pd.Series, kind: str) -> str:
    return interval(row[kind], row[f"{kind}_ci"], "{:+.2f}", row[f"{kind}_n"])
