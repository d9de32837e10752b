"""The trials of a study: its points with their seeds, where hyperparameters are known."""

from collections.abc import Mapping

from studies.declaration.hyperparameters import FoundHyperparameters, hyperparameters_of
from studies.declaration.study import Study
from studies.declaration.trial import Trial


def trials_of(study: Study, found: Mapping[str, FoundHyperparameters]) -> list[Trial]:
    """The trials whose hyperparameters are known, in the study's order.

    Args:
        found: hyperparameters of searches, by title of the point.
    """
    return [
        point.trial(study.study, known, seed, study.measure)
        for point in study.points()
        if (known := hyperparameters_of(point, found)) is not None
        for seed in point.seeds
    ]
