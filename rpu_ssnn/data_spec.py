"""A data set of the user's own, as validated, frozen data: its files, split and scale."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.spec import Positive, Spec

TestShare = Annotated[float, Field(gt=0.0, le=0.9)]
Bounds = tuple[float, float]
Time = Literal["kept", "shuffled"]
"""Order of the slots of recorded spikes. `shuffled` is the control without timing: the counts of
each line are kept, and spikes of one slot stay together."""


class SpikeSpec(Spec):
    """Conversion of the spikes of a file to slots: slot = floor(time / bin)."""

    bin: Positive = 1.0
    """Length of a slot in the file's unit of time; a tensor's rows are slots."""

    lines: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Input lines; None: the largest line of the training file, plus one."""


class OwnDataReading(Spec):
    """Settings for reading a file of the user.

    One file with `x_train, y_train, x_test, y_test` or a file and a `test_file` keep their split;
    a file of rows alone is split: the same for every study and seed.
    """

    test_file: Path | None = None
    """The test rows, where they have their own."""

    label: str = "label"
    """Column of CSV and Parquet files that holds the class."""

    test_share: TestShare | None = None
    """Part of the rows to test on (stratified), where the file has no split."""

    split_seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Draws that split."""

    range: Bounds | Literal["training", "each"] = "training"
    """[low, high]: the values that stand for no and for full rate, none may lie outside; training:
    lowest and highest of the training rows; each: the same for every column by itself. Rows
    held out are clipped to the last two."""

    spikes: SpikeSpec | None = None
    """The file holds spikes, not values."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if isinstance(self.range, tuple) and not self.range[0] < self.range[1]:
            allowed = "must be [low, high] with low below high"
            raise InputError("dataset", "range", list(self.range), allowed)
        if self.spikes is not None and self.range != "training":
            allowed = "is of values: leave it out where the file holds spikes"
            raise InputError("dataset", "range", self.range, allowed)
        if self.test_file is not None and self.test_share is not None:
            allowed = "splits one file: leave it out beside test_file"
            raise InputError("dataset", "test_share", self.test_share, allowed)
        return self


class OwnData(OwnDataReading):
    """A data set of the user's own: where it lies and how it is read."""

    file: Path
    """.npz, .csv, .parquet, .h5, or a folder with four idx files; relative to the study's file."""
