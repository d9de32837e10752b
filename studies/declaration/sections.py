"""A case's settings in sections, by dotted paths: which it has, and which of them can be swept."""

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

from rpu_ssnn.common.errors import InputError, one_of
from rpu_ssnn.spec import NetworkSpec, TrainingSpec
from studies.common.canonical import canonical
from studies.declaration.cases import Case
from studies.declaration.devices import parameters_of
from studies.declaration.update_rules.base import NO_SETTINGS, Sections
from studies.declaration.update_rules.devices import OnDeviceCase, PartialHyperparameters

SWEPT_IN_ALL = ("dataset",)


def own_sections(case: Case) -> Sections:
    """The settings of the case itself, in sections."""
    return {
        name: value
        for name, value in case.model_dump().items()
        if value is not None and name not in NO_SETTINGS
    }


def applies(path: str, case: Case) -> bool:
    """Whether the case has the setting and does not set it itself."""
    prefixes = (*SWEPT_IN_ALL, *case.swept())
    if not any(path == prefix or path.startswith(f"{prefix}.") for prefix in prefixes):
        return False
    return case.has(path) and value_at(own_sections(case), path) is None


def each_once(field: str, values: Sequence[Any]) -> None:
    """Refuses a repeated value, in any spelling of the number: its trials would count twice.

    Raises:
        InputError: a value occurs twice.
    """
    if len(set(map(one_spelling, values))) < len(values):
        raise InputError("study", field, list(values), "must name each value once")


def one_spelling(value: Any) -> str:
    """The same text for 1, 1.0 and "1", which make one trial."""
    try:
        return canonical(value if isinstance(value, bool) else float(value))
    except (TypeError, ValueError):
        return canonical(value)


def sweepable(path: str, cases: Sequence[Case]) -> str:
    """The paths that can be swept, for the error message."""
    if any(value_at(own_sections(case), path) is not None for case in cases):
        return "is set by the cases that have it: remove it there, or here"
    devices = [case for case in cases if isinstance(case, OnDeviceCase)]
    parameters = dict.fromkeys(n for case in devices for n in parameters_of(case.device))
    if path.startswith("overrides.") and devices:
        return one_of([f"overrides.{n}" for n in parameters], path)
    sections: dict[str, Container[str]] = {
        "network": NetworkSpec.model_fields,
        "training": TrainingSpec.model_fields,
        "overrides": parameters,
        "hyperparameters": PartialHyperparameters.model_fields if devices else (),
    }
    if named := [f"{section}.{path}" for section, keys in sections.items() if path in keys]:
        return f"must start with its section: {' or '.join(named)}"
    starts = dict.fromkeys((*SWEPT_IN_ALL, *(prefix for case in cases for prefix in case.swept())))
    return "must be a setting that a case has and does not set itself; " + one_of(starts, path)


def merged(base: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with the values of ``patch``."""
    result = dict(base)
    for key, value in patch.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both else value
    return result


def nested(path: str, value: Any) -> dict[str, Any]:
    """Sections that hold one value, at a dotted path."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return dict(value)


def value_at(sections: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path; None where there is none."""
    at: Any = sections
    for key in path.split("."):
        at = at.get(key) if isinstance(at, Mapping) else None
    return at


def leaves(sections: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """All values that are no mappings, with their dotted paths."""
    for key, value in sections.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
