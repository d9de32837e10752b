"""Reads and checks preset files: YAML, with one file per technology and one entry per preset."""

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, StrictFloat, model_validator

from device_presets.library.device_name import file_of
from rpu_ssnn.common import strict_yaml
from rpu_ssnn.common.errors import Fault, InputError, one_of, require
from rpu_ssnn.common.files import user_path
from rpu_ssnn.common.validation import validated
from rpu_ssnn.devices.law import Law
from rpu_ssnn.devices.law_parameter import Value

LIKE = "like"
"""With this key an entry names another one, from which it inherits whatever it leaves out."""

THAT_OF = "that of"
"""With these words begins why a number is assumed that an entry takes from a shipped preset."""

_SHIPPED = Path(__file__).parents[1] / "presets"

_MOST_BETWEEN = 20

STEP_OR_LEVELS = ("step", "levels")
"""A preset gives exactly one of these two."""


class ParameterEntry(BaseModel):
    """Holds one parameter of a preset file, with its origin.

    Args:
        measured: the lowest and the highest value that a fit saw; overrides must lie between them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: bool | float | str | list[StrictFloat] | None
    unit: str = ""  # Checked later against the law, whose unit the error can then name.
    source: str | None = None
    assumption: str | None = None
    measured: tuple[StrictFloat, StrictFloat] | None = None

    @classmethod
    def of(cls, law: Law, name: str, value: Value | str, **origin: Any) -> Self:
        """Returns the entry of a parameter of a law, with its unit.

        Args:
            origin: the other fields.
        """
        shown = list(value) if isinstance(value, tuple) else value
        return cls(value=shown, unit=law.parameters[name].unit, **origin)

    @model_validator(mode="after")
    def _says_where_it_comes_from(self) -> Self:
        origin = self.source or self.assumption or ""
        if bool(self.source) == bool(self.assumption) or not origin.strip():
            raise ValueError("must have either a `source` or an `assumption`")
        low, high = self.measured or (-math.inf, math.inf)
        lowest = self.value if isinstance(self.value, float) else low
        if self.measured and not low <= lowest <= high:
            raise ValueError("must have `measured` as [lowest, highest], and `value` within")
        return self


class PresetEntry(BaseModel):
    """Holds one preset of a file. ``law`` is the name of a device law (`rpu_ssnn.devices.laws`), or
    the file of a user-defined law, ``my_law.py``, relative to the preset file. ``failed_checks``
    are the questions that the fit of the preset failed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    technology: str
    law: str
    description: str
    citation: str
    one_directional_because: str | None = None
    failed_checks: tuple[str, ...] = ()
    parameters: dict[str, ParameterEntry]


@cache
def shipped_entries() -> Mapping[str, PresetEntry]:
    """Returns the package's presets by name, simplest technology first.

    Raises:
        InputError: a file of the package is broken.
    """
    first = "constant_step"
    files = sorted(_SHIPPED.glob("*.yaml"), key=lambda p: (p.stem != first, p.stem))
    return MappingProxyType({n: e for file in files for n, e in read_preset_file(file).items()})


def read_preset_file(
    file: Path, others: Mapping[str, PresetEntry] = MappingProxyType({})
) -> dict[str, PresetEntry]:
    """Returns all entries of a preset file by name.

    Args:
        others: entries that those of the file may name by `LIKE`, besides entries of the same file.

    Raises:
        InputError: the file cannot be read or is not YAML, keys are unknown or missing, types are
            wrong, or `LIKE` names an entry that does not exist, or leads in a circle or through too
            many entries.
    """
    content = strict_yaml.read(file)
    if not isinstance(content, dict) or not content:
        found = content or Fault("it is empty")
        raise InputError(file, "content", found, "must hold presets as 'name: {...}'")
    entries = {name: _complete(file, content, name, others, ()) for name in content}
    return {name: _with_whole_path(file, entry) for name, entry in entries.items()}


def _with_whole_path(file: Path, entry: PresetEntry) -> PresetEntry:
    """Returns the entry with an absolute path to its law, if that is a file."""
    if not entry.law.endswith(".py"):
        return entry
    return entry.model_copy(update={"law": str((file.parent / entry.law).absolute())})


def _complete(
    file: Path,
    content: Mapping[str, object],
    name: str,
    others: Mapping[str, PresetEntry],
    before: tuple[str, ...],
) -> PresetEntry:
    """Returns an entry completed by what it inherits by `LIKE`.

    Args:
        before: the chain of entries that inherit from it.
    """
    where, own = f"{file}:{name}", content[name]
    if not isinstance(own, dict) or LIKE not in own:
        return _entry(where, own)
    base, known = own[LIKE], {**others, **content}
    if not isinstance(base, str) or base not in known:
        raise InputError(where, LIKE, base, one_of(known, str(base)))
    allowed = f"must lead to a complete entry through at most {_MOST_BETWEEN} others"
    require(base not in (name, *before) and len(before) < _MOST_BETWEEN, where, LIKE, base, allowed)
    inside = base in content
    whole = _complete(file, content, base, others, (name, *before)) if inside else others[base]
    merged = whole.model_dump() | {key: value for key, value in own.items() if key != LIKE}
    given = own.get("parameters", {})
    if isinstance(given, dict):
        replaced = {*given, *(STEP_OR_LEVELS if set(STEP_OR_LEVELS) & set(given) else ())}
        kept = {n: p.model_dump() for n, p in whole.parameters.items() if n not in replaced}
        if not inside:  # What is measured at a shipped device is assumed to hold for the user's.
            for entry in kept.values():
                assumed = f"{THAT_OF} {base}: {entry['source'] or entry['assumption']}"
                entry |= {"source": None, "assumption": assumed}
        merged["parameters"] = kept | given
    if not inside:
        told = (key for key in ("description", "citation") if key not in own)
        merged |= {key: f"like {base}: {merged[key]}" for key in told}
    return _entry(where, merged)


def entry_of_user_file(name: str) -> tuple[str, PresetEntry]:
    """Returns the entry ``file.yaml`` (its only one) or ``file.yaml:entry`` of a user's file, after
    its name.

    Raises:
        InputError: for the reasons given at ``read_preset_file``; also if there is no such entry,
            or there are several and none is named.
    """
    path, chosen = file_of(name)
    entries = read_preset_file(user_path("device presets", "name", path), shipped_entries())
    if chosen is None and len(entries) == 1:
        (chosen,) = entries
    if chosen not in entries:
        named = [f"{Path(path).name}:{entry}" for entry in entries]
        given = Path(name).name
        raise InputError(path, "entry", given, one_of(named, chosen and given))
    return chosen, entries[chosen]


def names_of_entry(name: str) -> tuple[str, ...]:
    """Returns the names that an entry of a user's file may be given: file, entry, or both.

    A name that is not a file name is returned alone.

    Raises:
        InputError: for the reasons given at ``entry_of_user_file``.
    """
    if not is_file_name(name):
        return (name,)
    (path, _), (chosen, _) = file_of(name), entry_of_user_file(name)
    return path, chosen, f"{path}:{chosen}"


def is_file_name(name: str) -> bool:
    """Returns whether a preset name denotes a user's file instead of a preset of the package."""
    return file_of(name)[0] != ""


def short_name(name: str) -> str:
    """Returns the name of a preset for figures: the file name without folder and ending, and the
    entry if it is named."""
    path, entry = file_of(name)
    if not path:
        return name
    return Path(path).stem if entry is None else f"{Path(path).stem}_{entry}"


def _entry(where: str, raw: object) -> PresetEntry:
    try:
        return validated(PresetEntry, raw, "", where)
    except InputError as error:
        if error.field != "content":
            raise
        allowed = "must be the keys of a preset, as the file is read as presets, name: {...}"
        raise InputError(where, "preset", error.value, allowed) from None
