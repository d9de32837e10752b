"""The base of all settings: validated, frozen data, and numbers that single precision holds."""

import struct
import typing
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from rpu_ssnn.common.errors import InputError

SMALLEST_NORMAL = 2.0**-126
"""Smallest normal number in single precision; smaller ones lose digits, or are zero."""


def single(value: float) -> float:
    """The value in single precision, as simulation and tiles use it.

    Raises:
        OverflowError: too large for single precision.
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


InSingle = AfterValidator(_usable_in_single)
"""Of a number that the compiled pass or a tile takes."""

Share = Annotated[float, Field(ge=0.0, lt=1.0), InSingle, AfterValidator(_below_one_in_single)]
Positive = Annotated[float, Field(gt=0.0), InSingle]
NotNegative = Annotated[float, Field(ge=0.0), InSingle]


class Spec(BaseModel):
    """Frozen; unknown keys are errors, and so is `true` where a number belongs."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _flags_are_no_numbers(cls, content: Any) -> Any:
        """Python, and so pydantic, takes `true` for 1."""
        fields = cls.model_fields
        for name, value in content.items() if isinstance(content, dict) else ():
            flags = _places_of_flags(value) if name in fields else []
            kinds = _kinds(fields[name].annotation) if flags else set()
            if kinds & {int, float} and not kinds & {bool, Any}:
                place, flag = flags[0]
                kind = "number" if float in kinds else "whole number"
                field = f"{name}.{place}" if place else name
                raise InputError("spec", field, flag, f"must be a {kind}, not true or false")
        return content


def _places_of_flags(value: object) -> list[tuple[str, bool]]:
    """The flags of a field: the value itself, or items of a list (by their place)."""
    if isinstance(value, bool):
        return [("", value)]
    items = value if isinstance(value, list | tuple) else ()
    return [(str(place), item) for place, item in enumerate(items) if isinstance(item, bool)]


def _kinds(annotation: Any) -> set[Any]:
    """The plain types that an annotation is made of."""
    if isinstance(annotation, typing.TypeAliasType):
        return _kinds(annotation.__value__)
    arguments = typing.get_args(annotation)
    if not arguments:
        return {annotation}
    if typing.get_origin(annotation) is Annotated:
        arguments = arguments[:1]
    return {kind for argument in arguments for kind in _kinds(argument)}
