"""A user-defined data set, as validated, frozen data: its files, split and scale."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rpu_ssnn.common.errors import require
from rpu_ssnn.spec import Positive, Range, Spec, list_of

TestShare = Annotated[float, Field(gt=0.0, le=0.9)]
Side = Annotated[int, Field(ge=1, le=1_000_000)]
_Sides = list_of("rows above 0", "columns above 0", "channels above 0")
Bounds = tuple[float, float]
Time = Literal["kept", "shuffled"]
"""The order of the slots of recorded spikes. `shuffled` is the control without timing: the counts
of each line are kept, and spikes of one slot stay together."""


class SpikeSpec(Spec):
    """How the spikes of a file become slots: a spike falls into slot floor(time / bin)."""

    bin: Positive = 1.0
    """The length of a slot in the file's unit of time; the rows of a tensor are slots."""

    lines: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """The number of input lines; null means the largest line of the training file, plus one."""


class OwnDataReading(Spec):
    """Settings for reading a file of the user.

    One file with `x_train, y_train, x_test, y_test`, or a file and a `test_file`, keep their split.
    A file with rows only is split, in the same way for every study and seed.
    """

    test_file: Path | None = None
    """The file of the test rows, if they have their own file."""

    label: str = "label"
    """The column that holds the class, in CSV, Parquet and Excel files."""

    test_share: TestShare | None = None
    """The (stratified) share of the rows to test on, where the file has no split."""

    split_seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """The seed that draws this split."""

    range: Range[float] | Literal["training", "each"] = "training"
    """The values that stand for no and for full rate. With [low, high] no value may lie outside;
    with `training` they are the lowest and highest value of the training rows, and with `each` the
    same for every column separately. In the last two cases, held-out rows are clipped."""

    shape: Annotated[tuple[Side, Side, Side], _Sides] | None = None
    """Rows, columns and channels of an image whose values are in one row (row by row, column by
    column, channel last), as convolutions need them; null means the shape in the file."""

    spikes: SpikeSpec | None = None
    """How the file's spikes become slots; null where the file holds values."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        rising = not isinstance(self.range, tuple) or self.range[0] < self.range[1]
        require(rising, "dataset", "range", self.range, "must be [low, high] with low below high")
        allowed = "must be left out with spikes, since it is for files of values"
        fits = self.spikes is None or self.range == "training"
        require(fits, "dataset", "range", self.range, allowed)
        fits = self.spikes is None or self.shape is None
        require(fits, "dataset", "shape", self.shape, allowed)
        allowed = "must be left out with test_file, which holds the test rows"
        fits = self.test_file is None or self.test_share is None
        require(fits, "dataset", "test_share", self.test_share, allowed)
        return self


class OwnData(OwnDataReading):
    """A user-defined data set: where it is and how it is read."""

    file: Path
    """A file that ends in .npz, .csv, .parquet, .xlsx or .h5, or a folder with four idx files; a
    relative path starts at the folder of the study's file."""
