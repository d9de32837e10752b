"""Splits the name of a device: a call such as ``CELL(FAST, SLOW)``, or a file with an entry."""

import re

_CALL = re.compile(r"\s*(\w+)\s*\((.*)\)\s*")


def call_of(name: str) -> tuple[str, list[str]]:
    """Returns the word before the parentheses and the parts between commas; the word is empty if
    the name is not a call."""
    if call := _CALL.fullmatch(name):
        return call[1], [part.strip() for part in call[2].split(",")]
    return "", [name]


def file_of(name: str) -> tuple[str, str | None]:
    """Returns the preset file that a name denotes, and the entry if one is named; the path is
    empty if the name denotes no file."""
    path, colon, entry = name.rpartition(":")
    if colon and path.endswith((".yaml", ".yml")):
        return path, entry
    return (name if name.endswith((".yaml", ".yml")) else ""), None
