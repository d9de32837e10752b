"""Counts in words, and text that is safe to show."""

import re
from collections.abc import Sequence

_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\u202a-\u202e\u2066-\u2069]"
)
"""The pattern finds control characters except tab and line ends, halves of surrogate pairs, and
changes of the direction of writing."""


def counted(number: int, thing: str, things: str = "") -> str:
    """Returns a number with its noun, such as ``1 trial`` or ``2 trials``.

    Args:
        number: how many there are.
        thing: the singular.
        things: the plural, where it is not the singular with an s.
    """
    return f"{number} {thing if number == 1 else things or thing + 's'}"


def first_unprintable(text: str) -> int | None:
    """Returns the place of the first character that no terminal, figure or table should get, or
    None."""
    match = _UNPRINTABLE.search(text)
    return None if match is None else match.start()


def printable(text: str) -> str:
    """Returns the text with Python escapes in place of characters that cannot be printed."""
    return _UNPRINTABLE.sub(lambda match: repr(match.group())[1:-1], text)


def plain(text: object) -> str:
    """Returns one line that matplotlib draws as it is: no formula and no hidden legend entry."""
    line = " ".join(str(text).split()).replace("$", r"\$")
    return f" {line}" if line.startswith("_") else line


def listed(names: Sequence[str], most: int = 8, mark: str = ", ") -> str:
    """Returns names with a mark between two; those beyond the first few are only counted."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return mark.join(names[:most]) + more
