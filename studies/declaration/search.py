"""Searches hyperparameters: tries the same candidates in every case and trains the best for longer.

The candidates are quasi-random (a scrambled Halton sequence, `scipy.stats.qmc`) in wide ranges on a
logarithmic scale. Successive halving (Jamieson and Talwalkar,
AISTATS 2016) trains all of them for the first epochs of the full schedule, the better half of them
for twice as many, and so on. With many images, a first comparison may train on a part of them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from rpu_ssnn.spec import Range, Share, Spec
from rpu_ssnn.spec.tile import WeightRange
from studies.declaration.points import Point
from studies.declaration.trial import Measure, Trial, TrialResult
from studies.declaration.update_rules.base import Hyperparameters, LearningRate
from studies.declaration.update_rules.on_device import DeviceRule

SEED = 0
"""The scrambling has this seed in all studies."""

FIRST_PART = 10
"""The first comparison comes after a tenth of the epochs, but not before the first epoch."""

FIRST_HELD_OUT = 0.25
"""A first comparison on a part of the images holds out this share of them, to reduce noise."""

SHARE_OF_THE_TRIALS = 1 / 4
"""A search may take a quarter of the epochs of the case's trials, a fifth of the whole study."""


class SearchSettings(Spec):
    """A study searches hyperparameters on held-out images for every case that gives none.

    Rules without spikes have their own ranges of learning rates (`Rule.rates`).
    """

    points: Annotated[int, Field(ge=2, le=1000)] = Field(
        6, description="number of candidates, which are the same in every case"
    )
    learning_rate: Range[LearningRate] = Field(
        (0.5, 32.0), description="lowest and highest learning rate of a case with spikes"
    )
    weight_range: Range[WeightRange] = Field(
        (1.0, 16.0), description="lowest and highest weight range of a device"
    )
    validation_share: Annotated[Share, Field(gt=0.0, le=0.5)] | None = Field(
        None, description="share of training images that a search holds out; None: that of dataset"
    )
    n_train: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="number of images on which all candidates train for an epoch, a quarter of "
        "them held out, before the better half trains on all; None: all train on all",
    )

    @model_validator(mode="after")
    def _ranges_are_in_order(self) -> Self:
        for name in ("learning_rate", "weight_range"):
            low, high = getattr(self, name)
            if low >= high:
                raise ValueError(f"{name} must be the lowest and the highest value, in this order")
        return self


def candidates(point: Point, search: SearchSettings) -> list[Hyperparameters]:
    """Returns the hyperparameters that are tried at a point; all spiking cases try the same
    learning rates."""
    from scipy.stats import qmc  # it is slow to import

    on_tile = isinstance(point.rule, DeviceRule)
    shares = qmc.Halton(2, rng=SEED).random(search.points)
    rates = point.rule.rates or search.learning_rate
    return [
        Hyperparameters(
            learning_rate=_between(*rates, rate),
            weight_range=_between(*search.weight_range, span) if on_tile else None,
        )
        for rate, span in shares
    ]


def in_words(chosen: Hyperparameters, tried: list[Hyperparameters]) -> str:
    """Returns the chosen values by name, with a note where one is the smallest or largest tried."""
    words = []
    for name, value in chosen.model_dump(exclude_none=True).items():
        values = [getattr(one, name) for one in tried]
        edge = {min(values): " (the smallest tried)", max(values): " (the largest tried)"}
        words.append(f"{name} {value:g}{edge.get(value, '')}")
    return ", ".join(words)


def _between(low: float, high: float, share: float) -> float:
    """Returns the value at this share of the logarithmic range, rounded to three digits."""
    return float(f"{math.exp(math.log(low) + share * math.log(high / low)):.3g}")


def rungs(epochs: int, seeds: int, points: int) -> list[int]:
    """Returns the numbers of epochs after which the remaining candidates are compared.

    Args:
        epochs: epochs of a trial.
        seeds: number of trials of the case, which limits the cost of its search.
        points: number of candidates.
    """
    numbers = [_first_rung(epochs)]
    spent, left = points * numbers[0], points
    while (left := (left + 1) // 2) > 1 and 2 * numbers[-1] < epochs:
        spent += left * numbers[-1]
        wasted = spent - 2 * numbers[-1]  # the winner's epochs count as part of its trial
        if wasted > SHARE_OF_THE_TRIALS * seeds * epochs:
            break
        numbers.append(2 * numbers[-1])
    return numbers


def _first_rung(epochs: int) -> int:
    return max(1, epochs // FIRST_PART)


type RunOfEach = Mapping[Hyperparameters, Trial]
"""Each candidate has one run, with the first seed of the point."""

type Results = Mapping[str, TrialResult]
"""Results of runs by identity."""


@dataclass
class Race:
    """Searches the hyperparameters of one point.

    Attributes:
        comparisons: for each comparison, the runs to compare and their number of epochs.
        left: candidates that have not lost yet.
    """

    point: Point
    comparisons: list[tuple[RunOfEach, int]]
    left: list[Hyperparameters] = field(init=False)

    def __post_init__(self) -> None:
        self.left = list(self.trials)

    @property
    def trials(self) -> RunOfEach:
        """Returns the runs of the last comparison, which trials continue."""
        return self.comparisons[-1][0]

    @classmethod
    def of(cls, point: Point, study: str, search: SearchSettings, measure: Measure) -> "Race":
        """Returns the race of a point, whose runs become the beginnings of its trials.

        If the search has its own share of held-out images, it trains on other images than the
        trials.
        """
        share = search.validation_share
        held_out = {} if share is None else {"validation_share": share}
        epochs, tried = point.training.epochs, candidates(point, search)

        def runs_on(images: dict[str, Any]) -> RunOfEach:
            dataset = point.dataset.model_copy(update=held_out | images)
            searched, seed = replace(point, dataset=dataset), point.seeds[0]
            return {each: searched.trial(study, each, seed, measure) for each in tried}

        if search.n_train is not None:
            n_images = min(search.n_train, point.dataset.n_train or search.n_train)
            first = runs_on({"n_train": n_images, "validation_share": FIRST_HELD_OUT})
            return cls(point, [(first, 1), (runs_on({}), _first_rung(epochs))])
        steps = rungs(epochs, len(point.seeds), search.points)
        all_images = runs_on({})
        return cls(point, [(all_images, step) for step in steps])

    def runs(self, number: int) -> list[Trial]:
        """Returns the runs that a comparison needs, or none after the last comparison."""
        if number >= len(self.comparisons):
            return []
        trials, epochs = self.comparisons[number]
        return [replace(trials[tried], stop_after=epochs) for tried in self.left]

    def all_runs(self) -> list[Trial]:
        """Returns the runs of a whole search if the first candidates are the best, for a plan."""
        furthest: dict[str, Trial] = {}
        for number in range(len(self.comparisons)):
            some = self.runs(number)
            kept = -(-len(some) // 2**number)
            furthest |= {trial.identity: trial for trial in some[:kept]}
        return list(furthest.values())

    def accuracy(self, tried: Hyperparameters, number: int, done: Results) -> float:
        """Returns the accuracy (%) of a candidate on held-out images at a comparison."""
        trials, epochs = self.comparisons[number]
        value = done[trials[tried].identity].epochs[epochs - 1]["validation_accuracy"]
        return float(value) if isinstance(value, int | float) else 0.0

    def halve(self, number: int, done: Results) -> list[Trial]:
        """Keeps the better half after a comparison, and the earlier of equal candidates.

        Returns:
            The runs that are not continued.
        """
        if number + 1 >= len(self.comparisons):
            return []
        order = sorted(self.left, key=lambda tried: -self.accuracy(tried, number, done))
        keep = order[: (len(order) + 1) // 2]
        before, self.left = self.left, [tried for tried in self.left if tried in keep]
        (trials, _), (following, _) = self.comparisons[number : number + 2]
        return [trials[tried] for tried in before if tried not in keep or trials is not following]


def reached(trial: Trial, done: Results) -> bool:
    """Says whether a run of a search has been trained for as many epochs as it needs."""
    result = done.get(trial.identity)
    return result is not None and len(result.epochs) >= (trial.stop_after or 0)


@dataclass(frozen=True)
class Choice:
    """Names the candidate that a search chose for a point.

    Attributes:
        accuracy: accuracy on held-out images at the last comparison, %.
        noise: the standard error of a difference of two such accuracies, percentage points.
        level: titles of other points for which it was chosen because it is level with their best.
    """

    race: Race
    chosen: Hyperparameters
    accuracy: float
    noise: float
    level: tuple[str, ...] = ()


def choose(races: list[Race], done: Results) -> list[Choice]:
    """Chooses for each point the best candidate, or one that is level with it and suits more
    points.

    Points that tried the same candidates are a family. A candidate is level with the best if it is
    no further below it than the standard error of their difference on the held-out images. Within
    a family, the candidate that is level at most points is chosen for all these points.
    """
    families: dict[tuple[Hyperparameters, ...], list[Race]] = {}
    for race in races:
        families.setdefault(tuple(race.trials), []).append(race)
    return [choice for family in families.values() for choice in _choices_of_family(family, done)]


def _choices_of_family(open_races: list[Race], done: Results) -> list[Choice]:
    choices = []
    while open_races:
        level = [_level(race, done) for race in open_races]
        tried = dict.fromkeys(tried for each in level for tried in each)
        reached = {one: [each[one] for each in level if one in each] for one in tried}
        best = max(reached, key=lambda one: (len(reached[one]), sum(reached[one])))
        suited = [race for race, each in zip(open_races, level, strict=True) if best in each]
        for race in suited:
            others = tuple(other.point.title for other in suited if other is not race)
            accuracy = race.accuracy(best, -1, done)
            choices.append(Choice(race, best, accuracy, _noise(race, best, accuracy, done), others))
        open_races = [race for race in open_races if race not in suited]
    return choices


def _level(race: Race, done: Results) -> dict[Hyperparameters, float]:
    """Returns the accuracies (%) of the candidates that are level with the best."""
    reached = {tried: race.accuracy(tried, -1, done) for tried in race.left}
    best = max(reached, key=lambda tried: reached[tried])
    least = reached[best] - _noise(race, best, reached[best], done)
    return {tried: accuracy for tried, accuracy in reached.items() if accuracy >= least}


def _noise(race: Race, tried: Hyperparameters, accuracy: float, done: Results) -> float:
    """Returns the binomial standard error of a difference of two accuracies, percentage points."""
    n: Any = done[race.trials[tried].identity].row.get("n_validation") or 1
    share = accuracy / 100
    return 100 * math.sqrt(2 * share * (1 - share) / n)
