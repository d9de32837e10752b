"""Runs that ended worse than they once were: training that does not converge."""

from collections.abc import Iterator

from studies.result import Row, Runs
from studies.unit import point_title

FELL_FROM = 2.0
"""Points of validation accuracy below the best epoch from which an end is worth a word."""


def sentences(runs: Runs) -> Iterator[str]:
    """One for each case whose worst run fell, without the full stop."""
    for title, curves in _by_title(runs).items():
        accuracies = [[float(row["validation_accuracy"] or 0.0) for row in rows] for rows in curves]
        worst = max(range(len(curves)), key=lambda run: _fall(accuracies[run]))
        found = accuracies[worst]
        if _fall(found) < FELL_FROM:
            continue
        yield (
            f"{title}: validation accuracy fell from {max(found):.1f} % after epoch "
            f"{found.index(max(found)) + 1} to {found[-1]:.1f} % at the end"
            f"{_hidden_rates(curves[worst][-1])}: the step is too large, or rates run away "
            "(docs/algorithm.md, Depth)"
        )


def _fall(accuracies: list[float]) -> float:
    return max(accuracies) - accuracies[-1]


def _by_title(runs: Runs) -> dict[str, list[list[Row]]]:
    """Learning curves of runs that were watched and not pruned, under their cases' titles."""
    found: dict[str, list[list[Row]]] = {}
    for unit, result in runs:
        watched = [row for row in result.epochs if row["validation_accuracy"] is not None]
        if watched and not result.pruned:
            found.setdefault(point_title(unit.label, unit.sweep), []).append(watched)
    return found


def _hidden_rates(epoch: Row) -> str:
    rates = [
        float(value)
        for name, value in epoch.items()
        if name.startswith("rates_") and value is not None
    ][1:-1]
    if not rates:
        return ""
    return (
        f", where hidden neurons spike {' and '.join(f'{rate:.2g}' for rate in rates)} times a slot"
    )
