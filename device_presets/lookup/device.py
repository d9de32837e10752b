"""Finds a device from the user's input: a preset, a cell, an aihwkit device, a table or a law."""

import os.path
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from device_presets.compounds.cells import COMPOUNDS
from device_presets.compounds.compound_device import CompoundDevice, compound_device
from device_presets.jump_tables import table_device as tables
from device_presets.jump_tables.table_device import KEY as TABLE
from device_presets.jump_tables.table_device import TableDevice
from device_presets.library.device_name import call_of
from device_presets.library.preset import Preset
from device_presets.library.preset_lookup import check_overrides, get_preset, preset_of
from device_presets.lookup.aihwkit_class import aihwkit_object, is_aihwkit_name, own_entry
from device_presets.lookup.law_file import KEY as LAW
from device_presets.lookup.law_file import law_device, law_name
from rpu_ssnn.common.errors import InputError


def get_device(
    name: Any, overrides: Mapping[str, Any] | None = None
) -> Preset | CompoundDevice | TableDevice:
    """Returns the device that a name, a mapping or an aihwkit object describes.

    Args:
        name: the name of a preset, or a cell of one or two: ``CELL(PRESET)``,
            ``CELL(FAST, SLOW)``. ``SoftBoundsDevice(dw_min=0.01)`` is a class of aihwkit with its
            fields; an object of such a class, and a SingleRPUConfig with one, are accepted too.
            ``table(FOLDER)`` and ``{"table": FOLDER}`` are a device with measured jumps
            (`device_presets.jump_tables`). ``{"law": "my_law.py", "step": 0.01, ...}`` is a
            user-defined law with its parameters.
        overrides: values for parameters of the (first) preset and for settings of the cell; they
            do not change a partner.

    Raises:
        InputError: for the reasons given at ``get_preset``; also if a cell is unknown, its
            partner leaks or is not allowed, or aihwkit's cells cannot use a device.
    """
    check_overrides(overrides)
    if not isinstance(name, str | PurePath | Mapping):
        return preset_of(*own_entry(name), overrides)
    name = name_of(name)
    kind, _ = call_of(name)
    if kind == TABLE:
        return tables.table_device(name, overrides)
    if kind == LAW:
        return law_device(name, overrides)
    if is_aihwkit_name(name):
        return preset_of(*own_entry(aihwkit_object(name)), overrides)
    if kind or name in COMPOUNDS:
        return compound_device(name, overrides)
    if form := _other_form(name):
        raise InputError("device presets", "name", name, form)
    return get_preset(name, overrides)


def name_of(device: object) -> str:
    """Returns the name of a device that is given in any form of `get_device`; no file is read.

    >>> name_of({"law": "my_law.py", "step": 0.01})
    'law(my_law.py, step=0.01)'

    Raises:
        InputError: it has none of these forms.
    """
    if isinstance(device, str | PurePath):
        return str(device)
    if isinstance(device, Mapping) and LAW in device:
        return law_name(device)
    if isinstance(device, Mapping) and set(device) == {TABLE}:
        return tables.table_name(device[TABLE])
    return own_entry(device)[0]


def _other_form(name: str) -> str:
    """Returns what to write for a file or folder that is no preset; empty for a preset."""
    # pathlib raises an error for odd names.
    if name and (os.path.isdir(name) or os.path.isdir(tables.SHIPPED / name)):
        return f"must be {{{TABLE}: {name}}} for a folder of tables of jumps"
    fitted = "must be a preset, which `rpu-ssnn presets fit` makes of measured pulses"
    forms = {".csv": fitted, ".xlsx": fitted, ".py": f"must be {{{LAW}: {name}, ...}}"}
    return forms.get(PurePath(name).suffix.lower(), "")
