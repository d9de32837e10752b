"""The search of hyperparameters: the same grid for every case, judged on validation images.

A grid may be widened (`SearchSettings.widen`) until the best value lies inside. The result says
what stopped the widening: the device already makes one pulse at each coincidence, the range of the
setting ends, or the allowed number of rounds is reached.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from rpu_ssnn.common.wording import counted
from studies.declaration.hyperparameters import FoundHyperparameters, grid, search_key
from studies.declaration.points import Point
from studies.declaration.result import Row, TrialResult
from studies.declaration.study import SearchSettings, Study
from studies.declaration.trial import Trial, point_title
from studies.declaration.update_rules.base import Hyperparameters

_SETTINGS = tuple(Hyperparameters.model_fields)


@dataclass(frozen=True)
class Candidate:
    """One run of a search."""

    point: Point
    key: str
    drive: Hyperparameters
    trial: Trial


@dataclass(frozen=True)
class SearchOutcome:
    """The outcome of one point's search.

    Attributes:
        at_edge: hyperparameters whose value is the first or last of its grid: a better value
            may lie beyond.
    """

    title: str
    key: str
    drive: FoundHyperparameters
    at_edge: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """One line for the console."""
        settings = ", ".join(
            f"{name} {value:g}" for name, value in self.drive.drive.model_dump().items() if value
        )
        hint = ""
        if self.drive.bound is not None:
            hint = f"; {self.drive.bound}"
        elif self.at_edge:
            hint = f"; at the edge of the grid: {', '.join(self.at_edge)}"
        accuracy = self.drive.validation_accuracy
        return f"drive of {self.title}: {settings} ({accuracy:.2f} % of validation images){hint}"


def candidates(
    study: Study,
    points: Sequence[Point],
    grids: Mapping[str, Sequence[Hyperparameters]] | None = None,
) -> list[Candidate]:
    """All runs of the searches; points with the same search share its runs.

    Args:
        grids: widened grids, by search key.
    """
    search = study.search
    runs: list[Candidate] = []
    seen: set[str] = set()
    for point in points:
        key = search_key(point, search)
        if key in seen:
            continue
        seen.add(key)
        reduced = point.with_budget(search.n_train, search.epochs)
        for drive in (grids or {}).get(key) or grid(point, search):
            for seed in search.seeds or point.seeds[:1]:
                trial = reduced.trial(study.study, drive, seed, measure="validation")
                runs.append(Candidate(point, key, drive, trial))
    return runs


def best(
    runs: Sequence[tuple[Candidate, TrialResult]], search: SearchSettings
) -> dict[str, SearchOutcome]:
    """The best candidate of each search, by search key; of equal ones the smallest step."""
    found: dict[str, SearchOutcome] = {}
    for key in dict.fromkeys(candidate.key for candidate, _ in runs):
        tried = [(candidate, result) for candidate, result in runs if candidate.key == key]
        by_drive: dict[Hyperparameters, list[TrialResult]] = {}
        for candidate, result in tried:
            by_drive.setdefault(candidate.drive, []).append(result)
        gentlest_first = sorted(by_drive, key=_harshness)
        chosen = max(gentlest_first, key=lambda drive: _mean(by_drive[drive]))
        edges = at_edge(chosen, gentlest_first)
        point = tried[0][0].point
        title = point_title(point.label, point.sweep)
        drive = FoundHyperparameters(
            **chosen.model_dump(),
            validation_accuracy=round(_mean(by_drive[chosen]), 3),
            searched_for=key,
            seeds=search.seeds,
            bound=_bound(chosen, gentlest_first, by_drive[chosen], search),
        )
        found[key] = SearchOutcome(title, key, drive, edges)
    return found


def widened(
    outcome: SearchOutcome, runs: Sequence[tuple[Candidate, TrialResult]]
) -> list[Hyperparameters]:
    """A wider grid if the best value lies at an edge that can be widened; else nothing.

    The new value continues the grid by the ratio of its last two values. The grid stays a product.
    """
    of_key = [(candidate, result) for candidate, result in runs if candidate.key == outcome.key]
    tried = sorted({candidate.drive for candidate, _ in of_key}, key=_harshness)
    chosen = outcome.drive.drive
    results = [result for candidate, result in of_key if candidate.drive == chosen]
    values = {name: {getattr(drive, name) for drive in tried} for name in _SETTINGS}
    before = {name: len(known) for name, known in values.items()}
    for name in outcome.at_edge:
        value = _beyond(name, chosen, tried)
        if _stopped(name, value, chosen, tried, results) is None:
            values[name].add(value)
    if before == {name: len(known) for name, known in values.items()}:
        return []
    every = itertools.product(*values.values())
    grid = [Hyperparameters(**dict(zip(_SETTINGS, point, strict=True))) for point in every]
    return sorted(grid, key=_harshness)


def at_edge(chosen: Hyperparameters, tried: Sequence[Hyperparameters]) -> tuple[str, ...]:
    """The hyperparameters whose value is the first or last of several candidates."""
    edges = []
    for name in Hyperparameters.model_fields:
        values = {getattr(drive, name) for drive in tried}
        if len(values) > 1 and getattr(chosen, name) in (min(values), max(values)):
            edges.append(name)
    return tuple(edges)


def shared_seeds(study: Study, drives: Mapping[str, FoundHyperparameters]) -> str | None:
    """A sentence about seeds that search and trials share; None if there are none."""
    shared: set[int] = set()
    for point in study.points():
        found = drives.get(search_key(point, study.search)) if point.drive is None else None
        if found is not None:
            shared |= set(found.seeds or point.seeds[:1]) & set(point.seeds)
    if not shared:
        return None
    seeds = ", ".join(map(str, sorted(shared)))
    return (
        f"seed {seeds} of the rows was the search's too: drives were chosen on its validation "
        "images, never on test images"
    )


def _harshness(drive: Hyperparameters) -> tuple[float, float]:
    return drive.learning_rate, drive.weight_range or 0.0


def _mean(results: Sequence[TrialResult]) -> float:
    return math.fsum(result.accuracy for result in results) / len(results)


def _beyond(name: str, chosen: Hyperparameters, tried: Sequence[Hyperparameters]) -> float:
    """The next value beyond the edge of the grid."""
    values = sorted({getattr(drive, name) for drive in tried})
    value: float = getattr(chosen, name)
    factor = values[-1] / values[-2] if value == values[-1] else values[0] / values[1]
    return float(f"{value * factor:.6g}")


def _bound(
    chosen: Hyperparameters,
    tried: Sequence[Hyperparameters],
    results: Sequence[TrialResult],
    search: SearchSettings,
) -> str | None:
    """Why the search ended at an edge; None if it did not, or if the grid was not widened."""
    if not search.widen:
        return None
    reasons = []
    for name in at_edge(chosen, tried):
        why = _stopped(name, _beyond(name, chosen, tried), chosen, tried, results)
        reasons.append(
            f"{name} at the edge: {why or f'still so after {counted(search.widen, "round")}'}"
        )
    return "; ".join(reasons) or None


def _stopped(
    name: str,
    value: float,
    chosen: Hyperparameters,
    tried: Sequence[Hyperparameters],
    results: Sequence[TrialResult],
) -> str | None:
    """The reason why a setting cannot go beyond its edge; None: it can."""
    try:
        Hyperparameters.model_validate(chosen.model_dump() | {name: value})
    except ValidationError:
        return f"a study may not ask for {value:g}"
    upwards = getattr(chosen, name) == max(getattr(drive, name) for drive in tried)
    if name == "learning_rate" and upwards and all(_unthinned(result.row) for result in results):
        return "every coincidence makes its pulse already, so the device cannot be driven harder"
    return None


def _unthinned(row: Row) -> bool:
    """Whether no crossbar was thinned in the first epoch; False if the rule does not thin."""
    shares = [value for name, value in row.items() if name.removeprefix("thinning_").isdigit()]
    return bool(shares) and all(isinstance(s, int | float) and s >= 1.0 for s in shares)
