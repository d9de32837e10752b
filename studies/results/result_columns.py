"""Declares the columns of `results.csv` and `curves.csv`, each with name, unit and meaning.

The reference page of the documentation is made from these tables, and a test checks that they
declare every column of real rows.
"""

import csv
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ResultColumn:
    """Describes one column, or one for each crossbar or layer.

    Attributes:
        name: the heading in the table, without the number of the crossbar or layer.
        unit: the unit of the values; empty for text, ``1`` for shares and counts without a unit.
        numbered: `crossbar` (first at 1), `layer` (input at 0), or empty. A numbered column whose
            name ends in ``_total`` also exists without a number, as the sum over the crossbars.
        meaning: what the values mean, in a few words.
    """

    name: str
    unit: str
    numbered: str
    meaning: str

    @property
    def names(self) -> tuple[str, ...]:
        """Returns the names as they appear in the table, with N in place of the number."""
        if not self.numbered:
            return (self.name,)
        numbered = f"{self.name}_N"
        return (self.name, numbered) if self.name.endswith("_total") else (numbered,)


def _declared(file: str) -> tuple[ResultColumn, ...]:
    with Path(__file__).with_name(file).open(encoding="utf-8", newline="") as rows:
        return tuple(ResultColumn(**row) for row in csv.DictReader(rows))


RESULT_COLUMNS = _declared("result_columns.csv")
"""`results.csv` and `results.parquet` have these columns, with one row per run.

`studies.results.ledger` has the formulas of the ledger's columns."""

CURVE_COLUMNS = _declared("curve_columns.csv")
"""`curves.csv` has these columns, with one row per epoch of each run."""
