"""The YAML format of presets: one file a technology, one entry a preset, checked when read."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Self

from pydantic import BaseModel, ConfigDict, StrictFloat, model_validator

from rpu_ssnn.common import strict_yaml
from rpu_ssnn.common.errors import InputError, PresetError, one_of
from rpu_ssnn.common.files import user_path
from rpu_ssnn.common.validation import validated

LIKE = "like"
"""By this key an entry names another one, from which it takes all that it does not say itself."""

_SHIPPED = Path(__file__).parents[1] / "presets"

_MOST_BETWEEN = 20

STEP_OR_LEVELS = ("step", "levels")
"""A preset gives one of these two."""


class ParameterEntry(BaseModel):
    """One number of a preset file, with where it comes from.

    Args:
        measured: the lowest and the highest value that a fit saw; others are refused as overrides.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: bool | float | str | list[StrictFloat] | None
    unit: str = ""  # a missing one is refused with that of the law, which the file does not know
    source: str | None = None
    assumption: str | None = None
    measured: tuple[StrictFloat, StrictFloat] | None = None

    @model_validator(mode="after")
    def _says_where_it_comes_from(self) -> Self:
        told = self.source or self.assumption or ""
        if bool(self.source) == bool(self.assumption) or not told.strip():
            raise ValueError("must have either a `source` or an `assumption`")
        return self


class PresetEntry(BaseModel):
    """One preset of a file. ``law`` is the name of a device law (`rpu_ssnn.devices.laws`), or the
    file of a law of one's own, ``my_law.py``, beside the preset file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    technology: str
    law: str
    description: str
    citation: str
    one_directional_because: str | None = None
    parameters: dict[str, ParameterEntry]


@cache
def shipped_entries() -> Mapping[str, PresetEntry]:
    """Returns the package's presets by name, simplest technology first.

    Raises:
        PresetError: a file of the package is broken, or two files share a name.
    """
    first = "constant_step"
    files = sorted(_SHIPPED.glob("*.yaml"), key=lambda p: (p.stem != first, p.stem))
    entries: dict[str, PresetEntry] = {}
    for file in files:
        for name, entry in read_preset_file(file).items():
            if name in entries:
                raise PresetError(file.name, "name", name, "must be unique among the presets")
            entries[name] = entry
    return MappingProxyType(entries)


def read_preset_file(
    file: Path, others: Mapping[str, PresetEntry] = MappingProxyType({})
) -> dict[str, PresetEntry]:
    """Returns all entries of a preset file by name.

    Args:
        others: entries that those of the file may be `LIKE`, beside each other.

    Raises:
        PresetError: the file cannot be read or is no YAML, keys are unknown or missing, types are
            wrong, or an entry is like one that is not there or is itself like another.
    """
    content = strict_yaml.read(file, PresetError)
    if not isinstance(content, dict) or not content:
        raise PresetError(file, "file", content, "must hold presets as 'name: {...}'")
    raw = {str(name): entry for name, entry in content.items()}
    entries = {name: _complete(file, raw, name, others, ()) for name in raw}
    return {name: _with_whole_path(file, entry) for name, entry in entries.items()}


def _with_whole_path(file: Path, entry: PresetEntry) -> PresetEntry:
    """Returns the entry with the whole path of its law, where that is a file beside the
    preset's."""
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
    """Returns an entry with what it takes from the one that it is like.

    Args:
        before: the entries that are like it, one like the other.
    """
    where, own = f"{file}:{name}", content[name]
    if not isinstance(own, dict) or LIKE not in own:
        return _entry(where, own)
    base, known = own[LIKE], {**others, **content}
    if not isinstance(base, str) or base not in known:
        raise PresetError(where, LIKE, base, one_of(known, str(base)))
    if base in (name, *before) or len(before) == _MOST_BETWEEN:
        allowed = f"must lead to a complete entry, by {_MOST_BETWEEN} others at most"
        raise PresetError(where, LIKE, base, allowed)
    whole = others[base] if base not in content else None
    whole = whole or _complete(file, content, base, others, (name, *before))
    merged = whole.model_dump() | {key: value for key, value in own.items() if key != LIKE}
    given = merged["parameters"]
    if isinstance(given, dict):
        replaced = {*given, *(STEP_OR_LEVELS if set(STEP_OR_LEVELS) & set(given) else ())}
        kept = {n: p.model_dump() for n, p in whole.parameters.items() if n not in replaced}
        merged["parameters"] = kept | given
    return _entry(where, merged)


def entry_of_user_file(name: str) -> PresetEntry:
    """Returns the entry ``file.yaml`` (its only one) or ``file.yaml:entry`` of a user's file.

    Raises:
        PresetError: as ``read_preset_file``. It is also raised if there is no such entry, or if
            there are several and none is named.
    """
    entries, chosen = _chosen_entry(name)
    return entries[chosen]


def names_of_entry(name: str) -> tuple[str, ...]:
    """Returns the names by which an entry of a user's file may be called: file, entry, or both.

    A name of no file stands for itself.

    Raises:
        PresetError: as ``entry_of_user_file``.
    """
    if not is_file_name(name):
        return (name,)
    path, chosen = _split(name)
    if chosen is None:
        _, chosen = _chosen_entry(name)
    return path, chosen, f"{path}:{chosen}"


def _chosen_entry(name: str) -> tuple[dict[str, PresetEntry], str]:
    """Returns the entries of a user's file, and which of them is meant."""
    path, chosen = _split(name)
    entries = read_preset_file(user_path("device presets", "name", path), shipped_entries())
    if chosen is None:
        if len(entries) > 1:
            named = " or ".join(f"{Path(path).name}:{entry}" for entry in entries)
            raise PresetError(path, "entry", None, f"must be named, as {named}")
        return entries, next(iter(entries))
    if chosen not in entries:
        raise PresetError(path, "entry", chosen, one_of(entries, chosen))
    return entries, chosen


def is_file_name(name: str) -> bool:
    """Returns whether a preset name means a user's file instead of a preset of the package."""
    return _split(name)[0].endswith((".yaml", ".yml"))


def short_name(name: str) -> str:
    """Returns the name of a preset in figures: without folder and ending of its file, with the
    entry if it is named."""
    if not is_file_name(name):
        return name
    path, entry = _split(name)
    return Path(path).stem if entry is None else f"{Path(path).stem}_{entry}"


def _split(name: str) -> tuple[str, str | None]:
    path, colon, entry = name.rpartition(":")
    if colon and path.endswith((".yaml", ".yml")):
        return path, entry
    return name, None


def _entry(where: str, raw: object) -> PresetEntry:
    try:
        return validated(PresetEntry, raw, "", where)
    except InputError as error:
        field = "entry" if error.field == "content" else error.field
        raise PresetError(where, field, error.value, error.allowed) from None
