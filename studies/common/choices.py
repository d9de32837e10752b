"""Lists choices of the user, in a module without imports, so that the command line starts fast."""

from typing import Literal

MOST_WORKERS = 10_000
"""More worker processes than this are a typing error rather than a wish."""

Kind = Literal["curves", "sweep", "gaps"]
"""These are the kinds of figures."""

Others = Literal["as-is", "off"]
"""`require` leaves the other imperfections as they are, or switches them off."""

OtherVersions = Literal["refuse", "accept", "rerun"]
"""This decides about rows made under other versions of torch, aihwkit or the numerics."""
