"""Gives the answer of a study in a few sentences."""

from collections.abc import Iterator

import pandas as pd

from device_presets.library.preset import SPECIFICATION
from rpu_ssnn.common.files import YAML_SUFFIXES
from rpu_ssnn.common.wording import counted, listed
from studies.common.settings import canonical
from studies.common.statistics import (
    FEWEST_SEEDS,
    NOT_SIGNIFICANT,
    ONLY_ALONE,
    UNTESTED,
    WHY_UNTESTED,
    describe,
    mark,
)
from studies.declaration.devices import parameters_in, presets_in
from studies.declaration.study import Study
from studies.declaration.trial import Runs, Trial
from studies.declaration.update_rules.pulses import PulseRule
from studies.report.summary_view import p_text
from studies.results import caveats
from studies.results.comparison import compare
from studies.results.device_caveats import shipped
from studies.results.grouping import keyed, titled_row, titles_of, without_draw
from studies.results.text_table import accuracy_interval, interval

_IN_WORDS = {
    "": "",
    NOT_SIGNIFICANT: ", not significant",
    ONLY_ALONE: ", significant by itself but not after Holm's correction",
    UNTESTED: f", untested: {WHY_UNTESTED}",
}

MOST_NAMES = 4
"""A sentence names at most this many cases, and gives the number of others."""


def headline(
    runs: Runs, results: pd.DataFrame, table: pd.DataFrame, reference: str
) -> Iterator[str]:
    """Says which device is best, which others differ from it, and which gaps are significant.

    Args:
        results: one row per run (`results_frame` of the runs).
        table: the `summary` of the results.
    """
    devices, left_out = devices_to_compare(runs)
    titles = [titled_row(row) for _, row in table.iterrows()]
    compared = table[[title in devices for title in titles]]
    if len(compared):
        yield from _best(results, compared, reference, devices)
    if left_out:
        each = [f"{listed(names, MOST_NAMES)} ({why})" for why, names in left_out.items()]
        choice = "The choice" if len(compared) else "No device is named, as the choice"
        yield f"{choice} of the best device leaves out {'; '.join(each)}."
    tested = table[table["gap_p_holm"].notna()]
    if len(tested):
        told = int(tested["gap_significant"].eq(True).sum())
        corrected = " after Holm's correction" if len(tested) > 1 else ""
        yield f"Significant gaps to {reference}: {told} of {len(tested)}{corrected}."
    elif table["gap"].notna().any():
        yield (
            f"No gap to {reference} is tested, as a test needs {FEWEST_SEEDS} seeds that both "
            "cases have, and differences that are not all equal."
        )


def devices_to_compare(runs: Runs) -> tuple[frozenset[str], dict[str, list[str]]]:
    """Returns the titles of the rows from which the best device is chosen, and of those that are
    left out, by the reason.

    Each device competes with the numbers of its preset, under the conditions of its first row:
    rows after storage, for example, have others. Controls by numbers are no such rows, and those
    near chance are named by `caveats.of_chance`.
    """
    chosen: list[str] = []
    first: dict[str, str] = {}
    left_out: dict[str, list[str]] = {}
    for title, own in caveats.by_title(runs).items():
        trial = own[0][0]
        rule = trial.settings.method
        if not isinstance(rule, PulseRule) or caveats.near_chance(own):
            continue
        if not _is_real_device(rule):
            left_out.setdefault("`technology: specification`, not a built device", []).append(title)
        elif _is_changed(rule):
            left_out.setdefault("changed presets", []).append(title)
        elif first.setdefault(without_draw(rule.device), _conditions(trial)) != _conditions(trial):
            left_out.setdefault("a device that is compared in another row", []).append(title)
        else:
            chosen.append(title)
    return frozenset(chosen), left_out


def first_swept_point(table: pd.DataFrame, reference: str) -> str | None:
    """Returns the title of the first point of the first case that has several points, since a
    reference at each point does not show what the sweep changes. None means that only the reference
    has several."""
    several = table[table["case"].duplicated(keep=False) & (table["case"] != reference)]
    return titled_row(several.iloc[0]) if len(several) else None


def device_to_ask_about(study: Study, runs: Runs) -> str | None:
    """Returns the label of the best device that the questions take, of the user's own if there are
    some: one that is trained by spikes without a sweep, not drawn from a fit, not the reference.

    Each device competes under the conditions of its first case.
    """
    drawn = {case.name for case in study.cases if getattr(case.rule, "draws", 0)}
    first: dict[str, str] = {}
    reached: dict[str, list[float]] = {}
    own: set[str] = set()
    for trial, result in runs:
        rule = trial.settings.method
        if not isinstance(rule, PulseRule) or not _is_real_device(rule) or trial.sweep:
            continue
        if first.setdefault(without_draw(rule.device), _conditions(trial)) == _conditions(trial):
            reached.setdefault(trial.label, []).append(result.accuracy)
            if any(suffix in rule.device for suffix in YAML_SUFFIXES):
                own.add(trial.label)
    asked = reached.keys() - drawn - {study.reference_label}
    asked = asked & own or asked
    return max(sorted(asked), key=lambda label: describe(reached[label]).mean, default=None)


def _conditions(trial: Trial) -> str:
    """Returns all settings but the seed, the device and its hyperparameters, as text."""
    settings = trial.settings.model_dump(mode="json", exclude={"seed"})
    for name in ("device", "parameters", "learning_rate"):
        del settings["method"][name]
    del settings["method"]["tile"]["weight_range"]
    return canonical(settings)


def _is_real_device(rule: PulseRule) -> bool:
    """Says whether a device may exist and is not a specification."""
    presets = presets_in(shipped(rule))
    return not presets or any(preset.technology != SPECIFICATION for preset in presets)


def _is_changed(rule: PulseRule) -> bool:
    """Says whether a parameter differs from that of the preset."""
    device = shipped(rule)
    own = parameters_in(device) if device else {}
    return any(
        name not in own or canonical(value) != canonical(own[name])
        for name, value in rule.overrides.items()
    )


def _best(
    results: pd.DataFrame, compared: pd.DataFrame, reference: str, devices: frozenset[str]
) -> Iterator[str]:
    best = compared.sort_values("accuracy", ascending=False, kind="stable").iloc[0]
    title = titled_row(best)
    accuracy = accuracy_interval(best["accuracy"], best["accuracy_ci"], best["n"])
    gap = ""
    if best["gap"] == best["gap"]:
        points = interval(best["gap"], best["gap_ci"], "{:+.2f}", best["gap_n"])
        told = _IN_WORDS[mark(best["gap"], best["gap_ci"], best["gap_p_holm"])]
        gap = f"; gap to {reference} {points} points{told}"
    reaches = f"Best device: {title} with" if len(compared) > 1 else f"{title} reaches"
    yield f"{reaches} {accuracy} % ({counted(best['n'], 'seed')}){gap}."
    rows = keyed(results)[[of_run in devices for of_run in titles_of(results)]]
    pairs = compare(rows, title)
    pairs = pairs[pairs["significant"].notna()]
    significant = pairs["significant"].eq(True).to_numpy()
    lower = pairs["difference"].lt(0).to_numpy()
    # Over the common seeds, another device can be significantly better if the best has more seeds.
    corrected = " after Holm's correction" if len(pairs) > 1 else ""
    for words, chosen in (
        (f"Not significantly different from {title}", ~significant),
        (f"Significantly higher than {title}, over the seeds that both have", significant & ~lower),
        (f"Significantly lower than {title}", significant & lower),
    ):
        names = [
            f"{titled_row(row)} ({interval(row['difference'], row['ci'], '{:+.2f}', row['n'])} "
            f"points, p {p_text(row['p_holm'], row['n'])})"
            for _, row in pairs[chosen].iterrows()
        ]
        if names:
            many = f"{len(names)} of the {len(pairs)} others"
            yield f"{words}{corrected}: {listed(names) if len(names) <= MOST_NAMES else many}."
