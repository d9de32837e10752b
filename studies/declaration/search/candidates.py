"""The search of hyperparameters: equal effort for every case, judged on validation images.

It goes in rounds: all candidates of a round are run, and what they reached says which come next.
A grid may be widened (`SearchSettings.widen`) until the best value lies inside; the result says
what stopped the widening. A sampler (`SearchSettings.sampler`) draws every round anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from studies.declaration.points import Point
from studies.declaration.result import TrialResult
from studies.declaration.search.hyperparameters import (
    FoundHyperparameters,
    grid,
    search_key,
    searched,
)
from studies.declaration.search.sampler import ROUND, drawn
from studies.declaration.search.widening import Tried, at_edge, mean_accuracy, widened
from studies.declaration.study import SearchSettings, Study
from studies.declaration.trial import Trial, point_title
from studies.declaration.update_rules.base import Hyperparameters

NEAR = 1.1
"""Factor from an end of the grid up to which a drawn value counts as at its edge."""


@dataclass(frozen=True)
class Candidate:
    """One run of a search."""

    point: Point
    key: str
    hyperparameters: Hyperparameters
    trial: Trial


@dataclass(frozen=True)
class SearchOutcome:
    """The outcome of one point's search.

    Attributes:
        at_edge: hyperparameters whose value is the first or last of its grid: a better value
            may lie beyond.
        level: candidates with the highest accuracy; with more than one the search cannot tell
            which is best.
        tried: candidates in all.
    """

    title: str
    found: FoundHyperparameters
    at_edge: tuple[str, ...]
    level: int
    tried: int

    @property
    def sentence(self) -> str:
        """One line for the console."""
        settings = ", ".join(
            f"{name} {value:g}"
            for name, value in self.found.hyperparameters.model_dump().items()
            if value
        )
        hint = ""
        if self.at_edge:
            hint = f"; at the edge of the grid: {', '.join(self.at_edge)}"
        if self.level > 1:
            hint += f"; {self.level} of {self.tried} candidates are level: "
            hint += "validation images do not tell them apart"
        accuracy = self.found.validation_accuracy
        reached = f"{settings} ({accuracy:.2f} % of validation images){hint}"
        return f"hyperparameters of {self.title}: {reached}"


def candidates(
    study: Study,
    points: Sequence[Point],
    asked: Mapping[str, Sequence[Hyperparameters]] | None = None,
    at_once: int = ROUND,
) -> list[Candidate]:
    """All runs of the searches; points with the same search share its runs.

    Args:
        asked: hyperparameters of later rounds, by search key; else those of the first round.
        at_once: most that a sampler draws for a first round; its budget: as many as a whole search
            will try.
    """
    search = study.search
    runs: list[Candidate] = []
    seen: set[str] = set()
    for point in points:
        key = search_key(point, search)
        if key in seen:
            continue
        seen.add(key)
        rule = search.prune if point.prunable else None
        reduced = replace(point.with_budget(search.images, search.epochs), prune=rule)
        for drive in (asked or {}).get(key) or _first_round(point, search, at_once):
            for seed in search.seeds or point.seeds[:1]:
                trial = reduced.trial(study.study, drive, seed, "validation")
                runs.append(Candidate(point, key, drive, replace(trial, in_search=True)))
    return runs


def _first_round(point: Point, search: SearchSettings, at_once: int) -> list[Hyperparameters]:
    """The grid, or what the sampler draws without results."""
    if search.sampler == "grid":
        return grid(point, search)
    return drawn(point, search, {}, at_once)


def edges_of(chosen: Hyperparameters, point: Point, search: SearchSettings) -> tuple[str, ...]:
    """The hyperparameters at an edge of the study's grid, or as good as there if drawn."""
    return at_edge(chosen, grid(point, search), NEAR if search.sampler == "tpe" else 1.0)


def next_round(
    number: int, runs: Sequence[tuple[Candidate, TrialResult]], search: SearchSettings
) -> dict[str, list[Hyperparameters]]:
    """All hyperparameters with which each unfinished search goes on, by key; empty: it is done.

    Args:
        number: of the rounds so far.
        runs: everything that was tried, in whole searches.
    """
    asked = {}
    for key, tried in by_search(runs).items():
        point, results = tried.point, tried.results
        if search.sampler == "tpe":
            more = drawn(point, search, {drive: mean_accuracy(of) for drive, of in results.items()})
            more = [*results, *more] if more else []
        elif number <= search.rounds:
            more = widened(tried)
        else:
            more = []
        if more:
            asked[key] = more
    return asked


def by_search(runs: Sequence[tuple[Candidate, TrialResult]]) -> dict[str, Tried]:
    """Runs by search key."""
    found: dict[str, Tried] = {}
    for candidate, result in runs:
        tried = found.setdefault(candidate.key, Tried(candidate.point, {}))
        tried.results.setdefault(candidate.hyperparameters, []).append(result)
    return found


def best(
    runs: Sequence[tuple[Candidate, TrialResult]], search: SearchSettings
) -> dict[str, SearchOutcome]:
    """The best candidate of each search, by search key; of equal ones the middle step."""
    found: dict[str, SearchOutcome] = {}
    for key, tried in by_search(runs).items():
        chosen, results = tried.best, tried.results[tried.best]
        title = point_title(tried.point.label, tried.point.sweep)
        drive = FoundHyperparameters(
            **chosen.model_dump(),
            validation_accuracy=round(mean_accuracy(results), 3),
        )
        if search.sampler == "grid":  # perhaps widened beyond the study's
            edges = at_edge(chosen, tried.results)
        else:
            edges = edges_of(chosen, tried.point, search)
        found[key] = SearchOutcome(title, drive, edges, len(tried.level), len(tried.results))
    return found


def shared_seeds(study: Study, known: Mapping[str, FoundHyperparameters]) -> str | None:
    """A sentence about seeds that search and trials share; None if there are none."""
    shared: set[int] = set()
    for point, found in searched(study, known):
        if found is not None:
            shared |= set(study.search.seeds or point.seeds[:1]) & set(point.seeds)
    if not shared:
        return None
    seeds = ", ".join(map(str, sorted(shared)))
    told = f"seed {seeds} of the rows was the search's too: hyperparameters were chosen on its "
    told += "validation images"
    if study.measure == "test":
        return f"{told}, never on test images"
    return f"{told}, which these accuracies are of: give the search seeds of its own"
