"""Which imperfection of a device costs most: each switched off alone, and each on alone.

Every effect is a difference of test accuracies in percentage points, paired by seed:

- recovered: without the imperfection, minus the device as it is;
- lost: with all imperfections off, minus with this one alone;
- whole: with all off, minus the device as it is.

Were the imperfections independent, recovered and lost would be equal and either would add up to
the whole; what is missing or too much is what cannot be put down to one of them.
"""

from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd

from studies.common.statistics import FEWEST_SEEDS, SIGNIFICANCE, describe, holm, paired_p
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


@dataclass(frozen=True)
class Attribution:
    """The answer.

    Attributes:
        table: one row an imperfection, costliest first, then `SUM`, `WHOLE` and `INTERACTION`;
            see `_table` for the columns.
        notes: what was held, left out and cannot be separated, a line each.
    """

    table: pd.DataFrame
    notes: list[str]
    failures: list[Failure]


def attribute(study: Study, device: str, run: Run, *, search_each: bool = False) -> Attribution:
    """Runs the device as it is, then every switched one, and ranks the imperfections.

    Raises:
        InputError: bad input, before anything runs.
    """
    asked = ask(study, device)
    outcome = run(asked.study_of(QUESTION, [asked.case]))
    tuned = tuned_device_of(outcome.runs)
    if tuned is None:  # it failed, so nothing can be compared
        return Attribution(_table(outcome.runs, {}), [], outcome.failures)
    off, left_out = imperfections(asked.case, tuned.thinning)
    outcome = run(asked.study_of(QUESTION, _cases(asked, tuned, off, search_each)))
    table = _table(outcome.runs, off, asked.case)
    notes = [hyperparameter_note(tuned, search_each), *setting_notes(asked), *left_out]
    return Attribution(table, notes + _interaction_notes(table), outcome.failures)


def _cases(
    asked: DeviceQuestion, tuned: TunedDevice, off: Off, search_each: bool
) -> list[OnDeviceCase]:
    changed = {ALL_OFF: set(off)}
    changed |= {without(name): {name} for name in off}
    changed |= {only(name): set(off) - {name} for name in off}
    as_it_is = asked.case.model_copy(update={"drive": tuned.drive})
    drive = PartialHyperparameters() if search_each else tuned.drive
    return [as_it_is] + [
        switched_off(as_it_is, off, names).model_copy(update={"label": label, "drive": drive})
        for label, names in changed.items()
    ]


def without(name: str) -> str:
    """Label of the device with one imperfection switched off."""
    return f"without {name}"


def only(name: str) -> str:
    """Label of the device with all but one imperfection switched off."""
    return f"only {name}"


def _table(runs: Runs, off: Off, case: OnDeviceCase | None = None) -> pd.DataFrame:
    """Columns: ``imperfection``; ``value`` and ``off`` (what is set, and to what); ``recovered``,
    ``recovered_ci``, ``recovered_p``, ``recovered_n`` (mean, half width of the 95 % interval, p of
    the paired t-test corrected by Holm over the imperfections, seeds) and the same for ``lost``;
    ``rank_lost``; ``entangled``, ``entangled_ci``, ``entangled_p``: recovered minus lost.
    """
    as_it_is, all_off = accuracies(runs, AS_IS), accuracies(runs, ALL_OFF)
    whole = differences(all_off, as_it_is)
    recovered = {n: differences(accuracies(runs, without(n)), as_it_is) for n in off}
    lost = {n: differences(all_off, accuracies(runs, only(n))) for n in off}
    entangled = {n: differences(recovered[n], lost[n]) for n in off}
    has = settings_of(case) if case is not None else {}
    kinds = {"recovered": recovered, "lost": lost, "entangled": entangled}
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


def _interaction_notes(table: pd.DataFrame) -> list[str]:
    """What cannot be put down to single imperfections."""
    if not len(table):
        return ["the device has no imperfection that can be switched off"]
    total = {str(row["imperfection"]): row for _, row in table.iterrows()}
    lines = []
    for kind, words in (("recovered", "switched off"), ("lost", "switched on")):
        sums, whole, rest = (total[row] for row in (SUM, WHOLE, INTERACTION))
        p = rest[f"{kind}_p"]
        if p != p:
            verdict = f"fewer than {FEWEST_SEEDS} seeds: no test"
        elif p < SIGNIFICANCE:
            verdict = f"p {p:.2g}, more than chance: they interact"
        else:
            verdict = f"p {p:.2g}, not more than chance"
        lines.append(
            f"each {words} alone adds up to {_points(sums, kind)} points, all together are worth "
            f"{_points(whole, kind)}; not separable: {_points(rest, kind)} ({verdict})"
        )
    mixed = table[table["entangled_p"] < SIGNIFICANCE]
    lines += [
        f"{row['imperfection']} depends on the others: what it costs beside them and alone "
        f"differs by {_points(row, 'entangled')} points"
        for _, row in mixed.iterrows()
    ]
    return lines


def _points(row: pd.Series, kind: str) -> str:
    return interval(row[kind], row[f"{kind}_ci"], "{:+.2f}", row[f"{kind}_n"])
