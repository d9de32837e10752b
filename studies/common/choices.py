"""Lists what a user chooses among; light, so that the command line starts fast."""

from typing import Literal

Kind = Literal["curves", "sweep", "gaps"]
"""The kinds of figures."""

Others = Literal["as-is", "off"]
"""How the imperfections are beside the one that a requirement is put on."""

OtherVersions = Literal["refuse", "accept", "rerun"]
"""What becomes of rows that were made under other torch, aihwkit or numerics versions."""
