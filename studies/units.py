"""The units of a study: points with the seeds that they have to have, where drives are known."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from studies.drives import FoundDrive, search_key
from studies.points import Point
from studies.result import UnitResult
from studies.study import Study
from studies.unit import Unit
from studies.until import Seeded, most_seeds, seeded


def maker_of(study: Study, drives: Mapping[str, FoundDrive]) -> Callable[[Point, int], Unit | None]:
    """Gives the unit of a point and a seed; None where the point's drive is not known.

    Args:
        drives: by search key.
    """

    def unit_of(point: Point, seed: int) -> Unit | None:
        drive = point.drive
        if drive is None:
            found = drives.get(search_key(point, study.search))
            if found is None:
                return None
            drive = found.drive
        return point.unit(study.study, drive, seed)

    return unit_of


def seeded_points(
    study: Study,
    drives: Mapping[str, FoundDrive],
    find: Callable[[Unit], UnitResult | None],
    failed: Collection[str] = (),
) -> list[Seeded]:
    """The study's points with the seeds that they have to have (`until.seeded`)."""
    unit_of = maker_of(study, drives)
    return seeded(study.until, study.points(), study.reference_label, unit_of, find, failed)


def largest(study: Study) -> list[Seeded]:
    """The points with all seeds that they can come to have."""
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


def units_at(
    study: Study, drives: Mapping[str, FoundDrive], points: Sequence[Seeded]
) -> list[Unit]:
    """The units of points with their seeds, in the study's order."""
    unit_of = maker_of(study, drives)
    found = [unit_of(one.point, seed) for one in points for seed in one.seeds]
    return [unit for unit in found if unit is not None]


def units_of(study: Study, drives: Mapping[str, FoundDrive]) -> list[Unit]:
    """The units of every point with its declared seeds, in the study's order."""
    return units_at(study, drives, [Seeded(point, point.seeds) for point in study.points()])
