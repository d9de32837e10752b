"""Finds presets by name and applies overrides."""

import os.path
import warnings
from collections.abc import Mapping
from typing import Any

from device_presets.library.preset import Parameter, Preset, refuse_unknown
from device_presets.library.preset_file import (
    STEP_OR_LEVELS,
    THAT_OF,
    ParameterEntry,
    PresetEntry,
    entry_of_user_file,
    is_file_name,
    shipped_entries,
)
from rpu_ssnn.common.errors import Fault, InputError, one_of, require
from rpu_ssnn.devices.common_parameters import MOST_LEVELS
from rpu_ssnn.devices.law_parameter import LawParameter
from rpu_ssnn.devices.laws import LAWS
from rpu_ssnn.devices.own_law import check_own_step, find_law

LISTING = "rpu-ssnn presets"
"""This command lists all presets."""


def preset_names() -> list[str]:
    """Returns the names of the package's presets, simplest technology first."""
    return list(shipped_entries())


def get_preset(name: str, overrides: Mapping[str, float | int | str] | None = None) -> Preset:
    """Returns a preset, with some parameters replaced.

    Args:
        name: one of ``preset_names`` (in upper or lower case), or a user's file in the same format:
            ``device.yaml`` if it has one entry, otherwise ``devices.yaml:entry``. ``device``
            finds ``device.yaml`` if no preset has this name.
        overrides: parameter name -> value, in the parameter's unit. ``levels`` determines ``step``
            and the reverse, over the range that results from all overrides.

    Raises:
        InputError: the name or a parameter is unknown, a value is out of its physical range, or a
            file cannot be used.

    Warns:
        UserWarning: a file of the same name lies in the current folder, and is not used.
    """
    check_overrides(overrides)
    name = _stored_name(str(name))
    if is_file_name(name):
        _, entry = entry_of_user_file(name)
    else:
        entries = shipped_entries()
        if name not in entries:
            allowed = one_of(entries, name, LISTING) + ", or a file name ending in .yaml"
            raise InputError("device presets", "name", name, allowed)
        entry = entries[name]
    return preset_of(name, entry, overrides)


def check_overrides(overrides: object) -> None:
    """Raises InputError if the overrides are neither a mapping nor None."""
    allowed = "must be a mapping of parameters to values, or None"
    require(isinstance(overrides, Mapping | None), "device", "overrides", overrides, allowed)


def _stored_name(name: str) -> str:
    """Returns the stored form of a name: ecram for ECRAM, and gong.yaml for gong if there is such
    a file in the current folder."""
    entries, file = shipped_entries(), f"{name}.yaml"
    if name not in entries and name.lower() in entries:
        name = name.lower()
    # pathlib raises an error for a very long name; os.path does not.
    if "/" in name or is_file_name(name) or not os.path.isfile(file):
        return name
    if name not in entries:
        return file
    warning = f"{name} means the shipped preset; write {file} for the file in this folder"
    warnings.warn(warning, stacklevel=3)
    return name


def preset_of(
    name: str, entry: PresetEntry, overrides: Mapping[str, float | int | str] | None = None
) -> Preset:
    """Returns a complete and checked preset from an entry.

    Soft bounds with an override of their slopes get the law `linear`, which has slopes.

    Raises:
        InputError: a parameter is unknown, or its value is out of its physical range.
    """
    law, given = find_law(name, entry.law), dict[str, Any](overrides or {})
    if slopes := given.keys() & (law.as_linear.keys() - law.parameters.keys()):
        if weight := law.reference_weight(preset_of(name, entry).values):
            allowed = f"must be left out, as the reference of this device holds weight {weight:.3g}"
            raise InputError(name, min(slopes), given[min(slopes)], allowed)
        kept = {n: p for n, p in entry.parameters.items() if n in LAWS["linear"].parameters}
        entry = entry.model_copy(update={"parameters": kept})
        given = {n: v for n, v in law.as_linear.items() if n not in kept} | given
        law = LAWS["linear"]
    declared = law.parameters
    refuse_unknown(name, (*entry.parameters, *given), declared)
    parameters = _parameters(name, entry, declared, given)
    values = {key: parameter.value for key, parameter in parameters.items()}
    law.check_values(name, values)
    if law.file:
        check_own_step(law, values)
    facts = entry.model_dump(exclude={"parameters", "law"})
    return Preset(name=name, law=law, parameters=parameters, **facts)


def _parameters(
    where: str,
    entry: PresetEntry,
    declared: Mapping[str, LawParameter],
    overrides: Mapping[str, float | int | str],
) -> dict[str, Parameter]:
    """Returns all parameters that the law declares, by override, entry or neutral value."""

    def given(name: str) -> Parameter:
        if name in overrides:
            return _overridden(where, name, overrides[name], declared[name], entry)
        return _entered(where, name, entry.parameters[name], declared[name])

    stated = {*overrides, *entry.parameters}
    if missing := [n for n, spec in declared.items() if spec.required and n not in stated]:
        units = ", ".join(f"{name} ({declared[name].unit})" for name in missing)
        allowed = f"must be given with value and unit: {units}"
        raise InputError(where, ", ".join(missing), None, allowed)
    complete: dict[str, Parameter] = {}
    for name, spec in declared.items():
        if name in stated - {*STEP_OR_LEVELS}:
            complete[name] = given(name)
        elif name not in STEP_OR_LEVELS:
            unknown = spec.neutral is None
            why = "not known to the preset" if unknown else "not given: aihwkit's neutral value"
            complete[name] = Parameter(spec.neutral, spec.unit, assumption=why)
    chosen = [n for n in STEP_OR_LEVELS if n in overrides]
    chosen = chosen or [n for n in STEP_OR_LEVELS if n in entry.parameters]
    fault = Fault("both are given" if chosen else "neither is given")
    allowed = f"must be exactly one of {' and '.join(STEP_OR_LEVELS)}"
    require(len(chosen) == 1, where, "step and levels", fault, allowed)
    bounds = complete["w_max"], complete["w_min"]
    return _step_and_levels(where, declared, chosen[0], given(chosen[0]), *bounds) | complete


def _overridden(
    where: str, name: str, override: float | int | str, spec: LawParameter, entry: PresetEntry
) -> Parameter:
    """Returns a parameter with the user's value, which must lie in the measured range."""
    seen = entry.parameters[name].measured if name in entry.parameters else None
    value = spec.checked(where, name, override)
    if seen and isinstance(value, float) and not seen[0] <= value <= seen[1]:
        allowed = f"must be within the measured range, {seen[0]:g} to {seen[1]:g} {spec.unit}"
        raise InputError(where, name, value, allowed)
    knee = entry.parameters.get("width_knee_s")
    allowed = "must be left out, since the steps of this preset do not depend on it"
    several = name == "pulse_width_s" and seen and seen[0] < seen[1]
    require(not several or (knee and knee.value), where, name, value, allowed)
    return Parameter(value, spec.unit, assumption="override by the user", measured=seen)


def _entered(where: str, name: str, entered: ParameterEntry, spec: LawParameter) -> Parameter:
    """Returns a parameter with the value of the entry, which must have the law's unit."""
    if entered.unit != spec.unit:
        raise InputError(where, f"{name}.unit", entered.unit or None, f"must be {spec.unit}")
    # In YAML 1.2, a number in quotes is text.
    allowed = f"{spec.allowed}, not text"
    require(not isinstance(entered.value, str), where, name, entered.value, allowed)
    value = spec.checked(where, name, entered.value)
    return Parameter(value, **entered.model_dump(exclude={"value"}))


def _step_and_levels(
    where: str, declared: Mapping[str, LawParameter], name: str, given: Parameter, *ends: Parameter
) -> dict[str, Parameter]:
    """Returns step and levels: the one that was given, and the other derived from the range.

    Args:
        ends: the upper and the lower bound.
    """
    span = _number(ends[0]) - _number(ends[1])
    derived = span / _number(given)
    allowed = f"must be at least {span / MOST_LEVELS:g}, the range over {MOST_LEVELS:g} levels"
    require(derived <= MOST_LEVELS or name != "step", where, "step", given.value, allowed)
    # The derived value is sourced if the given one is, and no bound is another device's.
    of_other = any((end.assumption or "").startswith(THAT_OF) for end in ends)
    origin = "source" if given.source and not of_other else "assumption"
    note: dict[str, Any] = {origin: "step = (w_max - w_min) / levels"}
    both = {other: Parameter(derived, declared[other].unit, **note) for other in STEP_OR_LEVELS}
    both[name] = given
    if _number(both["step"]) > span:
        raise InputError(where, "step", both["step"].value, f"must be at most the range, {span:g}")
    return both


def _number(parameter: Parameter) -> float:
    assert isinstance(parameter.value, float)  # Steps and bounds are numbers, by their ranges.
    return parameter.value
