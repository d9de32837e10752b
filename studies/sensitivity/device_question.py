"""Provides the common parts of all questions about a device: case, studies, and paired losses.

The unchanged device gets its hyperparameters as in any study: given, known or searched. Every
changed device gets the same ones, since the question is what the change does.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from device_presets import get_device
from device_presets.library.preset_file import names_of_entry
from device_presets.library.preset_lookup import preset_names
from rpu_ssnn.common.errors import Fault, InputError, one_of, require, require_kind
from rpu_ssnn.common.validation import validated
from rpu_ssnn.spec.tile import WeightRange, needs_native
from studies.common.settings import merged, short_hash, value_at
from studies.declaration.cases import Case
from studies.declaration.devices import beside_study, device_of, path_free
from studies.declaration.hyperparameters import known_hyperparameters, with_hyperparameters
from studies.declaration.study import Study
from studies.declaration.trial import Runs, by_crossbar
from studies.declaration.update_rules.base import Hyperparameters
from studies.declaration.update_rules.on_device import DeviceRule
from studies.declaration.update_rules.pulses import PulseRule
from studies.execution.phase import Outcome

type Run = Callable[[Study], Outcome]
"""Such a function runs the missing trials of a study in the question's folder."""

type BySeed = dict[int, float]

AS_IS = "as it is"
"""The unchanged device has this label."""

LONGEST_NAME = 60

_SHARED = ("dataset", "network", "training")
"""All cases of a study share these sections."""


@dataclass(frozen=True)
class DeviceQuestion:
    """Holds a question about one device of a study.

    Attributes:
        device: the device as it is shown.
        case: the device as the study has it, with the label `AS_IS`.
        reference: the case that losses are measured against.
    """

    study: Study
    device: str
    case: Case
    reference: Case

    def study_of(self, question: str, cases: Iterable[Case]) -> Study:
        """Makes the study that runs the reference and other cases under the question's name.

        Raises:
            InputError: a case is not valid.
        """
        study = self.study
        shared = ("dataset", "network", "training", "seeds", "measure", "search")
        content = {
            "study": question_name(study.study, question, self.device),
            "question": f"{question} {self.device}: {study.question}",
            "cases": (self.reference, *cases),
            "reference": self.reference.name,
            **{name: getattr(study, name) for name in shared},
        }
        return validated(Study, content, "", study.where)


class TunedDevice(Hyperparameters):
    """Holds the hyperparameters of the unchanged device, and the thinning in its runs.

    Attributes:
        thinning: largest share of gradient spikes that reached one of its crossbars at the start;
            None if the rows do not have it.
    """

    weight_range: WeightRange
    thinning: float | None

    @classmethod
    def of(cls, runs: Runs) -> Self | None:
        """Returns the hyperparameters of the unchanged device from its runs, or None without
        runs."""
        for trial, result in runs:
            method = trial.settings.method
            if trial.label == AS_IS and isinstance(method, DeviceRule):
                shares = by_crossbar(result.row, "thinning")
                return cls(
                    learning_rate=method.rate(),
                    weight_range=method.tile.weight_range,
                    thinning=max((s for s in shares if isinstance(s, int | float)), default=None),
                )
        return None

    @property
    def note(self) -> str:
        """Says how the hyperparameters were chosen."""
        held = f"weight range {self.weight_range:g}, learning rate {self.learning_rate:g}"
        return f"every change keeps the hyperparameters of the device as it is ({held})"


UNTUNED = TunedDevice(learning_rate=1.0, weight_range=1.0, thinning=0.5)
"""This stands in place of what is not known before the device as it is has run."""


def checked_runner(run: Run) -> Run:
    """Returns a function that runs a study and checks its outcome; scripts are not type-checked.

    Raises:
        InputError: `run` is not a function, now, or gives something else than an outcome, later.
    """
    place, allowed = ("device question", "run"), "must be what `with studies.runner(...) as` names"
    require(callable(run), *place, run, allowed)

    def checked(study: Study) -> Outcome:
        outcome = run(study)
        found = Fault(f"it returned a value of type {type(outcome).__name__}")
        require(isinstance(outcome, Outcome), *place, found, allowed)
        return outcome

    return checked


def ask(study: Study, device: str) -> DeviceQuestion:
    """Finds the device in a study, by the label of a case, by its preset, or by the preset's entry.

    A preset or `table(FOLDER)` that is not in the study is taken without changes, and simulated
    natively if aihwkit cannot do it.

    Raises:
        InputError: there is no such device, it moves one way only, several cases fit, it or the
            reference is drawn from a fit, as the questions take seeds to be independent, or the
            study sweeps a setting of data, network or training for which it gives no value.
    """
    require_kind("device question", "study", study, Study, ", which load_study returns")
    study = with_hyperparameters(study, known_hyperparameters(study))
    reference = next(case for case in study.cases if case.name == study.reference_label)
    case = _case_of(study, device)
    if case.name == reference.name:
        raise InputError(study.where, "--device", device, "must not be the study's reference")
    for each in (case, reference):
        if isinstance(each.rule, DeviceRule) and each.rule.draws:
            allowed = "must be 0 in this question, as seeds that share a device are not independent"
            raise InputError(study.where, f"{each.name}: draws", each.rule.draws, allowed)
    of_case = {"network": case.network, "training": case.training}
    given = merged(study.model_dump(include=set(_SHARED), exclude_unset=True), of_case)
    for path in study.varied:
        section = path.partition(".")[0]
        if section in _SHARED and value_at(given, path) is None:
            allowed = f"must be one value under `{section}`, as a question about a device takes one"
            raise InputError(study.where, "sweep", path, allowed)
    circuit = study.network.neuron.circuit.model_dump(exclude_defaults=True)
    if circuit and case.rule.has_effect("network.neuron.circuit"):
        case = case.changed(network=merged({"neuron": {"circuit": circuit}}, case.network))
    asked = device_name(study, device)
    return DeviceQuestion(study, asked, case.model_copy(update={"label": AS_IS}), reference)


def _case_of(study: Study, device: str) -> Case:
    """Returns the case with this label or device, or a new case for a device that has none."""
    for case in study.cases:
        if case.name == device:
            on_device = isinstance(case.rule, DeviceRule)
            require(on_device, study.where, "--device", device, "must be a case with a device")
            return case
    placed = beside_study(device, Path(study.where).parent, study.where, "--device")
    # The control in the same device can only be named by its label.
    by_spikes = [case for case in study.cases if isinstance(case.rule, PulseRule)]
    fitting = [case for case in by_spikes if case.device_rule.device == placed]
    if not fitting and placed not in preset_names():
        fitting = [case for case in by_spikes if placed in names_of_entry(case.device_rule.device)]
    if len(fitting) > 1:
        several = one_of([case.name for case in fitting]) + ", as several cases have this device"
        raise InputError(study.where, "--device", device, several)
    if fitting:
        return fitting[0]
    try:
        device_of(placed)
    except InputError as error:
        labels = [case.name for case in study.cases if isinstance(case.rule, DeviceRule)]
        known = f"; as a case of the study it {one_of(labels)}" if labels else ""
        raise InputError(study.where, "--device", device, error.allowed + known) from error
    tile = {"tile": {"simulator": "native"}} if needs_native(get_device(placed)) else {}
    return Case.model_validate({"device": placed, **tile})


def device_name(study: Study, device: str) -> str:
    """Returns the device as shown and as used in names of folders, without the path of its file.

    Raises:
        InputError: a file is missing.
    """
    if device in {case.name for case in study.cases}:
        return device
    return path_free(beside_study(device, Path(study.where).parent, study.where, "--device"))


def question_name(study: str, question: str, device: str) -> str:
    """Returns the name of a question's study and folder: at most 60 letters, digits, _ and -."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", device).strip("-")
    name = f"{study}_{question}_{plain}"
    if len(name) <= LONGEST_NAME:
        return name
    tail = f"_{question}_{short_hash([study, device])}"
    return study[: LONGEST_NAME - len(tail)] + tail


def accuracy_by_seed(runs: Runs, label: str) -> BySeed:
    """Returns the accuracy (%) of a case by seed, on the images on which the study measures."""
    return {trial.settings.seed: result.accuracy for trial, result in runs if trial.label == label}


def differences(first: BySeed, second: BySeed) -> BySeed:
    """Returns first minus second for the seeds that both have."""
    return {seed: first[seed] - second[seed] for seed in first if seed in second}


def setting_notes(study: Study) -> list[str]:
    """Says which parts of the study a question leaves out."""
    notes = []
    if study.varied:
        notes.append(f"the study's sweep is left out ({', '.join(study.varied)})")
    if study.measure == "validation":
        notes.append("accuracies are measured on validation samples; no test sample is read")
    return notes
