"""Lists choices of the user, in a module without imports, so that the command line starts fast."""

from typing import Literal

Kind = Literal["curves", "sweep", "gaps"]
"""The kinds of figures."""

Others = Literal["as-is", "off"]
"""What happens to the imperfections other than the one that `require` varies."""

OtherVersions = Literal["refuse", "accept", "rerun"]
"""What happens to rows that were made under other versions of torch, aihwkit or the numerics."""
