"""The result of a trial: one row and one row an epoch, or a failure."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from studies.declaration.trial import Trial

type Scalar = str | int | float | bool | None
type Row = dict[str, Scalar]


SWEEP_PREFIX = "sweep."
"""Starts the columns with a run's swept settings, by their dotted path."""


@dataclass(frozen=True)
class TrialResult:
    """This is a finished run.

    Attributes:
        row: flat; its columns are those of `studies.results.result_columns`.
        epochs: learning curve, one flat row an epoch.
    """

    row: Row
    epochs: list[Row]

    @property
    def accuracy(self) -> float:
        """This is the test accuracy of the run (%), or the validation accuracy if no test image
        was read."""
        test = self.row["test_accuracy"]
        shown = self.row["validation_accuracy"] if test is None else test
        assert isinstance(shown, int | float)  # run_trial always measures one of them
        return float(shown)

    @property
    def words(self) -> str:
        """This is the accuracy in words, and on which images."""
        images = "validation" if self.row["test_accuracy"] is None else "test"
        return f"{self.accuracy:.2f} % ({images})"


def by_crossbar(row: Row, name: str) -> list[Scalar]:
    """Returns the values of a column that each crossbar has of its own, which end in its place."""
    return [value for key, value in row.items() if key.removeprefix(f"{name}_").isdigit()]


def plain(value: Any) -> Scalar:
    """Returns a value for JSON and a table cell; a value that is not finite becomes None."""
    if hasattr(value, "item"):  # numpy's scalars
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str | int | float | None):
        return value
    return json.dumps(value)


type Runs = Sequence[tuple[Trial, TrialResult]]


@dataclass(frozen=True)
class Failure:
    """This is a trial that raised an error, or whose process died.

    Attributes:
        trial: identity of the trial.
        title: what the trial is, in words.
        message: one line.
        details: traceback, or empty.
    """

    trial: str
    title: str
    message: str
    details: str
