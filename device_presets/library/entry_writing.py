"""Writes presets as YAML text that ``get_preset`` reads."""

from collections.abc import Mapping
from pathlib import Path

from device_presets.library.preset_file import PresetEntry
from device_presets.library.preset_lookup import get_preset, preset_names
from rpu_ssnn.common import strict_yaml
from rpu_ssnn.common.errors import InputError, require
from rpu_ssnn.common.wording import printable

MOST_LETTERS = 100
"""A name has at most this many letters, since file names must not be longer than 255 bytes."""

MOST_DRAWS = 10
"""This many devices are drawn from a fit and written beside its preset."""


def draws_file(preset: Path) -> Path:
    """Returns the file for the devices that are drawn from the fit of a preset."""
    return preset.with_name(f"{preset.stem}_draws{preset.suffix}")


def entries_text(
    entries: Mapping[str, PresetEntry], comments: tuple[str, ...], failed: tuple[str, ...] = ()
) -> str:
    """Returns the YAML of presets by name, with comment lines on top, and with the checks that
    their fit failed."""
    lines = [printable(line) for comment in comments for line in comment.splitlines()]
    found = {n: entry.model_copy(update={"failed_checks": failed}) for n, entry in entries.items()}
    content = {name: entry.model_dump(exclude_defaults=True) for name, entry in found.items()}
    return strict_yaml.dump(content, "\n".join(lines))


def write_and_check(path: Path, text: str, entry: str = "") -> None:
    """Writes the text, and reads the preset (or the named entry) back to check it.

    Raises:
        InputError: the text is not a valid preset, because of a bug or a number out of range.
        OSError: the file cannot be written.
    """
    path.write_text(text, encoding="utf-8")
    get_preset(f"{path}:{entry}" if entry else str(path))


def checked_name(name: str) -> str:
    """Returns the name of a new preset unchanged.

    Raises:
        InputError: the name is not usable as a YAML key and a file name, or a study that says it
            would get a shipped preset.
    """
    words = isinstance(name, str) and all(c.isalnum() or c in "_-" for c in name)
    if not (words and name[:1].isalpha() and len(name) <= MOST_LETTERS):
        allowed = "must begin with a letter and consist of letters, digits, _ and -, at most "
        allowed += f"{MOST_LETTERS} in all"
        raise InputError("preset", "--name", name, allowed)
    allowed = "must not be the name of a shipped preset, which studies would use in its place"
    require(name.lower() not in preset_names(), "preset", "--name", name, allowed)
    return name
