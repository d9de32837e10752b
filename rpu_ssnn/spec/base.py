"""The base of all settings: validated, frozen data, and numbers that fit into single precision."""

import struct
from collections.abc import Mapping
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from rpu_ssnn.common.validation import explained
from rpu_ssnn.common.value_kinds import checked_line, refuse_other_kinds

SMALLEST_NORMAL = 2.0**-126
"""The smallest normal number in single precision; smaller ones lose digits, or are zero."""


def single(value: float) -> float:
    """Returns the value in single precision, as simulation and tiles use it.

    Raises:
        OverflowError: the value is too large for single precision.
    """
    return float(struct.unpack("f", struct.pack("f", value))[0])


def _usable_in_single(value: float) -> float:
    """Refuses values that are infinite, zero or imprecise in single precision."""
    try:
        seen = single(value)
    except OverflowError:
        raise ValueError("must be a number that single precision holds, below 3.4e38") from None
    if (seen != 0.0 and abs(seen) < SMALLEST_NORMAL) or (seen == 0.0) != (value == 0.0):
        raise ValueError("must be 0, or a number that single precision holds, above 1.2e-38")
    return value


def _below_one_in_single(value: float) -> float:
    if single(value) >= 1.0:
        raise ValueError("must be less than 1 in single precision")
    return value


def list_of(*names: str) -> BeforeValidator:
    """Returns the check that a value is a list of as many values as there are names."""

    def checked(values: object) -> object:
        if not isinstance(values, list | tuple) or len(values) != len(names):
            raise ValueError(f"must be a list: [{', '.join(names)}]")
        return values

    return BeforeValidator(checked)


_T = TypeVar("_T")
Range = Annotated[tuple[_T, _T], list_of("lowest", "highest")]
"""The lowest and the highest value of a quantity."""

OneLine = AfterValidator(checked_line)
"""Names in tables, figures and file names are one line of text."""

InSingle = AfterValidator(_usable_in_single)
"""Numbers that the compiled pass or a tile takes fit into single precision."""

Share = Annotated[float, Field(ge=0.0, lt=1.0), InSingle, AfterValidator(_below_one_in_single)]
Positive = Annotated[float, Field(gt=0.0), InSingle]


class Spec(BaseModel):
    """Holds frozen settings; unknown keys are errors, and so are values of another kind.

    As in YAML 1.2, `true` is not a number, `1` is not a flag, and anything in quotes is text.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )

    def __init__(self, **settings: Any) -> None:
        """Takes the settings by name.

        Raises:
            InputError: a setting is not valid, explained in one line.
        """
        with explained(type(self), where=type(self).__name__):
            super().__init__(**settings)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Returns the settings with new values, which are checked as in the constructor.

        Raises:
            InputError: a setting is not valid, explained in one line.
        """
        copied = super().model_copy(update=update, deep=deep)
        return type(self)(**{name: vars(copied)[name] for name in copied.model_fields_set})

    @model_validator(mode="before")
    @classmethod
    def _kinds_are_those_of_yaml(cls, content: Any) -> Any:
        refuse_other_kinds(cls.model_fields, content)
        return content
