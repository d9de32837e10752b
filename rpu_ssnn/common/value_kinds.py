"""Kinds of values as YAML 1.2 tells them apart: flags, numbers, text; and text of one line."""

import typing
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic.fields import FieldInfo

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.wording import first_unprintable
from rpu_ssnn.common.written_numbers import instead_of, unit_of


def of_one_line(text: str) -> str:
    """The text.

    Raises:
        ValueError: it has line ends, control characters, or spaces at its ends.
    """
    if first_unprintable(text) is not None or set(text) & set("\n\t\x85\u2028\u2029"):
        raise ValueError("must be one line of text without control characters")
    if text != text.strip():
        raise ValueError("must be text without spaces at its ends")
    return text


def refuse_other_kinds(fields: Mapping[str, FieldInfo], content: object) -> None:
    """Looks at a raw mapping before pydantic, which takes "0.1" for a number and `true` for 1.

    Raises:
        InputError: a flag, number or text in the place of another kind of value.
    """
    for name, value in content.items() if isinstance(content, dict) else ():
        known = fields.get(name)
        if known is None or not isinstance(value, bool | int | float | str | list | tuple):
            continue
        kinds = kinds_of(typing.cast(Any, known.annotation))
        items = enumerate(value) if isinstance(value, list | tuple) else [("", value)]
        for place, item in items:
            own = kinds if place == "" else frozenset(k for k in kinds if not isinstance(k, str))
            if (allowed := _of_another_kind(name, item, own)) is not None:
                field = f"{name}.{place}" if place != "" else name
                raise InputError("spec", field, item, allowed)


def _of_another_kind(name: str, value: object, kinds: frozenset[Any]) -> str | None:
    """What the value of a field must be, as a phrase; None where pydantic is to judge it."""
    if Any in kinds or not kinds & {bool, int, float}:
        return None
    if isinstance(value, bool):
        return None if bool in kinds else f"must be a {_number(kinds)}, not true or false"
    if isinstance(value, int | float):
        return None if kinds & {int, float} else "must be true or false"
    takes_text = kinds & {str, Path} or any(isinstance(kind, str) for kind in kinds)
    if not isinstance(value, str) or takes_text:
        return None
    if not kinds & {int, float}:
        return "must be true or false"
    unit = unit_of(name)
    in_unit = f" in {unit}" if unit else ""
    return f"must be a {_number(kinds)}{in_unit}, not text{instead_of(value, unit)}"


def _number(kinds: frozenset[Any]) -> str:
    return "number" if float in kinds else "whole number"


@cache
def kinds_of(annotation: Any) -> frozenset[Any]:
    """The plain types and texts that an annotation is made of."""
    if isinstance(annotation, typing.TypeAliasType):
        return kinds_of(annotation.__value__)
    arguments = typing.get_args(annotation)
    if not arguments:
        return frozenset({annotation})
    if typing.get_origin(annotation) is Annotated:
        arguments = arguments[:1]
    return frozenset(kind for argument in arguments for kind in kinds_of(argument))
