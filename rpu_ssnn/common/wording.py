"""Counts in words."""


def counted(number: int, thing: str, things: str = "") -> str:
    """``1 unit``, ``2 units``.

    Args:
        things: the plural, where it is not the singular with an s.
    """
    return f"{number} {thing if number == 1 else things or thing + 's'}"
