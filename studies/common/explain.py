"""One line for a validation error: dotted key, value, what is allowed, and what was meant."""

import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel, ValidationError

from rpu_ssnn.common.errors import Fault, InputError, nearest, one_of

TAG_MARK = "<"
"""Starts the tag of a union member in an error's location; a tag is no key a user wrote."""

A_SLIP = 0.85
"""Likeness (of 1) of a key to one of its section, from which another section is not named."""

MOST_HOMES = 3
"""Sections named for a misplaced key; of more, the update rules are left out."""


def validated[M: BaseModel](
    model: type[M], content: object, key: str, where: object = "study"
) -> M:
    """A section of a study, or of another file, as its model.

    Args:
        key: dotted, of the section.
        where: the file or object that the content is of.

    Raises:
        InputError: it is not valid.
    """
    with explained(model, key, where):
        return model.model_validate(content)


@contextmanager
def explained(model: type[BaseModel], key: str = "", where: object = "study") -> Iterator[None]:
    """Raises a validation error of a model within it as the project's error.

    Args:
        key, where: as of `validated`.

    Raises:
        InputError: in place of pydantic's ``ValidationError``.
    """
    try:
        yield
    except ValidationError as error:
        raise _fault(error, where, model, key) from error


def _fault(
    error: ValidationError, where: object, model: type[BaseModel], prefix: str
) -> InputError:
    """The first fault, unknown keys before all others."""
    from rpu_ssnn.common.validation_phrases import first_fault  # its package brings pandas

    first, others = first_fault(error)
    more = f" (and {others} more)" if others else ""
    inner = first.get("ctx", {}).get("error")
    if isinstance(inner, InputError):
        field = _dotted(prefix, *_keys(first["loc"]), inner.field)
        return InputError(where, field, inner.value, inner.allowed + more)
    field = _dotted(prefix, *_keys(first["loc"])) or "content"
    value, allowed = _value_and_allowed(first, model)
    return InputError(where, field, value, allowed + more)


def _value_and_allowed(detail: Mapping[str, Any], model: type[BaseModel]) -> tuple[object, str]:
    kind, value = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        *parent, key = detail["loc"]
        valid = _valid_keys(model, parent)
        home = "" if nearest(valid, key, A_SLIP) else _home(model, parent, str(key))
        return key, home + one_of(valid) if home else f"unknown key; {one_of(valid, key)}"
    if kind == "missing":
        return Fault("missing"), "must be given"
    if kind == "value_error":
        return value, str(detail["ctx"]["error"])
    return value, str(detail["allowed"])


def _keys(location: Sequence[int | str]) -> list[str]:
    """The keys of a location; cases are counted from one, as a reader counts them."""
    # pydantic puts "[key]" behind a key that is not valid itself.
    keys = [str(part) for part in location if not str(part).startswith((TAG_MARK, "[key]"))]
    if keys[:1] == ["cases"] and len(keys) > 1:
        keys[:2] = [f"case {int(keys[1]) + 1}"]
    return keys


def _dotted(*parts: str) -> str:
    return ".".join(part for part in parts if part)


def _valid_keys(model: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    """The keys of the model at ``location`` below ``model``."""
    at: list[Any] = [model]
    for part in location:
        if str(part).startswith(TAG_MARK):
            at = [found for found in at if _tag(found) == part]
        elif isinstance(part, str):
            fields = [f for m in _models(at) if (f := m.model_fields.get(part)) is not None]
            at = [member for field in fields for member in _members(field.annotation)]
    keys = [
        field.alias or name for found in _models(at) for name, field in found.model_fields.items()
    ]
    return list(dict.fromkeys(keys))


def _home(model: type[BaseModel], location: Sequence[int | str], key: str) -> str:
    """Where a key belongs that stands in a section without it; "" where no section has it."""
    here = tuple(part for part in location if isinstance(part, str))
    places = [(path, words) for path, words, keys in _sections(model) if key in keys]
    nearest = [words for path, words in places if path[: len(here)] == here]
    named = dict.fromkeys(nearest or [words for _, words in places])
    if len(named) > MOST_HOMES:
        named = dict.fromkeys(re.sub(r"`update: \w+`", "`update`", words) for words in named)
    return f"belongs in {' or '.join(named)}; here it " if named else ""


def _sections(
    model: type[BaseModel], path: tuple[str, ...] = (), words: str = "the top level"
) -> Iterator[tuple[tuple[str, ...], str, set[str]]]:
    """Every section from a model down: location, name in words, keys."""
    yield path, words, {field.alias or name for name, field in model.model_fields.items()}
    for name, field in model.model_fields.items():
        for member in _members(field.annotation):
            for inner in _models([member]):
                below, tag = (*path, field.alias or name), _tag(member)
                if tag is not None:
                    rule = f"update: {tag.strip(f'{TAG_MARK}>')}"
                    case = f"a case with `{'device' if 'device' in inner.model_fields else rule}`"
                    yield from _sections(inner, (*below, tag), case)
                elif words.startswith("a case"):
                    yield from _sections(inner, below, f"`{below[-1]}` of {words}")
                else:
                    yield from _sections(inner, below, f"`{'.'.join(below)}`")


def _models(annotations: list[Any]) -> list[type[BaseModel]]:
    """The models among type annotations, metadata taken off."""
    bare = [typing.get_args(a)[0] if _is_annotated(a) else a for a in annotations]
    return [a for a in bare if isinstance(a, type) and issubclass(a, BaseModel)]


def _members(annotation: Any) -> list[Any]:
    """The alternatives an annotation names: through unions and containers."""
    if _is_annotated(annotation):
        inner = typing.get_args(annotation)[0]
        is_container = typing.get_origin(inner) in (types.UnionType, typing.Union, tuple, list)
        return _members(inner) if is_container else [annotation]
    if isinstance(annotation, typing.TypeAliasType):
        return _members(annotation.__value__)
    arguments = typing.get_args(annotation)
    if not arguments:
        return [annotation]
    return [member for argument in arguments for member in _members(argument)]


def _is_annotated(annotation: Any) -> bool:
    return typing.get_origin(annotation) is typing.Annotated


def _tag(annotation: Any) -> str | None:
    metadata = typing.get_args(annotation)[1:] if _is_annotated(annotation) else ()
    return next((str(m.tag) for m in metadata if hasattr(m, "tag")), None)
