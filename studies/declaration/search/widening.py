"""Where a grid ends too early: the next values beyond its edge, and what bounds them."""

import itertools
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from studies.declaration.devices import compound_of
from studies.declaration.points import Point
from studies.declaration.result import Row, TrialResult, by_crossbar
from studies.declaration.update_rules.base import Hyperparameters

_SETTINGS = tuple(Hyperparameters.model_fields)


@dataclass(frozen=True)
class Tried:
    """The runs of one search: results by hyperparameters, in the order in which they were asked."""

    point: Point
    results: dict[Hyperparameters, list[TrialResult]]

    @property
    def best(self) -> Hyperparameters:
        """That with the highest mean accuracy; of equal ones that with the middle step.

        On few images many are equal, and the smallest of them learns too slowly elsewhere.
        """
        return self.level[(len(self.level) - 1) // 2]

    @property
    def level(self) -> list[Hyperparameters]:
        """All with the highest mean accuracy, by step."""
        reached = {drive: mean_accuracy(results) for drive, results in self.results.items()}
        highest = max(reached.values())
        return sorted((d for d, accuracy in reached.items() if accuracy == highest), key=step_order)


def mean_accuracy(results: Sequence[TrialResult]) -> float:
    """Over the seeds, %."""
    return math.fsum(result.accuracy for result in results) / len(results)


def widened(tried: Tried) -> list[Hyperparameters]:
    """A wider grid if the best value lies at an edge that can be widened; else nothing.

    The new value continues the grid by the ratio of its last two values. The grid stays a product.
    """
    beyond = {name: _beyond(name, tried) for name in at_edge(tried.best, tried.results)}
    new = {name: value for name, value in beyond.items() if _stopped(name, value, tried) is None}
    if not new:
        return []
    values = {name: {getattr(drive, name) for drive in tried.results} for name in _SETTINGS}
    for name, value in new.items():
        values[name].add(value)
    every = itertools.product(*values.values())
    grid = [Hyperparameters(**dict(zip(_SETTINGS, point, strict=True))) for point in every]
    return sorted(grid, key=step_order)


def at_edge(
    chosen: Hyperparameters, tried: Collection[Hyperparameters], near: float = 1.0
) -> tuple[str, ...]:
    """The hyperparameters whose value is the first or last of several candidates.

    Args:
        near: factor up to which a value counts as the first or last.
    """
    edges = []
    for name in _SETTINGS:
        values = {getattr(drive, name) for drive in tried}
        if len(values) > 1:
            value = getattr(chosen, name)
            if value <= near * min(values) or value >= max(values) / near:
                edges.append(name)
    return tuple(edges)


def step_order(drive: Hyperparameters) -> tuple[float, float]:
    """Orders candidates, the smallest step first."""
    return drive.learning_rate, drive.weight_range or 0.0


def _beyond(name: str, tried: Tried) -> float:
    """The next value beyond the edge of the grid."""
    values = sorted({getattr(drive, name) for drive in tried.results})
    value: float = getattr(tried.best, name)
    factor = values[-1] / values[-2] if value == values[-1] else values[0] / values[1]
    return float(f"{value * factor:.6g}")


def _stopped(name: str, value: float, tried: Tried) -> str | None:
    """The reason why a setting cannot go beyond its edge; None: it can."""
    chosen = tried.best
    try:
        Hyperparameters.model_validate(chosen.model_dump() | {name: value})
    except ValidationError:
        return f"a study may not ask for {value:g}"
    upwards = getattr(chosen, name) == max(getattr(drive, name) for drive in tried.results)
    rows = [result.row for result in tried.results[chosen]]
    cell = compound_of(tried.point.method.get("device", ""))
    thins = cell is None or cell.thinned
    if name == "learning_rate" and upwards and thins and all(map(_unthinned, rows)):
        return "every coincidence makes its pulse already, so the device cannot be driven harder"
    return None


def _unthinned(row: Row) -> bool:
    """Whether no crossbar was thinned in the first epoch; False if the rule does not thin."""
    shares = by_crossbar(row, "thinning")
    return bool(shares) and all(isinstance(s, int | float) and s >= 1.0 for s in shares)
