"""The one kind of error a user's bad input gets: where, what, and what is allowed."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Bad input, said in one line; the command line prints it and exits with code 2.

    Args:
        where: the file, study, command or function that holds the bad value.
        field: the key, parameter or part of it that is wrong.
        value: what was found there (shown with ``repr``).
        allowed: what would have been right, as a phrase.
    """

    def __init__(self, where: object, field: str, value: object, allowed: str) -> None:
        self.where = str(where)
        self.field = field
        self.value = value
        self.allowed = allowed
        super().__init__(f"{where}: {field}: {_short(value)} is not allowed; {allowed}")

    def __reduce__(self) -> tuple[type, tuple[str, str, object, str]]:
        """Errors cross process borders whole."""
        return type(self), (self.where, self.field, self.value, self.allowed)


def one_of(names: Iterable[str], wrong: object = None) -> str:
    """The phrase that lists the valid names, nearest match first where there is one."""
    valid = list(names)
    phrase = "must be one of " + ", ".join(valid)
    near = difflib.get_close_matches(str(wrong), valid, n=1) if wrong is not None else []
    return f"{phrase} (did you mean {near[0]}?)" if near else phrase


def _short(value: object, limit: int = 80) -> str:
    text = repr(value)
    if len(text) <= limit:
        return text
    half = (limit - 3) // 2  # both ends: a long path says most in its last part
    return f"{text[:half]}...{text[-half:]}"
