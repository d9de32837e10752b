"""What a user chooses among on the command line; light, so that the command line starts fast."""

from typing import Literal

Format = Literal["md", "csv", "latex", "html"]
"""Of a printed table; `csv` is the numbers at full precision."""

Values = Literal["accuracy", "gap"]
"""What stands in the cells of a pivot."""

Kind = Literal["curves", "sweep", "gaps"]
"""Of a figure."""

Others = Literal["as-is", "off"]
"""The imperfections beside the one that a requirement is put on."""
