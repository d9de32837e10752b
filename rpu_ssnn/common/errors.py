"""The exceptions of the project: their base class, and the exit codes of the command line."""

import difflib
from collections.abc import Iterable, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar

AS_NEAR = 0.05
"""Names whose similarity (at most 1) is within this of the nearest name's count as equally near."""

MOST_LETTERS = 2000
"""A longer line of an error, such as one that lists a thousand columns, shows its two ends."""


class RpuSsnnError(Exception):
    """Marks every exception that the project raises on purpose.

    Attributes:
        exit_code: the code with which the command line exits.
    """

    exit_code: ClassVar[int] = 1


class Fault(str):
    """Says in words what is wrong, in place of a bad value."""

    __slots__ = ()


class InputError(RpuSsnnError, ValueError):
    """Reports bad input in one line, which the command line prints before it exits with code 2.

    Args:
        where: the file, study, command or function that holds the bad value.
        field: the key, parameter or part of it that is wrong.
        value: the value found there (shown with ``repr``), a `Fault`, or None where it is missing.
        allowed: a phrase that says what would have been right.

    >>> raise InputError("mine.yaml", "network.T", 0, "must be at least 1")
    Traceback (most recent call last):
    rpu_ssnn.common.errors.InputError: mine.yaml: network.T: 0 is not allowed; must be at least 1
    """

    exit_code = 2

    def __init__(self, where: object, field: str, value: object, allowed: str) -> None:
        self.where = str(where)
        self.field = field
        self.value = value
        self.allowed = allowed
        wrong = value if isinstance(value, Fault) else f"{_short(value)} is not allowed"
        found = "missing" if value is None else wrong
        line = _in_one_line(f"{where}: {field}: {found}; {allowed}")
        super().__init__(_ends(line, MOST_LETTERS))

    def __reduce__(self) -> tuple[type, tuple[str, str, object, str]]:
        """Lets errors cross process borders; a value that might not is replaced by words."""
        plain = isinstance(self.value, str | int | float | None)
        value = self.value if plain else Fault(f"{_short(self.value)} is not allowed")
        return type(self), (self.where, self.field, value, self.allowed)


def require(holds: object, where: object, field: str, value: object, allowed: str) -> None:
    """Refuses a value where a condition does not hold.

    Args:
        holds: the condition.
        where, field, value, allowed: as in `InputError`.

    Raises:
        InputError: the condition does not hold.
    """
    if not holds:
        raise InputError(where, field, value, allowed)


def require_kind(where: object, field: str, value: object, kind: type, such_as: str = "") -> None:
    """Refuses a value of another class than the one that a function takes.

    Args:
        where, field, value: those of `InputError`.
        kind: the class.
        such_as: where such a value comes from, for the error.

    Raises:
        InputError: the value is of another class.
    """
    allowed = f"must be of type {kind.__name__}{such_as}"
    require(isinstance(value, kind), where, field, value, allowed)


def require_whole(where: object, field: str, value: object, least: int) -> None:
    """Refuses a value that is not a whole number (of Python or numpy; True is none), or is below
    the least one.

    Args:
        where, field, value: those of `InputError`.
        least: the smallest number that is allowed.

    Raises:
        InputError: the value is another one.
    """
    fits = not isinstance(value, bool) and isinstance(value, Integral) and int(value) >= least
    require(fits, where, field, value, f"must be a whole number, {least} or above")


def several(where: object, field: str, value: object) -> list[Any]:
    """Returns the items of a list, for which one text or path may stand.

    Args:
        where, field, value: those of `InputError`.

    Raises:
        InputError: the value is neither a list nor such an item.
    """
    if isinstance(value, str | Path):
        return [value]
    if not isinstance(value, Sequence):
        raise InputError(where, field, value, "must be one name, or a list of names")
    return list(value)


def one_of(
    names: Iterable[str], wrong: object = None, listing: str = "", elsewhere: Sequence[str] = ()
) -> str:
    """Returns a phrase that says which names are valid, and which is the nearest to a wrong one.

    Args:
        names: the valid names.
        wrong: the name that was given, or None where none was.
        listing: the command that lists the names, where they are too many for a line.
        elsewhere: the dotted paths of the wrong name where it is valid.
    """
    valid = list(dict.fromkeys(names))
    # A Cyrillic letter may look like the right one.
    foreign = not str(wrong).isascii() and all(map(str.isascii, valid))
    written = f"it is written {wrong!a}; " if foreign else ""
    named = ", ".join(map(_quoted, valid))
    one = "a single one" if "," in str(wrong) else "one"
    which = f"{one} that `{listing}` lists" if listing else f"{one} of {named}"
    return f"{written}{meant(elsewhere or nearest(valid, wrong))}must be {which}"


def meant(names: Sequence[object]) -> str:
    """Returns the start of a phrase, ``did you mean reram_es or reram_sb?``; it is empty without
    names."""
    return f"did you mean {' or '.join(map(_quoted, names))}? " if names else ""


def _quoted(name: object) -> str:
    """Returns a name, in quotes if its ends could not be seen in a list."""
    return f"'{name}'" if "," in str(name) or str(name) != str(name).strip() else str(name)


def nearest(names: Iterable[str], wrong: object, likeness: float = 0.6) -> list[str]:
    """Returns the valid names that are nearest to a wrong one, ignoring case, or none if none is
    near.

    Args:
        names: the valid names.
        wrong: the name that was given.
        likeness: the lowest similarity (at most 1) of a near name.
    """
    by_small = {name.lower(): name for name in names}
    small = str(wrong).lower()
    best = difflib.get_close_matches(small, by_small, 1, likeness) if wrong is not None else []
    if not best:
        return []
    most = difflib.SequenceMatcher(None, best[0], small).ratio()
    near = difflib.get_close_matches(small, by_small, n=3, cutoff=most - AS_NEAR)
    return [by_small[name] for name in near]


def _in_one_line(text: str) -> str:
    """Returns the text with unprintable characters written out, such as line ends in keys or
    columns."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def _short(value: object, limit: int = 80) -> str:
    return _ends(repr(value), limit)


def _ends(text: str, limit: int) -> str:
    """Returns both ends of a long text, since the last part of a path says most."""
    half = (limit - 3) // 2
    return text if len(text) <= limit else f"{text[:half]}...{text[-half:]}"
