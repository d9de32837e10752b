"""The one kind of error a wrong device preset gets: where, which field, what, and what is allowed.

The shape is that of ``rpu_ssnn.errors``; the package depends on nothing of the project, so it
carries its own.
"""

import difflib
from collections.abc import Iterable


class PresetError(ValueError):
    """A preset, a parameter or a preset file that cannot be used, said in one line.

    Args:
        where: the preset (and its file, where that is not one of the package's).
        field: the parameter or key that is wrong.
        value: what was found there (shown with ``repr``).
        allowed: what would have been right, as a phrase.
    """

    def __init__(self, where: object, field: str, value: object, allowed: str) -> None:
        self.where = str(where)
        self.field = field
        self.value = value
        self.allowed = allowed
        super().__init__(f"{where}: {field}: {_short(value)} is not allowed; {allowed}")

    def __reduce__(self) -> tuple[type["PresetError"], tuple[str, str, object, str]]:
        # Exceptions rebuild from their message alone; a worker process must send all four parts.
        return PresetError, (self.where, self.field, self.value, self.allowed)


def one_of(names: Iterable[str], wrong: object = None) -> str:
    """The phrase that lists the valid names, with the nearest one where there is one."""
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
