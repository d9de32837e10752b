"""Checks the rows of finished runs, so that every reader can rely on their types."""

import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model, model_validator

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.validation import validated
from rpu_ssnn.common.value_kinds import refuse_other_kinds
from rpu_ssnn.common.wording import first_unprintable
from studies.declaration.trial import SWEEP_PREFIX, Row, Scalar
from studies.results.result_columns import RESULT_COLUMNS

_COUNTED = re.compile(r"_(total|per_device)(_\d+)?$|_\d+$")
"""Matches columns of numbers about a network, one per crossbar or over all crossbars."""

_NEVER_NEGATIVE = re.compile(r"_total(_\d+)?$|^pulses_|^seconds$|_fraction$|_memory_mb$|_time_s$")
_SHARES = ("saturated_fraction", "spikes_after_T")

_COUNTS = ("images", "slots", "epochs", "presentations", "threads")
"""Columns with these units hold whole numbers."""

_MOST_DIGITS = 19
"""A number with fewer digits than this is read as a whole number."""

ACCURACY = "must be an accuracy in %, 0 to 100"


def _accuracy(value: float | None) -> float | None:
    if value is not None and not 0 <= value <= 100:
        raise ValueError(ACCURACY)
    return value


Accuracy = Annotated[float | None, AfterValidator(_accuracy)]
Number = float | None
Whole = Annotated[int, Field(ge=0)] | None
Text = str | None
_AnyFloat = Annotated[float, Field(allow_inf_nan=True)]


class _Checked(BaseModel):
    """Checks a row, whose known columns have types and whose other columns are plain values."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)
    __pydantic_extra__: dict[str, str | bool | int | _AnyFloat | None] = Field(init=False)

    @model_validator(mode="before")
    @classmethod
    def _kinds_are_told_apart(cls, content: object) -> object:
        refuse_other_kinds(cls.model_fields, content)
        return content

    @model_validator(mode="after")
    def _statistics_are_numbers_and_text_is_printable(self) -> Self:
        others = self.__pydantic_extra__ or {}
        for name, value in {**vars(self), **others}.items():
            if isinstance(value, str) and first_unprintable(value) is not None:
                raise InputError("row", name, value, "must be text without control characters")
            number = isinstance(value, int | float)
            if number and value < 0 and _NEVER_NEGATIVE.search(name):
                raise InputError("row", name, value, "must be 0 or above")
            if number and value > 1 and name in _SHARES:
                raise InputError("row", name, value, "must be a share, 0 to 1")
        for name, value in others.items():
            if isinstance(value, str | bool) and _COUNTED.search(name):
                raise InputError("row", name, value, "must be a number")
            # A study may sweep a value to infinity, such as the time constant of a leak.
            swept = name.startswith(SWEEP_PREFIX) and value == math.inf
            if isinstance(value, float) and not (math.isfinite(value) or swept):
                raise InputError("row", name, value, "must be a finite number")
        return self


class _TypedRow(_Checked):
    """Gives the types of columns that do not follow from their unit in `RESULT_COLUMNS`."""

    test_accuracy: Accuracy = None
    validation_accuracy: Accuracy = None
    numerics_version: int
    torch_version: Annotated[str, Field(min_length=1)]
    aihwkit_version: Annotated[str, Field(min_length=1)]
    seed: Whole = None
    resumed: Whole = None
    replayable: bool | None = None
    bin: Scalar = None
    settings: Text = None

    @model_validator(mode="after")
    def _has_an_accuracy(self) -> Self:
        # A run of a search does not read the test set and has no settings in its row.
        tested = '"measure":"test"' in (self.settings or "")
        if self.test_accuracy is None and (tested or self.validation_accuracy is None):
            raise InputError("row", "test_accuracy", None, ACCURACY)
        return self


_by_unit: dict[str, Any] = {
    column.name: (Whole if column.unit in _COUNTS else Number if column.unit else Text, None)
    for column in RESULT_COLUMNS
    if not (column.numbered or _COUNTED.search(column.name))
    and column.name not in _TypedRow.model_fields
}
_CheckedRow = create_model("_CheckedRow", __base__=_TypedRow, **_by_unit)


class CheckedEpoch(_Checked):
    """Checks one row of a learning curve."""

    epoch: Whole = None
    train_accuracy: Accuracy = None
    validation_accuracy: Accuracy = None


_TEXT_COLUMNS = {
    name
    for name, field in _CheckedRow.model_fields.items()
    if field.annotation in (str, str | None)
}
_TEXT_ENDINGS = ("_version", "_because")
_EMPTY = ("", "nan", "NaN", "NA", "None", "null")


def value_of_cell(name: str, cell: str) -> Scalar:
    """Returns the value of a CSV cell, whose type depends only on the cell and its column."""
    is_text = name in _TEXT_COLUMNS or name.endswith(_TEXT_ENDINGS)
    if is_text and name != "numerics_version":
        return cell or None
    if cell in _EMPTY:
        return None
    if cell in ("True", "False"):
        return cell == "True"
    try:
        # Python alone would also read digits of other scripts, and underscores between digits.
        number = float(cell if cell.isascii() and "_" not in cell else "")
    except ValueError:
        return cell
    is_whole = cell.removeprefix("-").isdecimal() and len(cell) < _MOST_DIGITS
    return int(cell) if is_whole else number


def checked_row(
    where: object, prefix: str, row: Mapping[str, Any], model: type[_Checked] = _CheckedRow
) -> Row:
    """Checks the row of a finished run and returns it with typed values.

    Args:
        where: the file, for the error.
        prefix: key or line of the row in that file, for the error.
        model: `CheckedEpoch` for a row of a learning curve.

    Raises:
        InputError: a column is missing, of another type or out of range.
    """
    known = validated(model, dict(row), prefix, where)
    content = {**vars(known), **(known.__pydantic_extra__ or {})}
    return {name: content[name] for name in row}  # in the order of the file
