"""Which imperfection of a device costs most: each switched off alone, and each on alone.

Every effect is a difference of test accuracies in percentage points, paired by seed:

- recovered: without the imperfection, minus the device as it is;
- lost: with all imperfections off, minus with this one alone;
- whole: with all off, minus the device as it is;
- remaining: the reference, minus the device with all off.

Were the imperfections independent, recovered and lost would be equal and either would add up to
the whole; what is missing or too much is what cannot be put down to one of them.
"""

import itertools
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from studies.common.statistics import SIGNIFICANCE, WHY_UNTESTED, describe, holm, paired_p
from studies.declaration.result import Failure, Runs
from studies.declaration.study import Study
from studies.declaration.update_rules.devices import OnDeviceCase, PartialHyperparameters
from studies.results.text_table import interval
from studies.sensitivity.device_question import (
    AS_IS,
    BySeed,
    DeviceQuestion,
    Run,
    TunedDevice,
    accuracies,
    as_text,
    ask,
    differences,
    hyperparameter_note,
    setting_notes,
    tuned_device_of,
)
from studies.sensitivity.imperfections import Off, imperfections, settings_of, switched_off

QUESTION = "attribute"
ALL_OFF = "all off"
SUM = "sum of all"
WHOLE = "all together"
INTERACTION = "together minus sum"
REMAINING = "remaining with all off"
TOTALS = (SUM, WHOLE, INTERACTION, REMAINING)
"""The last rows of the table, which are no imperfections."""

_ALONE = {"recovered": "switched off", "lost": "switched on"}
_COSTS = {"recovered": "switching off alone recovers", "lost": "switching on alone loses"}


@dataclass(frozen=True)
class Attribution:
    """The answer.

    Attributes:
        table: one row an imperfection, costliest first, then `TOTALS`; see `_table` for the
            columns.
        notes: what was held, left out and cannot be separated, a line each.
        sentence: the imperfections with a significant cost; empty where there is no table.
    """

    table: pd.DataFrame
    notes: list[str]
    failures: list[Failure]
    sentence: str = ""


def attribute(study: Study, device: str, run: Run, *, search_each: bool = False) -> Attribution:
    """Runs the device as it is, then every switched one, and ranks the imperfections.

    Raises:
        InputError: bad input, before anything runs.
    """
    asked = ask(study, device)
    outcome = run(asked.study_of(QUESTION, [asked.case]))
    tuned = tuned_device_of(outcome.runs)
    if tuned is None:  # it failed, so nothing can be compared
        return Attribution(pd.DataFrame(), [], outcome.failures)
    off, left_out = imperfections(asked.case, tuned.thinning)
    outcome = run(asked.study_of(QUESTION, _cases(asked, tuned, off, search_each)))
    effects = _effects_of(outcome.runs, off)
    table = _table(outcome.runs, off, asked, effects)
    notes = [hyperparameter_note(tuned, search_each), *setting_notes(asked), *left_out]
    notes += _notes(table, asked.reference.name)
    return Attribution(table, notes, outcome.failures, _sentence(table, effects))


def _cases(
    asked: DeviceQuestion, tuned: TunedDevice, off: Off, search_each: bool
) -> list[OnDeviceCase]:
    changed = {ALL_OFF: set(off)}
    changed |= {without(name): {name} for name in off}
    changed |= {only(name): set(off) - {name} for name in off}
    as_it_is = asked.case.model_copy(update={"hyperparameters": tuned.hyperparameters})
    drive = PartialHyperparameters() if search_each else tuned.hyperparameters
    return [as_it_is] + [
        switched_off(as_it_is, off, names).model_copy(
            update={"label": label, "hyperparameters": drive}
        )
        for label, names in changed.items()
    ]


def without(name: str) -> str:
    """Label of the device with one imperfection switched off."""
    return f"without {name}"


def only(name: str) -> str:
    """Label of the device with all but one imperfection switched off."""
    return f"only {name}"


def _effects_of(runs: Runs, off: Off) -> dict[str, dict[str, BySeed]]:
    """Recovered and lost points of each imperfection by seed."""
    as_it_is, all_off = accuracies(runs, AS_IS), accuracies(runs, ALL_OFF)
    return {
        "recovered": {n: differences(accuracies(runs, without(n)), as_it_is) for n in off},
        "lost": {n: differences(all_off, accuracies(runs, only(n))) for n in off},
    }


def _table(
    runs: Runs, off: Off, asked: DeviceQuestion, effects: dict[str, dict[str, BySeed]]
) -> pd.DataFrame:
    """Columns: ``imperfection``; ``value`` and ``off`` (what is set, and to what); ``recovered``,
    ``recovered_ci``, ``recovered_p``, ``recovered_n`` (mean, half width of the 95 % interval, p of
    the paired t-test corrected by Holm over the imperfections, seeds) and the same for ``lost``;
    ``rank_lost``; ``entangled``, ``entangled_ci``, ``entangled_p``: recovered minus lost.
    `REMAINING` stands under ``lost`` alone.
    """
    all_off = accuracies(runs, ALL_OFF)
    whole = differences(all_off, accuracies(runs, AS_IS))
    remaining = differences(accuracies(runs, asked.reference.name), all_off)
    recovered, lost = effects["recovered"], effects["lost"]
    entangled = {n: differences(recovered[n], lost[n]) for n in off}
    has = settings_of(asked.case)
    kinds = {**effects, "entangled": entangled}
    rows = [
        {
            "imperfection": name,
            "value": ", ".join(f"{_last(path)} {as_text(has[path])}" for path in changes),
            "off": ", ".join(f"{_last(path)} {as_text(to)}" for path, to in changes.items()),
            **_effects({kind: of[name] for kind, of in kinds.items()}),
        }
        for name, changes in off.items()
    ]
    if not rows:
        return pd.DataFrame()
    table = pd.DataFrame(rows)
    for kind in kinds:
        table[f"{kind}_p"] = holm(table[f"{kind}_p"].tolist())
    table["rank_lost"] = table["lost"].rank(ascending=False, method="first")
    table = table.sort_values("recovered", ascending=False, kind="stable", ignore_index=True)
    sums = {"recovered": _sum(recovered.values()), "lost": _sum(lost.values())}
    totals = [
        {"imperfection": SUM} | _effects(sums),
        {"imperfection": WHOLE} | _effects({"recovered": whole, "lost": whole}),
        {"imperfection": INTERACTION}
        | _effects({kind: differences(whole, total) for kind, total in sums.items()}),
        {"imperfection": REMAINING} | _effects({"lost": remaining}),
    ]
    return pd.concat([table, pd.DataFrame(totals)], ignore_index=True)


def _effects(kinds: dict[str, BySeed]) -> dict[str, float]:
    """Cells of a row, p not corrected."""
    cells: dict[str, float] = {}
    for kind, by_seed in kinds.items():
        values = list(by_seed.values())
        sample = describe(values)
        cells |= {
            kind: sample.mean,
            f"{kind}_ci": sample.half_width,
            f"{kind}_p": paired_p(values),
            f"{kind}_n": sample.n,
        }
    return cells


def _sum(effects: Collection[BySeed]) -> BySeed:
    """By seed, of the seeds that all have."""
    seeds = set.intersection(*(set(effect) for effect in effects))
    return {seed: sum(effect[seed] for effect in effects) for seed in sorted(seeds)}


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _notes(table: pd.DataFrame, reference: str) -> list[str]:
    """What cannot be put down to single imperfections, and what remains with all off."""
    if not len(table):
        return ["the device has no imperfection that can be switched off"]
    total = _rows(table)
    lines = []
    for kind, words in _ALONE.items():
        sums, whole, rest = (total[row] for row in (SUM, WHOLE, INTERACTION))
        verdict = _verdict(rest[f"{kind}_p"], "they interact")
        lines.append(
            f"each {words} alone adds up to {_points(sums, kind)} points, all together are worth "
            f"{_points(whole, kind)}; the difference is {_points(rest, kind)} ({verdict})"
        )
    mixed = table[table["entangled_p"] < SIGNIFICANCE]
    lines += [
        f"{row['imperfection']} depends on the others: what it costs beside them and alone "
        f"differs by {_points(row, 'entangled')} points"
        for _, row in mixed.iterrows()
    ]
    rest = total[REMAINING]
    verdict = _verdict(rest["lost_p"], "no imperfection of the table explains them")
    remaining = _points(rest, "lost")
    return [*lines, f"with all off, the loss to {reference} is {remaining} points ({verdict})"]


def _rows(table: pd.DataFrame) -> dict[str, pd.Series]:
    return {str(row["imperfection"]): row for _, row in table.iterrows()}


def _verdict(p: float, meaning: str) -> str:
    """Of one test; `meaning` follows where it is significant."""
    if p != p:
        return f"{WHY_UNTESTED}: no test"
    if p < SIGNIFICANCE:
        return f"p {p:.2g}, more than chance: {meaning}"
    return f"p {p:.2g}, not more than chance"


def _sentence(table: pd.DataFrame, effects: Mapping[str, Mapping[str, BySeed]]) -> str:
    """Every imperfection whose cost is significant, the largest mean first; else the largest."""
    if not len(table):
        return ""
    each = table[~table["imperfection"].isin(TOTALS)]
    parts, n_told = [], 0
    for kind, words in _COSTS.items():
        costs = each[(each[kind] > 0) & (each[f"{kind}_p"] < SIGNIFICANCE)]
        costs = costs.sort_values(kind, ascending=False, kind="stable")
        n_told += len(costs)
        named = ", ".join(
            f"{row['imperfection']} {_size(row, kind)}" for _, row in costs.iterrows()
        )
        order = _order(costs["imperfection"].tolist(), effects[kind])
        parts.append(f"points that {words}, significantly: {named or 'none'}{order}")
    if not n_told:
        parts = [_largest(each)]
    return "; ".join([*parts, *_sums_that_differ(table)])


def _order(names: list[str], effects: Mapping[str, BySeed]) -> str:
    """Which neighbours of a list the seeds do not tell apart (Holm over all pairs of the list)."""
    if len(names) < 2:
        return ""
    pairs = list(itertools.combinations(names, 2))
    p = [paired_p(list(differences(effects[one], effects[two]).values())) for one, two in pairs]
    corrected = dict(zip(pairs, holm(p), strict=True))
    untold = [
        f"{one} and {two}"
        for one, two in itertools.pairwise(names)
        if not corrected[one, two] < SIGNIFICANCE
    ]
    return f" (order not significant: {', '.join(untold)})" if untold else " (order significant)"


def _largest(each: pd.DataFrame) -> str:
    """The largest mean cost, as none is significant."""
    costs = [(row[kind], kind, row) for kind in _ALONE for _, row in each.iterrows()]
    found = max((one for one in costs if one[0] > 0), key=lambda one: one[0], default=None)
    if found is None:
        return "no imperfection, switched off or on alone, costs accuracy"
    _, kind, row = found
    return (
        f"no cost of one imperfection is significant; the largest is {row['imperfection']} "
        f"{_size(row, kind)} points, {_ALONE[kind]} alone"
    )


def _sums_that_differ(table: pd.DataFrame) -> Iterator[str]:
    """Where the single effects do not add up to the effect of all together, significantly."""
    total = _rows(table)
    for kind, words in _ALONE.items():
        p = total[INTERACTION][f"{kind}_p"]
        if p < SIGNIFICANCE:
            single, together = (f"{total[row][kind]:+.2f}" for row in (SUM, WHOLE))
            yield (
                f"imperfections {words} alone add up to {single} points, which differs from the "
                f"{together} of all together (p {p:.2g})"
            )


def _size(row: pd.Series, kind: str) -> str:
    return interval(row[kind], row[f"{kind}_ci"], n=row[f"{kind}_n"])


def _points(row: pd.Series, kind: str) -> str:
    return interval(row[kind], row[f"{kind}_ci"], "{:+.2f}", row[f"{kind}_n"])
