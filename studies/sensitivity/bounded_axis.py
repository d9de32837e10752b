"""Measures devices in one study, and finds where costs along a parameter meet a bound.

A bound limits the loss, or the energy or time that a training image takes in a chip, which follow
from the same runs. Loss grows with harm. Energy and time may decrease with it; their axis is then
reversed, so that the crossing can be found in the same way.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Literal

from rpu_ssnn.common.errors import require, require_kind
from studies.chip.costs import Costs, total
from studies.chip.description import Chip
from studies.common.statistics import describe
from studies.declaration.cases import Case
from studies.declaration.devices import compound_of
from studies.declaration.trial import Failure, Runs
from studies.results.chip_ledger import costs_of
from studies.results.text_table import interval
from studies.sensitivity.axes import RequirementAxis
from studies.sensitivity.device_question import (
    AS_IS,
    BySeed,
    DeviceQuestion,
    Run,
    accuracy_by_seed,
    differences,
)
from studies.sensitivity.threshold_crossing import bracket, threshold_crossing

QUESTION = "require"

UNITS = {"loss": "points", "energy": "nJ", "time": "us"}
"""Bounded costs have these units."""


@dataclass(frozen=True)
class Bound:
    """Limits the loss of a device, or the energy or time of a training image.

    Attributes:
        of: the cost that is bounded.
        most: the largest allowed cost, in the unit of `UNITS`.
        chip: the chip in which the image is trained; None for a loss.
    """

    of: Literal["loss", "energy", "time"]
    most: float
    chip: Chip | None = None

    def text(self, by_seed: BySeed) -> str:
        """Returns a mean cost in words."""
        costs = describe(by_seed.values())
        return cost_in_words(self.of, costs.mean, costs.half_width, costs.n)

    def of_costs(self, costs: Costs) -> float:
        """Returns the energy or the time of a training image."""
        return float(1e9 * total(costs.training)[0] if self.of == "energy" else 1e6 * costs.time[0])


def cost_in_words(of: str, mean: float, half_width: float, n: int) -> str:
    """Returns a cost with its interval and, for an energy or a time, its unit."""
    style, unit = ("{:.2f}", "") if of == "loss" else ("{:.3g}", f" {UNITS[of]}")
    return interval(mean, half_width, style, n) + unit


def bounds_of(
    asked: DeviceQuestion,
    loss: float,
    chip: Chip | None,
    image_nj: float | None,
    image_us: float | None,
) -> Iterator[Bound]:
    """Yields the bound on the loss, then those on energy and time that are given.

    Args:
        loss: percentage points.
        chip: the chip around the devices; None means the study's.
        image_nj, image_us: energy and time (nJ, us) of a training image; None gives no bound.

    Raises:
        InputError: a bound is out of range, or a chip is missing or has no bound.
    """
    where, around = asked.study.where, chip or asked.study.chip
    allowed = "must be a number of percentage points, above 0 and at most 100"
    require(_is_number(loss) and 0 < loss <= 100, where, "--loss", loss, allowed)
    yield Bound("loss", loss)
    cell = compound_of(asked.case.device_rule.device)
    unknown = None if cell is None else cell.unknown_pulses
    energy, time = Bound("energy", image_nj or 0.0, around), Bound("time", image_us or 0.0, around)
    for option, given, bound in (("--image-nj", image_nj, energy), ("--image-us", image_us, time)):
        if given is None:
            continue
        above = _is_number(given) and 0 < given < math.inf
        require(above, where, option, given, "must be a number above 0")
        allowed = "must be given together with --chip, or with a study that has a chip"
        require(around is not None, where, option, given, allowed)
        allowed = f"must be left out for {asked.device}: {unknown}"
        require(unknown is None, where, option, given, allowed)
        yield bound
    if chip is not None:
        require_kind(where, "--chip", chip, Chip)
        allowed = "must be given together with --image-nj or --image-us"
        require(image_nj is not None or image_us is not None, where, "--chip", chip.chip, allowed)


def _is_number(value: object) -> bool:
    """Says whether a value is a number, possibly numpy's, since scripts are not type-checked."""
    return isinstance(value, Real)


@dataclass
class DeviceEvaluator:
    """Collects all devices measured so far in one study, so that they share a folder.

    Attributes:
        cases: devices by label.
        values: for each parameter, the labels of its devices by value.
    """

    asked: DeviceQuestion
    run_study: Run
    cases: dict[str, Case] = field(default_factory=dict)
    values: dict[str, dict[float, str]] = field(default_factory=dict)
    runs: Runs = ()
    failures: list[Failure] = field(default_factory=list)

    def run(self, cases: dict[str, Case]) -> None:
        """Adds devices by label and runs them."""
        self.cases |= cases
        labelled = [c.model_copy(update={"label": label}) for label, c in self.cases.items()]
        outcome = self.run_study(self.asked.study_of(QUESTION, labelled))
        self.runs, self.failures = outcome.runs, outcome.failures

    def measure(self, points: Iterable[tuple[RequirementAxis, float]]) -> None:
        """Runs each axis at a harm, all together, except those that have been measured."""
        new = {}
        for along, harm in points:
            value, labels = along.measured(harm), self.values.setdefault(along.name, {})
            if value in labels:
                continue
            label = f"{along.name} {value:g}"
            if value == along.own:
                alone = along.context is not self.cases[AS_IS]
                label = f"only {along.name}, {AS_IS}" if alone else AS_IS
            labels[value] = label
            if label not in self.cases:
                new[label] = along.context if value == along.own else along.case(value)
        if new:
            self.run(new)

    def costs(self, label: str, bound: Bound) -> BySeed:
        """Returns the loss of a device (points), or what a training image costs in the chip, by
        seed; it is empty if every run failed."""
        if bound.chip is None:
            reference = accuracy_by_seed(self.runs, self.asked.reference.name)
            return differences(reference, accuracy_by_seed(self.runs, label))
        own = (run for run in self.runs if run[0].label == label)
        found = {trial.settings.seed: costs_of(trial, run.row, bound.chip) for trial, run in own}
        return {seed: bound.of_costs(costs) for seed, costs in found.items() if costs is not None}


@dataclass(frozen=True)
class BoundedAxis:
    """Combines an axis with a bound and the evaluator that measures both."""

    along: RequirementAxis
    bound: Bound
    evaluator: DeviceEvaluator

    @property
    def costs(self) -> dict[float, BySeed]:
        """Returns the costs measured so far by harm."""
        along, labels = self.along, self.evaluator.values[self.along.name]
        return {along.harm(v): self.evaluator.costs(n, self.bound) for v, n in labels.items()}

    def rising(self) -> "BoundedAxis":
        """Returns the same with the axis reversed if an energy or a time decreases with harm."""
        measured = sorted((harm, of) for harm, of in self.costs.items() if of)
        if self.bound.chip is None or len(measured) < 2:
            return self
        first, last = (describe(measured[at][1].values()).mean for at in (0, -1))
        return replace(self, along=replace(self.along, is_reversed=last < first))

    @property
    def between(self) -> tuple[float, float] | None:
        """Returns the measured harms on both sides of the crossing, or None without a crossing."""
        return bracket(self.costs, self.bound.most)

    def excess(self, harm: float) -> float:
        """Returns how far costs are above the bound at the value that was run at a harm, in points
        or per cent; 0 ends the search.

        The inverse hyperbolic sine keeps a loss of 80 points at one end from distorting the root
        finder's interpolation.
        """
        costs, between, most = self.costs, self.between, self.bound.most
        by_seed = costs[self.along.harm(self.along.measured(harm))]
        if not by_seed or between is None:
            return 0.0
        if all(self.cannot_be_told(costs[end]) for end in between):
            return 0.0
        above = describe(by_seed.values()).mean - most
        return math.asinh(above if self.bound.chip is None else 100.0 * above / most)

    @property
    def kept(self) -> tuple[float, float]:
        """Returns the values between which mean costs keep the bound, or NaN if they never do."""
        crossing = threshold_crossing(self.costs, self.bound.most)
        if crossing is not None:
            value = self.along.value(crossing.harm)
            return (-math.inf, value) if self.along.at_most else (value, math.inf)
        measured = [by_seed for by_seed in self.costs.values() if by_seed]
        is_kept = bool(measured) and all(map(self.keeps, measured))
        return (-math.inf, math.inf) if is_kept else (math.nan, math.nan)

    def keeps(self, by_seed: BySeed) -> bool:
        """Says whether the mean cost is within the bound."""
        return describe(by_seed.values()).mean <= self.bound.most

    def cannot_be_told(self, by_seed: BySeed) -> bool:
        """Says whether these seeds leave open on which side of the bound the cost is.

        A single seed counts as certain, so that a study of one seed still narrows its brackets.
        """
        costs = describe(by_seed.values())
        return abs(costs.mean - self.bound.most) <= costs.half_width
