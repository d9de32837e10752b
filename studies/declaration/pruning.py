"""Pruning: trials that stop early because their accuracy is too low."""

from collections.abc import Sequence
from dataclasses import replace

from rpu_ssnn.common.errors import InputError
from studies.declaration.points import Point
from studies.declaration.result import PRUNED, Runs
from studies.declaration.trial import Prune


def pruned_by(rule: Prune, points: Sequence[Point]) -> list[Point]:
    """The points with the rule; only those with more epochs, and rules that validate.

    Raises:
        InputError: the rule applies to no point, or a point has no validation images.
    """
    ruled = []
    for point in points:
        acts = point.prunable and point.training.epochs > rule.after_epochs
        if acts and point.dataset.validation_share == 0:
            allowed = "must be above 0, as `prune` looks at validation images"
            raise InputError("study", "dataset.validation_share", 0.0, allowed)
        ruled.append(replace(point, prune=rule) if acts else point)
    if all(point.prune is None for point in ruled):
        most = max((point.training.epochs for point in points if point.prunable), default=0)
        allowed = f"must be below {most}, the most epochs of a case that can be stopped"
        raise InputError("study", "prune.after_epochs", rule.after_epochs, allowed)
    return ruled


def sentences(pruned: Runs) -> list[str]:
    """One line for each case with pruned trials, which tables leave out."""
    return [
        f"pruned, not in any mean: {trial.title} after epoch {result.row[PRUNED]}, at "
        f"{result.accuracy:.2f} % of validation images"
        for trial, result in pruned
    ]
