"""Where a grid ends too early: the next values beyond its edge, and what bounds them."""

import itertools
from collections.abc import Sequence

from pydantic import ValidationError

from rpu_ssnn.common.wording import counted
from studies.declaration.result import Row, TrialResult, by_crossbar
from studies.declaration.study import SearchSettings
from studies.declaration.update_rules.base import Hyperparameters

_SETTINGS = tuple(Hyperparameters.model_fields)


def widened(
    chosen: Hyperparameters, tried: Sequence[Hyperparameters], results: Sequence[TrialResult]
) -> list[Hyperparameters]:
    """A wider grid if the best value lies at an edge that can be widened; else nothing.

    The new value continues the grid by the ratio of its last two values. The grid stays a product.

    Args:
        chosen: the best of ``tried``, and its results.
    """
    values = {name: {getattr(drive, name) for drive in tried} for name in _SETTINGS}
    before = {name: len(known) for name, known in values.items()}
    for name in at_edge(chosen, tried):
        value = _beyond(name, chosen, tried)
        if _stopped(name, value, chosen, tried, results) is None:
            values[name].add(value)
    if before == {name: len(known) for name, known in values.items()}:
        return []
    every = itertools.product(*values.values())
    grid = [Hyperparameters(**dict(zip(_SETTINGS, point, strict=True))) for point in every]
    return sorted(grid, key=step_order)


def at_edge(
    chosen: Hyperparameters, tried: Sequence[Hyperparameters], near: float = 1.0
) -> tuple[str, ...]:
    """The hyperparameters whose value is the first or last of several candidates.

    Args:
        near: factor up to which a value counts as the first or last.
    """
    edges = []
    for name in Hyperparameters.model_fields:
        values = {getattr(drive, name) for drive in tried}
        if len(values) > 1:
            value = getattr(chosen, name)
            if value <= near * min(values) or value >= max(values) / near:
                edges.append(name)
    return tuple(edges)


def step_order(drive: Hyperparameters) -> tuple[float, float]:
    """Orders candidates, the smallest step first."""
    return drive.learning_rate, drive.weight_range or 0.0


def _beyond(name: str, chosen: Hyperparameters, tried: Sequence[Hyperparameters]) -> float:
    """The next value beyond the edge of the grid."""
    values = sorted({getattr(drive, name) for drive in tried})
    value: float = getattr(chosen, name)
    factor = values[-1] / values[-2] if value == values[-1] else values[0] / values[1]
    return float(f"{value * factor:.6g}")


def bound_of(
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
    shares = by_crossbar(row, "thinning")
    return bool(shares) and all(isinstance(s, int | float) and s >= 1.0 for s in shares)
