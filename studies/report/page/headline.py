"""The answer of a study in a few sentences."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from device_presets import get_device
from device_presets.compounds.compound_device import CompoundDevice
from device_presets.preset import SPECIFICATION, Preset
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.wording import counted, listed
from studies.common.canonical import canonical
from studies.common.statistics import (
    FEWEST_SEEDS,
    MOST_SEEDS,
    NOT_SIGNIFICANT,
    ONLY_ALONE,
    UNTESTED,
    WHY_UNTESTED,
    mark,
    why_untested,
)
from studies.declaration.devices import parameters_of
from studies.declaration.result import Runs, TrialResult
from studies.declaration.trial import Trial
from studies.declaration.update_rules.ann import FloatMethod
from studies.declaration.update_rules.devices import DeviceMethod
from studies.declaration.update_rules.pulses import PulseMethod
from studies.results import caveats
from studies.results.pairwise import pairwise
from studies.results.summary import images_read, titled_row, titles_of
from studies.results.text_table import accuracy_interval, interval

_IN_WORDS = {
    "": "",
    NOT_SIGNIFICANT: ", not significant",
    ONLY_ALONE: ", significant by itself, not after Holm's correction",
    UNTESTED: f", untested: {WHY_UNTESTED}",
}

_OVERRIDES = "overrides."


@dataclass(frozen=True)
class Contenders:
    """The rows of a summary among which one may be called the best.

    Attributes:
        titles: of the rows (`titled_row`).
        what: they are; devices only where each is another one.
    """

    titles: frozenset[str]
    what: Literal["device", "case", "row"]


def contenders(runs: Runs, results: pd.DataFrame, reference: str) -> Contenders:
    """Devices as their presets have them, trained by spikes, above chance.

    Left out are controls by numbers, changed presets, and specifications such as `ideal`. Where no
    preset is left as it is, points of a sweep over its parameters count. Where no case of the study
    is in devices, all but the reference do. In a study on validation images, which is made for
    choosing, all rows but those of float networks do.

    Args:
        results: `results_frame` of the runs.
    """
    by_title: dict[str, list[tuple[Trial, TrialResult]]] = {}
    for title, run in zip(titles_of(results), runs, strict=True):
        by_title.setdefault(title, []).append(run)
    trials = {title: of_title[0][0] for title, of_title in by_title.items()}
    if images_read(results) == "validation":
        methods = {title: trial.settings.method for title, trial in trials.items()}
        spiking = {title for title in trials if not isinstance(methods[title], FloatMethod)}
        return Contenders(frozenset(spiking or trials), "row")
    if not any(isinstance(trial.settings.method, DeviceMethod) for trial in trials.values()):
        chosen = {title for title, trial in trials.items() if trial.label != reference}
    else:
        learned = [
            title
            for title, of_title in by_title.items()
            if trials[title].label != reference
            and _is_by_spikes(trials[title])
            and not caveats.near_chance(of_title, trials[title].label)
        ]
        changed = {title: _changed_overrides(trials[title]) for title in learned}
        swept = {
            title
            for title, names in changed.items()
            if names <= {path.removeprefix(_OVERRIDES) for path, _ in trials[title].sweep}
        }
        chosen = {title for title in learned if not changed[title]} or swept
    labels = [trials[title].label for title in chosen]
    devices = [getattr(trials[title].settings.method, "device", None) for title in chosen]
    if len(set(labels)) < len(labels) or any(_changed_overrides(trials[t]) for t in chosen):
        return Contenders(frozenset(chosen), "row")
    alike = None in devices or len(set(devices)) < len(devices)
    return Contenders(frozenset(chosen), "case" if alike else "device")


def _is_by_spikes(trial: Trial) -> bool:
    """In a device that may exist, not in a specification."""
    method = trial.settings.method
    if not isinstance(method, PulseMethod):
        return False
    try:
        device = get_device(method.device)
    except InputError:  # a file of the user's that is gone
        return True
    parts = (device.first, device.second) if isinstance(device, CompoundDevice) else (device,)
    presets = [part for part in parts if isinstance(part, Preset)]
    return not presets or any(preset.technology != SPECIFICATION for preset in presets)


def _changed_overrides(trial: Trial) -> set[str]:
    """Names of the parameters that a trial has otherwise than the preset of its device."""
    method = trial.settings.method
    if not isinstance(method, DeviceMethod):
        return set()
    try:
        own = parameters_of(method.device)
    except InputError:  # a file of the user's that is gone
        own = {}
    return {
        name
        for name, value in method.overrides.items()
        if name not in own or canonical(value) != canonical(own[name])
    }


def headline(
    results: pd.DataFrame, table: pd.DataFrame, reference: str, among: Contenders
) -> Iterator[str]:
    """The best row and its gap, what does not differ from it, and which gaps are significant.

    Args:
        results: one row a run.
        table: their `summary`.
        among: rows of which the best is named; of none, none is.
    """
    titles = [titled_row(row) for _, row in table.iterrows()]
    compared = table[[title in among.titles for title in titles]]
    if len(compared):
        yield from _best(results, compared, reference, among)
    yield from _told_from_the_reference(table, reference)


def _best(
    results: pd.DataFrame, compared: pd.DataFrame, reference: str, among: Contenders
) -> Iterator[str]:
    """The best of some rows of a summary."""
    best = compared.sort_values("accuracy", ascending=False, kind="stable").iloc[0]
    title = titled_row(best)
    accuracy = accuracy_interval(best["accuracy"], best["accuracy_ci"], best["n"])
    gap = ""
    if best["gap"] == best["gap"]:
        points = interval(best["gap"], best["gap_ci"], "{:+.2f}", best["gap_n"])
        told = _IN_WORDS[mark(best["gap"], best["gap_ci"], best["gap_p"])]
        gap = f"; gap to {reference} {points} points{told}"
    yield f"Best {among.what}: {title} with {accuracy} % ({counted(best['n'], 'seed')}){gap}."
    names = {titled_row(row) for _, row in compared.iterrows()} - {title}
    rows = results[[of_run in among.titles for of_run in titles_of(results)]]
    yield from _beside_the_best(rows, title, names, among.what)


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
            few, remedy = "", f"Give the study {FEWEST_SEEDS} seeds or more, and run it again."
            if table["n"].max() >= FEWEST_SEEDS:  # some rows are missing, or seeds differ
                few, remedy = " in common", "Run the seeds that only one of two cases has."
            pairs = int(table["gap_n"].max())
            if pairs >= FEWEST_SEEDS:
                few, remedy = " in all seeds", "Give the study more seeds or test images."
            yield f"No gap to {reference} is tested: {why_untested(pairs)}{few}. {remedy}"
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
