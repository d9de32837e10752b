"""Sequential stopping: adds seeds until the confidence interval of the gap is narrow enough.

The seeds of a point are a function of the finished results alone. An interrupted study therefore
reaches the same trials. Each look uses the results of the earlier seeds only, even if others exist.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Annotated, Literal

from pydantic import Field

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.wording import counted
from rpu_ssnn.spec import Positive, Spec
from studies.common.statistics import FEWEST_SEEDS, describe
from studies.declaration.points import Point
from studies.declaration.result import TrialResult
from studies.declaration.trial import Trial, point_title

LAST_SEED = 2**32 - 1


class SequentialStopping(Spec):
    """The stopping rule of a study."""

    gap_ci: Annotated[Positive, Field(le=100.0)] = Field(
        description="half width of the 95 % interval of the gap to the reference, percentage points"
    )
    max_seeds: Annotated[int, Field(ge=2, le=10_000)] = Field(
        description="of a case at a point of the sweep, the declared ones included"
    )


type _Accuracy = float | Literal["none"] | None
"""Accuracy in %, or a difference of two; ``none``: there will be none; None: not yet."""

type Verdict = Literal["fixed", "open", "narrow", "wide", "stuck"]
"""State of a point: not under `until`; rows are missing; narrow enough; still wide with all seeds;
a trial failed or was pruned, so that no seeds are added."""


@dataclass(frozen=True)
class Seeded:
    """A point with the seeds that it needs now.

    Attributes:
        half_width: of the interval of its gap, percentage points; None: not known.
    """

    point: Point
    seeds: tuple[int, ...]
    verdict: Verdict = "fixed"
    half_width: float | None = None

    @property
    def title(self) -> str:
        """The point in words."""
        return point_title(self.point.label, self.point.sweep)


def check_sequential_stopping(until: SequentialStopping, points: Sequence[Point]) -> None:
    """Refuses a limit that a point cannot reach.

    Raises:
        InputError: a point declares more seeds, or no larger seeds exist.
    """
    for point in points:
        if len(point.seeds) > until.max_seeds:
            allowed = f"must be at least {len(point.seeds)}, the seeds of {point.label}"
            raise InputError("study", "until.max_seeds", until.max_seeds, allowed)
        if most_seeds(point.seeds, until)[-1] > LAST_SEED:
            allowed = f"must leave room below 2**32 for {until.max_seeds} seeds"
            raise InputError("study", "seeds", max(point.seeds), allowed)


def most_seeds(declared: tuple[int, ...], until: SequentialStopping) -> tuple[int, ...]:
    """The declared seeds, and the integers after the largest of them, as many as there may be."""
    after = max(declared) + 1
    return (*declared, *range(after, after + until.max_seeds - len(declared)))


def seeded(
    until: SequentialStopping | None,
    points: Sequence[Point],
    reference: str,
    trial_of: Callable[[Point, int], Trial | None],
    find: Callable[[Trial], TrialResult | None],
    failed: Collection[str] = (),
) -> list[Seeded]:
    """The points with the seeds that they need, given the finished trials.

    A point of the reference also has all seeds of the points that are compared with it.

    Args:
        trial_of: None: the point's drive is not known yet.
        find: the finished run of a trial.
        failed: identities of trials that failed and are not repeated.
    """
    if until is None:
        return [Seeded(point, point.seeds) for point in points]

    @cache
    def accuracy(place: int, seed: int) -> _Accuracy:
        trial = trial_of(points[place], seed)
        if trial is None:
            return None
        result = find(trial)
        if result is not None:
            return "none" if result.pruned else result.accuracy
        return "none" if trial.identity in failed else None

    def gap(place: int, against: int, seed: int) -> _Accuracy:
        mine, other = accuracy(place, seed), accuracy(against, seed)
        if "none" in (mine, other):
            return "none"
        return mine - other if isinstance(mine, float) and isinstance(other, float) else None

    of_reference = {at: point for at, point in enumerate(points) if point.label == reference}
    grown: dict[int, Seeded] = {}
    wanted = {at: dict.fromkeys(point.seeds) for at, point in of_reference.items()}
    for at, point in enumerate(points):
        against = None if at in of_reference else _reference_of(point, of_reference)
        if against is not None:
            grown[at] = _grown(point, until, partial(gap, at, against))
            wanted[against] |= dict.fromkeys(grown[at].seeds)
    return [
        grown.get(at) or Seeded(point, tuple(wanted.get(at, point.seeds)))
        for at, point in enumerate(points)
    ]


def sentences(until: SequentialStopping | None, points: Sequence[Seeded]) -> list[str]:
    """The outcome of `until`: which gaps are narrow enough, and which are not and why."""
    if until is None:
        return []
    found: dict[str, list[Seeded]] = {}
    for one in points:
        found.setdefault(one.verdict, []).append(one)
    lines = []
    if narrow := found.get("narrow"):
        what = f"{counted(len(narrow), 'gap is', 'gaps are')} known to ±{until.gap_ci:g} or better"
        lines.append(f"until: {what}")
    lines += [
        f"until: {one.title} stayed at ±{one.half_width:.2f}, above {until.gap_ci:g}, with all "
        f"{until.max_seeds} seeds"
        for one in found.get("wide", [])
    ]
    lines += [
        f"until: {one.title} gets no more seeds, since runs of it or of the reference failed or "
        "were pruned"
        for one in found.get("stuck", [])
    ]
    lines += [f"until: {one.title} waits for rows" for one in found.get("open", [])]
    return lines


def _reference_of(point: Point, of_reference: Mapping[int, Point]) -> int | None:
    """Place of the point of the reference with the same swept values, as in the table."""
    values = {path: str(value) for path, value in point.sweep}
    fitting = (
        at
        for at, other in of_reference.items()
        if all(values.get(path) == str(value) for path, value in other.sweep)
    )
    return next(fitting, None)


def _grown(point: Point, until: SequentialStopping, gap_of: Callable[[int], _Accuracy]) -> Seeded:
    """The point with its seeds.

    Args:
        gap_of: a seed, percentage points.
    """
    seeds = most_seeds(point.seeds, until)
    n = max(len(point.seeds), min(FEWEST_SEEDS, until.max_seeds))
    while True:
        now = seeds[:n]
        gaps = [gap_of(seed) for seed in now]
        if "none" in gaps:
            return Seeded(point, now, "stuck")
        differences = [gap for gap in gaps if isinstance(gap, float)]
        if len(differences) < n:
            return Seeded(point, now, "open")
        half_width = describe(differences).half_width
        if half_width <= until.gap_ci:
            return Seeded(point, now, "narrow", half_width)
        if n == until.max_seeds:
            return Seeded(point, now, "wide", half_width)
        n = min(until.max_seeds, _next(n, half_width / until.gap_ci))


def _next(n: int, ratio: float) -> int:
    """Number of seeds at the next look: as the spread so far requires, at most twice as many.

    A small number of looks biases the interval less than a look after every seed.
    """
    if math.isnan(ratio):  # one seed has no spread
        return n + 1
    return max(n + 1, min(2 * n, math.ceil(n * ratio**2)))
