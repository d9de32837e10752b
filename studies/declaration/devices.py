"""Finds the devices of a study, checks their names and overrides, and completes the parameters."""

import math
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import device_presets
from device_presets.compounds.compound import Compound
from device_presets.jump_tables.table_device import shipped_or_own
from device_presets.library.device_name import call_of, file_of
from rpu_ssnn.common.errors import Fault, InputError, meant, one_of, require
from rpu_ssnn.common.files import user_path
from rpu_ssnn.common.validation import paths_of
from rpu_ssnn.devices.common_parameters import PULSE_FACTS
from rpu_ssnn.spec import CircuitSpec
from rpu_ssnn.spec.tile import TileSpec, check_device
from studies.common.settings import value_at

_NAME = re.compile(r"[A-Za-z_][\w-]*")

RECORD_ONLY = tuple(PULSE_FACTS)
"""Only the ledger, the metrics and warnings read these parameters, so that an identity leaves
them out."""

PULSE_TIMES = ("pulse_period_s", "pulse_width_s")
"""These parameters matter only if the step depends on the width (`step_width_s`)."""

type Device = device_presets.Preset | device_presets.CompoundDevice | device_presets.TableDevice


def device_of(name: str, field: str = "device") -> Device:
    """Returns the device of a case without its overrides.

    Args:
        name: the name of a preset, a preset file, or a compound around either.
        field: the dotted key of the device, for the error.

    Raises:
        InputError: the device is unknown or not valid, or cannot be trained by pulses both ways.
    """
    kind, _ = call_of(name)
    try:
        device = device_presets.get_device(name)
    except InputError as error:
        value: object = error.value
        allowed = error.allowed
        if kind == "law":
            file = f"{Path(error.where).name}: " if error.where.endswith(".py") else ""
            field += f".{file}{value if error.field == 'parameter' else error.field}"
        # Any other field means that the error is about the content of a file.
        elif error.field not in ("table", "name", "device", "entry"):
            shown = value if isinstance(value, Fault) else repr(value)
            allowed = f"{error.field} {'missing' if value is None else shown}: {allowed}"
            in_file = kind == "table" or file_of(name)[0]
            value = error.where if in_file else name
        raise InputError("study", field, value, allowed) from error
    allowed = (
        f"must be a device that pulses move both ways: {device.one_directional_because}; "
        "one_sided_pair(...) and mixed_precision_pair(...) refresh pairs of such devices"
    )
    require(device.one_directional_because is None, "study", field, name, allowed)
    return device


def with_overrides(device: Device, overrides: Mapping[str, Any]) -> Device:
    """Returns the device with parameters that differ from the preset's.

    Raises:
        InputError: a parameter is unknown, or a value is out of range.
    """
    if not overrides:
        return device
    try:
        return device_presets.get_device(device.name, overrides)
    except InputError as error:
        key: object = error.field
        in_tile: list[str] = []
        if key == "parameter":  # the parameter is unknown, and its name is the value
            key = error.value
            in_tile = [f"tile.{key}"] * (key in TileSpec.model_fields)
            in_tile += paths_of(TileSpec, key, "tile.")
        field = f"overrides.{key}" if key in overrides else "overrides"
        raise InputError("study", field, error.value, meant(in_tile) + error.allowed) from error


def parameters_in(device: Device) -> dict[str, Any]:
    """Returns all parameters of a device, so that an edited preset or law makes a new trial."""
    values: dict[str, Any] = {name: p.value for name, p in device.parameters.items()}
    if device.own_law is not None:
        values["law_sha256"] = device.own_law.law.digest
    # JSON cannot write infinity, the time constant of a device that does not leak.
    return {
        name: str(value) if isinstance(value, float) and math.isinf(value) else value
        for name, value in values.items()
    }


def presets_in(device: Device | None) -> list[device_presets.Preset]:
    """Returns the presets of which a device or a cell is made, if any."""
    if isinstance(device, device_presets.CompoundDevice):
        return [device.first, device.second] if device.second else [device.first]
    return [device] if isinstance(device, device_presets.Preset) else []


def found_beside(path: str, folder: Path, where: str, field: str) -> str:
    """Returns the absolute path of a file or folder of a study.

    A relative path is looked up in the folder of the study, then in the working directory.

    Args:
        where, field: file of the study and dotted key of the path, for the error.

    Raises:
        InputError: it is in neither place.
    """
    given = user_path(where, field, path)
    both = folder / given, given
    for found in both:
        if found.exists():
            return os.path.normpath(found.absolute())
    looked = dict.fromkeys(str(missing.absolute()) for missing in both)
    allowed = f"must be a file or folder that exists; there is no {' or '.join(looked)}"
    raise InputError(where, field, path, allowed)


def beside_study(device: str, folder: Path, where: str, field: str) -> str:
    """Returns the device of a case with absolute paths of its files and of its folders of tables.

    A name such as ``gong`` that no shipped preset has means ``gong.yaml`` if the folder of the
    study or the working directory has that file.

    Args:
        folder, where, field: see `found_beside`.

    Raises:
        InputError: a file or folder is in neither place.
    """
    kind, _ = call_of(device)

    def located(path: str) -> str:
        try:
            text = found_beside(path, folder, where, field)
        except InputError:
            if kind != "table" or shipped_or_own(Path(path)) == Path(path):
                raise
            return path
        allowed = f"must lie in a folder without parentheses and commas, unlike {text}"
        plain = not kind or not any(mark in text for mark in "(),")
        require(plain, where, field, path, allowed)
        return text

    return with_files(device, located, folder, Path())


def with_files(device: str, change: Callable[[str], str], *folders: Path) -> str:
    """Returns the name of a device with the paths of its files and of its folders of tables
    changed.

    Args:
        change: called with a path; returns the new path.
        folders: where to look for the YAML file of a name that no shipped preset has.
    """

    def preset(name: str) -> str:
        if _NAME.fullmatch(name) and any((one / f"{name}.yaml").is_file() for one in folders):
            name = name if name.lower() in device_presets.preset_names() else f"{name}.yaml"
        path, _ = file_of(name)
        return name.replace(path, change(path), 1) if path else name

    kind, parts = call_of(device)
    if kind == "law":
        placed = [change(parts[0]), *parts[1:]]
    elif kind == "table":
        placed = [part if part.startswith("sha256=") else change(part) for part in parts]
    else:
        placed = list(map(preset, parts))
    return f"{kind}({', '.join(placed)})" if kind else placed[0]


def path_free(device: str) -> str:
    """Returns the name of a device without folders, as rows and tables show it."""
    return with_files(device, lambda path: Path(path).name)


def device_identity(device: str) -> str:
    """Returns the part of a device's name that decides a result, without the place of its file.

    Of measured jumps it is the digest, wherever the table is stored.
    """
    kind, parts = call_of(device)
    is_digest = kind == "table" and parts[-1].startswith("sha256=")
    return parts[-1] if is_digest else path_free(device)


def decisive_parameters(values: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values of those parameters that can change a result.

    Args:
        parameters: all parameters of the device, which decide whether pulse times matter.
    """
    records = {
        prefix + name
        for prefix in ("", "partner.")
        for name in RECORD_ONLY
        if name not in PULSE_TIMES or f"{prefix}step_width_s" not in parameters
    }
    return {name: value for name, value in values.items() if name not in records}


def one_spelling(value: Any) -> Any:
    """Returns the number of an override in one spelling, so that 100, 100.0 and "1e2" are equal."""
    if isinstance(value, list | tuple):
        return [one_spelling(item) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    if not math.isfinite(number):
        return str(number)
    return int(number) if number.is_integer() else number


def check_slot(device: Device, slot_seconds: float) -> None:
    """Refuses slots that are too short or too long for the device.

    They are too short if the device leaks and its pulse takes longer, and too long if its step
    depends on the time between pulses and the data of its fit have no time as long.

    Raises:
        InputError: the slots are too short or too long.
    """
    parameters = parameters_in(device)
    pulse, allowed = shortest_slot_s(parameters), ""
    if parameters["leak_time_constant_s"] != "inf" and slot_seconds < pulse:
        allowed = f"must be at least {pulse:g} s, as long as a pulse of {device.name}, which leaks"
    period = device.parameters.get("pulse_period_s")
    if period is not None and period.measured and slot_seconds > period.measured[1]:
        allowed = f"must be at most {period.measured[1]:g} s, the longest time between pulses in "
        allowed += f"the data to which {device.name} was fitted"
    require(not allowed, "study", "tile.slot_seconds", slot_seconds, allowed)


def with_named_circuit(network: object) -> object:
    """Replaces the name of the neurons' published circuit by its settings.

    The name is either the whole value or the key `like` beside settings that replace the circuit's.

    Raises:
        InputError: no circuit has this name.
    """
    if not isinstance(network, Mapping):
        return network
    circuit = value_at(network, "neuron.circuit")
    given = {"like": circuit} if isinstance(circuit, str) else circuit
    if isinstance(circuit, int | float | list):
        allowed = f"{one_of(device_presets.circuit_names())}, or a mapping, `key: value`"
        raise InputError("study", "neuron.circuit", circuit, allowed)
    if not isinstance(given, Mapping) or "like" not in given:
        return network
    name, own = str(given["like"]), {key: given[key] for key in given if key != "like"}
    try:
        settings = {**device_presets.get_circuit(name), **own}
    except InputError as error:
        field = "neuron.circuit" if isinstance(circuit, str) else "neuron.circuit.like"
        raise InputError("study", field, given["like"], error.allowed) from error
    neuron = {**network["neuron"], "circuit": settings}
    return {**network, "neuron": neuron}


def check_leak_of_neurons(
    circuit: CircuitSpec, parameters: Mapping[str, Any], slot_seconds: float
) -> None:
    """Refuses neurons that leak if their slots are not as long as those of the devices.

    Raises:
        InputError: the lengths differ.
    """
    slot = max(slot_seconds, shortest_slot_s(parameters))
    fits = circuit.leak_time_constant_s is None or math.isclose(circuit.slot_seconds, slot)
    field = "network.neuron.circuit.slot_seconds"
    allowed = f"must be {slot:g} s, as long as a slot of the devices, since membranes leak"
    require(fits, "study", field, circuit.slot_seconds, allowed)


def check_tile(device: Device, tile: TileSpec, batch: int, slots: int) -> None:
    """Refuses tile settings that the device does not support.

    Args:
        batch: presentations per batch.
        slots: slots per presentation.

    Raises:
        InputError: `rpu_ssnn.spec.tile.check_device` refuses the settings, or the reference scheme
            or the initial writing does not go with a compound.
    """
    try:
        check_device(device, tile, batch, slots)
    except InputError as error:
        raise InputError("study", f"tile.{error.field}", error.value, error.allowed) from error
    if not isinstance(device, device_presets.CompoundDevice):
        return
    compound, scheme = device.cell, tile.reference.scheme
    if scheme == "differential_pair" or (compound.pair and scheme != "ideal_reference"):
        or_device = "" if compound.pair else " or reference_device"
        allowed = f"must be ideal_reference{or_device} with {device.name}, itself a cell of devices"
        raise InputError("study", "tile.reference.scheme", scheme, allowed)
    programmed = compound.beside_pulses is None or tile.initial != "pulsed"
    allowed = f"must be programmed, as pulses do not reach weights of {device.name} directly"
    require(programmed, "study", "tile.initial", tile.initial, allowed)


def compound_of(device: str) -> Compound | None:
    """Returns the kind of a device that is a cell of several; None for another device."""
    return device_presets.COMPOUNDS.get(call_of(device)[0])


def shortest_slot_s(parameters: Mapping[str, Any]) -> float:
    """Returns the duration (s) of one pulse: its period or width, or 0 if neither is known."""
    return max(float(parameters.get(f"pulse_{name}_s") or 0.0) for name in ("period", "width"))
