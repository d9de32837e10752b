"""Kinds of values that YAML 1.2 distinguishes (flags, numbers, text), and text of one line."""

import typing
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic.fields import FieldInfo

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.wording import first_unprintable


def checked_line(text: str) -> str:
    """Returns the text itself, if it is one line.

    Raises:
        ValueError: it has line ends, control characters, or spaces at its ends.
    """
    if first_unprintable(text) is not None or set(text) & set("\n\t\x85\u2028\u2029"):
        raise ValueError("must be one line of text without control characters")
    if text != text.strip():
        raise ValueError("must be text without spaces at its ends")
    return text


def refuse_other_kinds(fields: Mapping[str, FieldInfo], content: object) -> None:
    """Checks a raw mapping before pydantic, which would take "0.1" for a number and `true` for 1.

    Raises:
        InputError: a flag, number or text stands in the place of another kind of value.
    """
    for name, value in content.items() if isinstance(content, dict) else ():
        if name not in fields:
            continue
        kinds = kinds_of(typing.cast(Any, fields[name].annotation))
        if isinstance(value, list | tuple):  # an allowed text stands for the whole list
            items = {f"{name}.{place}": item for place, item in enumerate(value)}
            kinds -= {list, tuple, type(None)}
            kinds = frozenset(kind for kind in kinds if not isinstance(kind, str))
        else:
            items = {name: value}
        for field, item in items.items():
            if (needed := _other_kind(item, kinds)) is not None:
                raise InputError("spec", field, item, f"must be {needed}")


def _other_kind(value: object, kinds: frozenset[Any]) -> str | None:
    """Returns what the value must be, in words, or None where pydantic is to judge it."""
    if Any in kinds or not kinds & {bool, int, float}:
        return None
    numbers = "a number" if float in kinds else "a whole number" if int in kinds else ""
    numbers += " or a list" if kinds & {list, tuple} else ""
    numbers += " or null" if numbers and type(None) in kinds else ""
    if isinstance(value, bool):
        return None if bool in kinds else f"{numbers}, not true or false"
    if isinstance(value, int | float):
        return None if numbers else "true or false"
    # Text that a section replaces, such as a layer, is explained where the section is declared.
    others = any(isinstance(kind, str) or hasattr(kind, "model_fields") for kind in kinds)
    if not isinstance(value, str) or kinds & {str, Path} or others:
        return None
    return f"{numbers}, not text" if numbers else "true or false"


@cache
def kinds_of(annotation: Any) -> frozenset[Any]:
    """Returns the plain types and texts that an annotation is made of, and whether it is a list."""
    if isinstance(annotation, typing.TypeAliasType):
        return kinds_of(annotation.__value__)
    arguments = typing.get_args(annotation)
    if not arguments:
        return frozenset({annotation})
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        arguments = arguments[:1]
    own = frozenset({origin} & {list, tuple})
    return own.union(*(kinds_of(argument) for argument in arguments))
