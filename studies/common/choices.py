"""What a user chooses among on the command line; light, so that the command line starts fast."""

from enum import StrEnum


class Format(StrEnum):
    """Of a printed table; `csv` is the numbers at full precision."""

    md = "md"
    csv = "csv"
    latex = "latex"
    html = "html"


class Values(StrEnum):
    """What stands in the cells of a pivot."""

    accuracy = "accuracy"
    gap = "gap"


class Kind(StrEnum):
    """Of a figure."""

    curves = "curves"
    sweep = "sweep"
    gaps = "gaps"


class Others(StrEnum):
    """The imperfections beside the one that a requirement is put on."""

    as_is = "as-is"
    off = "off"
