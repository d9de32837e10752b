"""The answer of a study in a few sentences."""

from collections.abc import Collection, Iterator

import pandas as pd

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.wording import counted, listed
from studies.common.statistics import (
    FEWEST_SEEDS,
    MOST_SEEDS,
    NOT_SIGNIFICANT,
    ONLY_ALONE,
    UNTESTED,
    mark,
)
from studies.declaration.result import Runs
from studies.declaration.update_rules.devices import DeviceMethod
from studies.results.pairwise import pairwise
from studies.results.summary import titled_row
from studies.results.text_table import accuracy_interval, interval

_IN_WORDS = {
    "": "",
    NOT_SIGNIFICANT: ", not significant",
    ONLY_ALONE: ", significant by itself, not after Holm's correction",
    UNTESTED: f", untested: fewer than {FEWEST_SEEDS} seeds",
}


def headline(
    results: pd.DataFrame, table: pd.DataFrame, reference: str, devices: Collection[str]
) -> Iterator[str]:
    """The best row and its gap, what does not differ from it, and which gaps are significant.

    A row is called a device where no two are one device at several points of the sweep.

    Args:
        results: one row a run.
        table: their `summary`.
        devices: labels of the cases in which devices hold the weights; none: all but the reference.
    """
    compared = table[table["case"].isin(devices) if devices else table["case"] != reference]
    if not len(compared):
        return
    best = compared.sort_values("accuracy", ascending=False, kind="stable").iloc[0]
    title = titled_row(best)
    swept = compared["case"].duplicated().any()
    what = "row" if swept else "device" if devices else "case"
    accuracy = accuracy_interval(best["accuracy"], best["accuracy_ci"], best["n"])
    gap = ""
    if best["gap"] == best["gap"]:
        points = interval(best["gap"], best["gap_ci"], "{:+.2f}", best["gap_n"])
        told = _IN_WORDS[mark(best["gap"], best["gap_ci"], best["gap_p"])]
        gap = f"; gap to {reference} {points} points{told}"
    yield f"Best {what}: {title} with {accuracy} % ({counted(best['n'], 'seed')}){gap}."
    names = {titled_row(row) for _, row in compared.iterrows()} - {title}
    among = results[results["label"].isin(set(compared["case"]))]
    yield from _beside_the_best(among, title, names, what)
    yield from _told_from_the_reference(table, reference)


def on_devices(runs: Runs) -> set[str]:
    """Labels of the cases in which devices hold the weights."""
    return {trial.label for trial, _ in runs if isinstance(trial.settings.method, DeviceMethod)}


def _beside_the_best(
    results: pd.DataFrame, best: str, names: Collection[str], what: str
) -> Iterator[str]:
    """Which others do not differ from the best significantly (Holm over these pairs alone)."""
    try:
        pairs = pairwise(results, against=best) if names else None
    except InputError:  # no seed in common
        pairs = None
    if pairs is None:
        return
    pairs = pairs[pairs["told"].notna()]
    other = pairs["worse"].where(pairs["better"] == best, pairs["better"])
    told, is_lower = pairs["told"].eq(True), pairs["better"].eq(best)
    untold, higher = other[~told].tolist(), other[told & ~is_lower].tolist()
    lower = int((told & is_lower).sum())
    if untold:
        yield f"Not significantly different from it: {listed(untold)}."
    if higher:  # with seeds that only one of the two has
        yield f"Significantly higher over the seeds that both have: {listed(higher)}."
    if lower:
        yield f"Significantly lower: {counted(lower, f'other {what}')} of {len(pairs)}."


def _told_from_the_reference(table: pd.DataFrame, reference: str) -> Iterator[str]:
    tested = table[table["gap_p"].notna()]
    if not len(tested):
        if table["gap"].notna().any():
            few, remedy = "", f"Type `seeds: {FEWEST_SEEDS}` into the study and run it again."
            if table["n"].max() >= FEWEST_SEEDS:  # some rows are missing, or seeds differ
                few, remedy = " in common", "Run the seeds that only one of two cases has."
            yield (
                f"No gap to {reference} is tested: fewer than {FEWEST_SEEDS} seeds{few}. {remedy}"
            )
        return
    told = int(tested["gap_significant"].eq(True).sum())
    corrected = " after Holm's correction" if len(tested) > 1 else ""
    text = f"Significant gaps to {reference}: {told} of {len(tested)}{corrected}"
    alone = int((tested["gap"].abs() > tested["gap_ci"]).sum())
    if alone > told:
        text += f", {alone} by themselves"
    yield f"{text}."
    needed = sorted(tested.loc[tested["gap_significant"].eq(False), "gap_seeds"])
    within = [int(n) for n in needed if n <= MOST_SEEDS]
    if within:
        last = f"{within[-1]} seeds would make {len(within)} of the others significant"
        first = f"; the first at {within[0]} seeds" if within[0] < within[-1] else ""
        yield f"With means and deviations as they are, {last}{first}."
