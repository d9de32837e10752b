"""The search for drives: the same small grid for every competitor, judged on validation images."""

from collections.abc import Sequence
from dataclasses import dataclass

from studies.declaration.hyperparameters import FoundHyperparameters, grid, search_key
from studies.declaration.points import Hyperparameters, Point
from studies.declaration.result import TrialResult
from studies.declaration.study import Study
from studies.declaration.trial import Trial, point_title


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
        at_edge: the drive's settings that are the first or last of a grid of several: better
            ones may lie beyond.
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
        hint = f"; at the edge of the grid: {', '.join(self.at_edge)}" if self.at_edge else ""
        accuracy = self.drive.validation_accuracy
        return f"drive of {self.title}: {settings} ({accuracy:.2f} % of validation images){hint}"


def candidates(study: Study, points: Sequence[Point]) -> list[Candidate]:
    """Every run that the points' searches take, each search once where points share it."""
    search = study.search
    runs: list[Candidate] = []
    seen: set[str] = set()
    for point in points:
        key = search_key(point, search)
        if key in seen:
            continue
        seen.add(key)
        reduced = point.with_budget(search.n_train, search.epochs)
        for drive in grid(point, search):
            trial = reduced.trial(study.study, drive, point.seeds[0], measure="validation")
            runs.append(Candidate(point, key, drive, trial))
    return runs


def best(runs: Sequence[tuple[Candidate, TrialResult]]) -> dict[str, SearchOutcome]:
    """The best drive of each search, by search key; the gentlest one where several tie."""
    found: dict[str, SearchOutcome] = {}
    for key in dict.fromkeys(candidate.key for candidate, _ in runs):
        tried = [(candidate, result) for candidate, result in runs if candidate.key == key]
        candidate, result = max(tried, key=lambda run: run[1].accuracy)  # the first of equals
        title = point_title(candidate.point.label, candidate.point.sweep)
        drive = FoundHyperparameters(
            **candidate.drive.model_dump(),
            validation_accuracy=round(result.accuracy, 3),
            searched_for=key,
        )
        drives = [other.drive for other, _ in tried]
        found[key] = SearchOutcome(title, key, drive, at_edge(candidate.drive, drives))
    return found


def at_edge(chosen: Hyperparameters, tried: Sequence[Hyperparameters]) -> tuple[str, ...]:
    """The drive's settings that are the first or last of several that were tried."""
    edges = []
    for name in Hyperparameters.model_fields:
        values = {getattr(drive, name) for drive in tried}
        if len(values) > 1 and getattr(chosen, name) in (min(values), max(values)):
            edges.append(name)
    return tuple(edges)
