"""The trials of a study: its points with their seeds, where hyperparameters are known."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial

from studies.declaration.points import Point
from studies.declaration.result import TrialResult
from studies.declaration.search.hyperparameters import FoundHyperparameters, hyperparameters_of
from studies.declaration.sequential_stopping import Seeded, most_seeds, seeded
from studies.declaration.study import Study
from studies.declaration.trial import Trial


def trial_of(
    study: Study, found: Mapping[str, FoundHyperparameters], point: Point, seed: int
) -> Trial | None:
    """The trial of a point with one seed; None if its hyperparameters are not known.

    Args:
        found: hyperparameters of earlier searches, by title of the point.
    """
    tried = hyperparameters_of(point, found)
    return None if tried is None else point.trial(study.study, tried, seed, study.measure)


def seeded_points(
    study: Study,
    found: Mapping[str, FoundHyperparameters],
    find: Callable[[Trial], TrialResult | None],
    failed: Collection[str] = (),
) -> list[Seeded]:
    """The points of the study with the seeds that they need (`sequential_stopping.seeded`)."""
    make = partial(trial_of, study, found)
    return seeded(study.until, study.points(), study.reference_label, make, find, failed)


def largest(study: Study) -> list[Seeded]:
    """The points with all seeds that `until` may add."""
    fixed = [Seeded(point, point.seeds) for point in study.points()]
    if study.until is None:
        return fixed
    grown = [replace(one, seeds=most_seeds(one.point.seeds, study.until)) for one in fixed]
    seeds_of_all = dict.fromkeys(seed for one in grown for seed in one.seeds)
    return [
        replace(one, seeds=tuple(dict.fromkeys((*one.seeds, *seeds_of_all))))
        if one.point.label == study.reference_label
        else one
        for one in grown
    ]


def trials_at(
    study: Study, found: Mapping[str, FoundHyperparameters], points: Sequence[Seeded]
) -> list[Trial]:
    """The trials of points with their seeds, in the study's order."""
    trials = [trial_of(study, found, one.point, seed) for one in points for seed in one.seeds]
    return [trial for trial in trials if trial is not None]
