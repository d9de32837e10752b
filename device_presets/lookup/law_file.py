"""Makes a device from the file of a user-defined law: `law(my_law.py, step=0.01, ...)`.

>>> get_device({"law": "my_law.py", "step": 0.01, ...})
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from device_presets.library.device_name import call_of
from device_presets.library.preset import Preset, refuse_unknown
from device_presets.library.preset_file import ParameterEntry, PresetEntry
from device_presets.library.preset_lookup import preset_of
from rpu_ssnn.common.errors import require
from rpu_ssnn.common.files import user_path
from rpu_ssnn.devices.own_law import find_law

KEY = "law"

_GIVEN = "given with the law"


def law_name(device: Mapping[str, Any]) -> str:
    """Returns the device name for `{law: my_law.py, step: 0.01, ...}`.

    Raises:
        InputError: the law is not named by a file, or a value is not a number.
    """
    file, given = device[KEY], [(name, value) for name, value in device.items() if name != KEY]
    named = isinstance(file, str) and file.endswith(".py") and not _has_marks(file)
    allowed = "must be a file such as my_law.py, without commas and parentheses in its path"
    require(named, "device", KEY, file, allowed)
    for name, value in given:
        allowed = "must be a number, or true or false"
        require(not _has_marks(value), "device", str(name), value, allowed)
    return f"{KEY}({', '.join([file, *(f'{name}={value}' for name, value in given)])})"


def _has_marks(value: object) -> bool:
    """Says whether a text would break the name of a device, which has its own commas and
    parentheses."""
    return any(mark in str(value) for mark in ",()")


def law_device(name: str, overrides: Mapping[str, Any] | None = None) -> Preset:
    """Returns the device for a name, with some parameters replaced.

    Raises:
        InputError: the file does not define a law or has another digest, or a parameter is
            missing, unknown or out of its range.
    """
    _, (file, *rest) = call_of(name)
    pairs = (part.partition("=") for part in rest)
    given = {key.strip(): value.strip() for key, _, value in pairs}
    path, digest = str(user_path("device", KEY, file)), given.pop("sha256", None)
    law = find_law("device", path, digest)
    full_name = law_name({KEY: file, **given, "sha256": law.digest})
    refuse_unknown(name, given, law.parameters)
    parameters = {
        key: ParameterEntry.of(law, key, _value(text), assumption=_GIVEN)
        for key, text in given.items()
    }
    entry = PresetEntry(
        technology="own law",
        law=str(law.file),
        description=f"the law {law.name} of {Path(file).name}",
        citation="none (the user's law)",
        parameters=parameters,
    )
    return preset_of(full_name, entry, overrides)


def _value(text: str) -> bool | float | str:
    flags = {"true": True, "false": False}
    if text.lower() in flags:
        return flags[text.lower()]
    try:
        return float(text)
    except ValueError:
        return text
