"""Decides which settings, given by dotted paths, a case has and a study can sweep."""

from collections.abc import Container, Sequence
from typing import Any

from rpu_ssnn.common.errors import InputError, meant, nearest, one_of
from rpu_ssnn.spec import NetworkSpec, TrainingSpec
from studies.common.settings import canonical, value_at
from studies.declaration import devices
from studies.declaration.cases import Case
from studies.declaration.update_rules.on_device import DeviceRule, PartialHyperparameters

SWEPT_IN_ALL = ("dataset",)


def applies(path: str, case: Case) -> bool:
    """Says whether the case has the setting and does not set it itself."""
    prefixes = (*SWEPT_IN_ALL, *case.swept())
    if not any(path == prefix or path.startswith(f"{prefix}.") for prefix in prefixes):
        return False
    return case.rule.has(path) and value_at(case.sections, path) is None


def each_once(field: str, values: Sequence[Any]) -> None:
    """Refuses a value that is repeated in any spelling, since its trials would count twice.

    Raises:
        InputError: a value occurs twice.
    """
    if len(set(map(one_spelling, values))) < len(values):
        raise InputError("study", field, list(values), "must name each value only once")


def one_spelling(value: Any) -> str:
    """Returns the same text for 1, 1.0 and "1", which make the same trial."""
    return canonical(devices.one_spelling(value))


def sweepable(path: str, cases: Sequence[Case]) -> str:
    """Returns the paths that can be swept, for the error message."""
    if any(value_at(case.sections, path) is not None for case in cases):
        return "must be removed here or from the cases, as every case that has it sets it itself"
    on_devices = [case.rule for case in cases if isinstance(case.rule, DeviceRule)]
    parameters = dict.fromkeys(name for rule in on_devices for name in rule.as_shipped.parameters)
    if path.startswith("overrides.") and on_devices:
        return one_of([f"overrides.{n}" for n in parameters], path)
    sections: dict[str, Container[str]] = {
        "network": NetworkSpec.model_fields,
        "training": TrainingSpec.model_fields,
        "overrides": parameters,
        "hyperparameters": PartialHyperparameters.model_fields if on_devices else (),
    }
    if named := [f"{section}.{path}" for section, keys in sections.items() if path in keys]:
        return f"must start with its section: {' or '.join(named)}"
    starts = dict.fromkeys((*SWEPT_IN_ALL, *(prefix for case in cases for prefix in case.swept())))
    unset = f"must be a setting that a case has and does not set itself, in {', '.join(starts)}"
    return meant(nearest(starts, path)) + unset
