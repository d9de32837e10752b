"""Measures the devices of a requirement in one study, and so in one folder."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from studies.declaration.cases import Case
from studies.declaration.trial import Failure, Runs
from studies.sensitivity.axes import RequirementAxis
from studies.sensitivity.device_question import (
    AS_IS,
    BySeed,
    DeviceQuestion,
    Run,
    accuracies,
    differences,
)

QUESTION = "require"


@dataclass
class DeviceEvaluator:
    """Collects all devices measured so far in one study, so that they share a folder.

    Attributes:
        cases: devices by label.
        values: for each parameter, the labels of its devices by harm.
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

    def add_own(self, axes: Sequence[RequirementAxis], as_it_is: Case) -> None:
        """Starts each axis at the device's original value."""
        new = {}
        for along in axes:
            alone = along.context is not as_it_is
            label = f"only {along.name}, {AS_IS}" if alone else AS_IS
            new[label] = along.context if alone else as_it_is
            self.values[along.name] = {along.harm(along.own): label}
        if set(new) - set(self.cases):
            self.run(new)
        else:
            self.cases |= new

    def measure(self, wanted: Sequence[tuple[RequirementAxis, float]]) -> None:
        """Runs each axis at a harm, all together, except those that have been measured."""
        new = {}
        for along, harm in wanted:
            at = self.place(along, harm)
            if at not in self.values[along.name]:
                value = along.value(at)
                label = f"{along.name} {value:g}"
                self.values[along.name][at] = label
                new[label] = along.case(value)
        if new:
            self.run(new)

    def place(self, along: RequirementAxis, harm: float) -> float:
        """Returns the harm to measure: the same one if it was measured, else that of the rounded
        value."""
        return harm if harm in self.values[along.name] else along.harm(along.value(harm))

    def losses(self, along: RequirementAxis) -> dict[float, BySeed]:
        """Returns the losses of an axis so far by harm; they are empty if every run failed."""
        return {harm: self.loss_of(label) for harm, label in self.values[along.name].items()}

    def loss_of(self, label: str) -> BySeed:
        """Returns the accuracy of the reference minus that of a device by seed, points."""
        reference = accuracies(self.runs, self.asked.reference.name)
        return differences(reference, accuracies(self.runs, label))
