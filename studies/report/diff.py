"""What differs between two result folders: versions, trials, settings, and accuracies."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from rpu_ssnn.common.errors import InputError
from studies.common.canonical import canonical
from studies.common.statistics import describe, holm, paired_p
from studies.declaration.result import Runs, TrialResult
from studies.declaration.sections import leaves
from studies.declaration.trial import Trial, point_title
from studies.execution.study_runs import refuse_empty, shown_contents
from studies.results.tables import Versions

type _OfCase = Mapping[int, tuple[Trial, TrialResult]]
"""Runs of a case at its point of the sweep, by seed."""

_ABSENT = "-"


@dataclass(frozen=True)
class Difference:
    """Between folders A and B.

    Attributes:
        versions: A's and B's, where they are not the same.
        only_a: titles of the cases that only A has runs of.
        settings: one row a case and setting: ``case``, ``setting``, ``A``, ``B``; seeds and what
            the identity adds are no settings.
        changes: one row a case that both have, see `compare`.
    """

    versions: tuple[str, str] | None
    only_a: list[str]
    only_b: list[str]
    settings: pd.DataFrame
    changes: pd.DataFrame


def diff_folders(root_a: Path, root_b: Path, on_damage: Callable[[InputError], None]) -> Difference:
    """Compares what two folders, or kept rows of shipped studies, hold; they are only read.

    Args:
        on_damage: called with what is wrong with each file that is no whole trial file.

    Raises:
        InputError: one is not an output folder, or holds no finished trial.
    """
    found = []
    for root in (root_a, root_b):
        runs = shown_contents(root, on_damage=on_damage).complete
        refuse_empty(root, runs)
        found.append(runs)
    return compare(*found)


def compare(runs_a: Runs, runs_b: Runs) -> Difference:
    """Pairs the runs by case, point of the sweep and seed.

    Columns of ``changes``: ``case``; ``settings`` (same, changed); ``n_a``, ``n_b`` (runs);
    ``a``, ``b`` (mean accuracy, %); ``change`` (mean of B minus A over the seeds that both
    have, points), ``change_ci`` (half width of its 95 % interval), ``pairs``, ``identical``
    (pairs of equal accuracy), ``p`` (paired t-test, Holm-corrected
    for all cases but those that are identical in every pair).
    """
    a, b = _by_case(runs_a), _by_case(runs_b)
    both = [title for title in a if title in b]
    settings = {title: list(_settings(a[title], b[title])) for title in both}
    rows = [
        {
            "case": title,
            "settings": "changed" if settings[title] else "same",
            **_change(a[title], b[title]),
        }
        for title in both
    ]
    columns = [
        "case",
        "settings",
        "n_a",
        "n_b",
        "a",
        "b",
        "change",
        "change_ci",
        "pairs",
        "identical",
        "p",
    ]
    changes = pd.DataFrame(rows, columns=columns)
    changes["p"] = holm(changes["p"].tolist())
    return Difference(
        versions=_versions(runs_a, runs_b),
        only_a=[title for title in a if title not in b],
        only_b=[title for title in b if title not in a],
        settings=pd.DataFrame(
            [{"case": title} | row for title in both for row in settings[title]],
            columns=["case", "setting", "A", "B"],
        ),
        changes=changes,
    )


def _by_case(runs: Runs) -> dict[str, dict[int, tuple[Trial, TrialResult]]]:
    found: dict[str, dict[int, tuple[Trial, TrialResult]]] = {}
    for trial, result in runs:
        # Two studies may sweep the same settings in another order.
        sweep = tuple(sorted(trial.sweep, key=lambda setting: setting[0]))
        of_case = found.setdefault(point_title(trial.label, sweep), {})
        of_case[trial.settings.seed] = trial, result
    return found


def _change(a: _OfCase, b: _OfCase) -> dict[str, Any]:
    in_a = {seed: result.accuracy for seed, (_, result) in a.items()}
    in_b = {seed: result.accuracy for seed, (_, result) in b.items()}
    differences = [in_b[seed] - in_a[seed] for seed in in_a if seed in in_b]
    change = describe(differences)
    identical = sum(difference == 0 for difference in differences)
    return {
        "n_a": len(in_a),
        "n_b": len(in_b),
        "a": describe(list(in_a.values())).mean,
        "b": describe(list(in_b.values())).mean,
        "change": change.mean,
        "change_ci": change.half_width,
        "pairs": change.n,
        "identical": identical,
        "p": math.nan if identical == change.n else paired_p(differences),
    }


def _settings(a: _OfCase, b: _OfCase) -> Iterator[dict[str, str]]:
    """What differs between the case's first run here and there; its seeds share all settings."""
    in_a, in_b = (_leaves(next(iter(runs.values()))[0]) for runs in (a, b))
    for path in dict.fromkeys((*in_a, *in_b)):
        if in_a.get(path) != in_b.get(path):
            yield {"setting": path, "A": in_a.get(path, _ABSENT), "B": in_b.get(path, _ABSENT)}


def _leaves(trial: Trial) -> dict[str, str]:
    settings = trial.settings.model_dump(mode="json", exclude={"seed"})
    return {
        path: value if isinstance(value, str) else canonical(value)
        for path, value in leaves(settings)
    }


def _versions(runs_a: Runs, runs_b: Runs) -> tuple[str, str] | None:
    a, b = ("; ".join(Versions.of_all(runs)) or "no runs" for runs in (runs_a, runs_b))
    return None if a == b else (a, b)
