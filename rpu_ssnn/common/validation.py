"""Turns a validation error of pydantic into one line: file, dotted key, value, and what is
allowed."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from rpu_ssnn.common.errors import Fault, InputError, meant, nearest, one_of
from rpu_ssnn.common.value_kinds import kinds_of
from rpu_ssnn.common.wording import listed

_COUNTED = {"cases": "case", "together": "together"}
"""The keys of a study whose entries errors count from one, with the word for an entry."""

TAG_MARK = "<"
"""Starts the tag of a union's member in the location of an error; users do not write it."""

_MEMBER = re.compile(r"[\w-]+\[.*\]|\[key\]|(constrained-)?(bool|int|float|str)|none|path")
"""pydantic's names of the members of a union, in the location of an error; users do not write
them."""

_MAPPING, _LIST = "must be a mapping, `key: value`", "must be a list"
_TEXT = "must be text (in quotes if YAML would read something else)"
_NUMBER, _WHOLE, _FLAG = "must be a number", "must be a whole number", "must be true or false"
_PHRASES = {
    **dict.fromkeys(("bool_parsing", "bool_type"), _FLAG),
    **dict.fromkeys(("dict_type", "mapping_type", "model_attributes_type", "model_type"), _MAPPING),
    **dict.fromkeys(("float_parsing", "float_type"), _NUMBER),
    **dict.fromkeys(("int_from_float", "int_parsing", "int_type"), _WHOLE),
    **dict.fromkeys(("list_type", "tuple_type"), _LIST),
    "finite_number": "must be a finite number",
    "int_parsing_size": "must be a smaller number",
    "missing": "must be given",
    "path_type": "must be the path of a file",
    "string_pattern_mismatch": "must begin with a letter or digit, and contain only these, _ and -",
    "string_type": _TEXT,
}
"""The phrases for what is allowed, where pydantic's own sentence would name a Python type."""

WHOLE = "content"
"""The field of an error that concerns settings as a whole."""

UNKNOWN_KEY = Fault("unknown key")
"""The refusal of a key that a section does not have begins with these words."""


def validated[M: BaseModel](
    model: type[M], content: object, key: str, where: object = "study"
) -> M:
    """Returns the content of a section of a file as its model.

    Args:
        model: the model that checks the section.
        content: what was read.
        key: the dotted key of the section; empty for the whole file.
        where: the file or object that holds the content.

    Raises:
        InputError: the content is not valid.
    """
    with explained(model, key, where):
        return model.model_validate(content)


@contextmanager
def explained(model: type[BaseModel], key: str = "", where: object = "study") -> Iterator[None]:
    """Turns a validation error of a model, raised in its block, into the project's error.

    Args:
        model, key, where: as in `validated`.

    Raises:
        InputError: in place of pydantic's ``ValidationError``.
    """
    try:
        yield
    except ValidationError as error:
        raise _as_input_error(error, model, key, where) from error


def _as_input_error(
    error: ValidationError, model: type[BaseModel], prefix: str, where: object
) -> InputError:
    """Returns the first fault, with unknown keys before all others, and where the others are."""
    place, faults, others = _first_faults(error)
    more = f" (also wrong: {listed(others, 3)})" if others else ""
    fault = faults[0]
    path = [key for key in (prefix, *_keys(place)) if key]
    inner = fault.get("ctx", {}).get("error")
    if isinstance(inner, InputError):
        path += [inner.field] if inner.field not in ("", WHOLE) else []
        allowed = inner.allowed
        if inner.value == UNKNOWN_KEY and allowed.startswith("must"):  # no other name is near
            allowed = meant([*paths_of(model, inner.field.rpartition(".")[2])]) + allowed
        return InputError(where, ".".join(path), inner.value, allowed + more)
    value: object = fault["input"]
    if fault["type"] == "extra_forbidden":
        *parent, key = place
        value = UNKNOWN_KEY
        allowed = one_of(_valid_keys(model, parent), key, "", list(paths_of(model, key)))
    else:
        value = None if fault["type"] == "missing" else value
        # Each member of a union may say what it accepts; choices come before types.
        phrases = sorted(
            dict.fromkeys(map(_allowed, faults)), key=lambda phrase: phrase.startswith("must ")
        )
        allowed = " or ".join(
            phrase.removeprefix("must be ") if k else phrase for k, phrase in enumerate(phrases)
        )
    return InputError(where, ".".join(path) or WHOLE, value, allowed + more)


def _first_faults(
    error: ValidationError,
) -> tuple[tuple[int | str, ...], list[dict[str, Any]], list[str]]:
    """Returns the place to report, the faults found there, and the keys of the other places.

    A misspelt key is both unknown and missing, and only the first says what to correct. All members
    of a union complain; the one with the deepest complaint was meant.
    """
    by_place: dict[tuple[int | str, ...], list[dict[str, Any]]] = {}
    for found in error.errors(include_url=False):
        at = found["loc"]
        known = len(at) - (found["type"] == "extra_forbidden")  # a user may call a key `path`
        place = (*(key for key in at[:known] if not _MEMBER.fullmatch(str(key))), *at[known:])
        by_place.setdefault(place, []).append(dict(found))
    above = {place[:k] for place in by_place for k in range(len(place))}
    places = [place for place in by_place if place not in above]
    first = min(places, key=lambda place: not _of_a_key(by_place[place][0]))
    unknown = _of_a_key(by_place[first][0])  # and what is missing may be meant by it
    left = [at for at in places if not unknown or by_place[at][0]["type"] != "missing"]
    others = [".".join(_keys(at)) or WHOLE for at in left if at != first]
    return first, by_place[first], others


def _of_a_key(fault: dict[str, Any]) -> bool:
    """Returns whether a key is wrong, rather than its value."""
    inner = fault.get("ctx", {}).get("error")
    found_by_us = isinstance(inner, InputError) and str(inner.value).startswith(UNKNOWN_KEY)
    return found_by_us or fault["type"] == "extra_forbidden"


def _allowed(fault: dict[str, Any]) -> str:
    """Returns what would have been right, as a phrase that begins with a verb."""
    kind = fault["type"]
    if kind in _PHRASES:
        return _PHRASES[kind]
    if kind == "value_error":
        return str(fault["ctx"]["error"])
    sentence = re.sub(r" after validation, not \d+$", "", str(fault["msg"]))
    phrase = re.sub(r"^(Input|Value|String|Tuple|List|Dictionary|Set) should ", "must ", sentence)
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", str(fault["ctx"]["expected"]))
        return meant(nearest(choices, fault["input"])) + phrase
    return phrase


def _keys(place: Sequence[int | str]) -> list[str]:
    """Returns the keys of a place; cases and what varies together are counted from one, as a
    reader counts them."""
    keys = [str(part) for part in place if not str(part).startswith(TAG_MARK)]
    if len(keys) > 1 and keys[0] in _COUNTED:
        keys[:2] = [f"{_COUNTED[keys[0]]} {int(keys[1]) + 1}"]
    return keys


def paths_of(model: type[BaseModel], key: object, start: str = "") -> Iterator[str]:
    """Yields the dotted paths at which sections of a model have a key; sections in lists have no
    path, and a model may itself say `also_at` which paths of its mappings have a key.

    Args:
        start: the path of the model itself, with a dot at its end.
    """
    yield from (start + path for path in getattr(model, "also_at", lambda _: ())(key))
    for name, field in model.model_fields.items():
        kinds = kinds_of(cast(Any, field.annotation))
        for kind in () if tuple in kinds else kinds:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                if key in kind.model_fields:
                    yield f"{start}{name}.{key}"
                yield from paths_of(kind, key, f"{start}{name}.")


def _valid_keys(model: type[BaseModel], place: Sequence[int | str]) -> list[str]:
    """Returns the keys of the section at a place within a model."""
    models = [model]
    for part in place:
        if below := [cls.model_fields[part] for cls in models if part in cls.model_fields]:
            kinds = (cls for field in below for cls in kinds_of(cast(Any, field.annotation)))
            models = [cls for cls in kinds if isinstance(cls, type) and issubclass(cls, BaseModel)]
    keys = [field.alias or name for cls in models for name, field in cls.model_fields.items()]
    return list(dict.fromkeys(keys))
