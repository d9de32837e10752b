"""A validation error of pydantic in a user's words: no class, no Python type, no jargon."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from rpu_ssnn.common.errors import InputError, meant, nearest, one_of

_MAPPING = "must be a mapping, `key: value`"
_TEXT = "must be text (in quotes, where YAML would read something else)"
_WHOLE = "must be a whole number"
_LIST = "must be a list"

_BY_KIND = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "dict_type": _MAPPING,
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "int_from_float": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": "must be a whole number of fewer digits",
    "int_type": _WHOLE,
    "invalid_key": "must have text as keys",
    "list_type": _LIST,
    "mapping_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "model_type": _MAPPING,
    "path_type": "must be the path of a file",
    "string_type": _TEXT,
    "tuple_type": _LIST,
}
"""What is allowed where pydantic's own sentence names a type of Python's."""


_KEY = "[key]"
"""What pydantic puts behind a key that is not valid itself."""

_TEXT_AS_KEY = (
    "must be text as a key; decimals need a point (0.5, not 0,5), as a comma begins a new key"
)

_MEMBER = re.compile(
    r"(function-\w+|tuple|list|dict|set|literal|constrained-\w+|nullable|model|lax-or-strict|"
    r"json-or-python|is-instance)\[.*\]|bool|int|float|str|none|path"
)
"""What pydantic calls a member of a union, in the place of a fault; no user wrote it."""


def first_fault(error: ValidationError) -> tuple[dict[str, Any], int]:
    """The fault to report, wrong keys before all others, and how many others there are.

    A misspelt key is both unknown and missing; only the first says what to correct. A value that no
    member of a union takes is one fault: that of the member which takes most of it.

    Returns:
        One of ``errors()``, with ``allowed`` (a phrase that begins with a verb) and a ``loc``
        without members of unions.
    """
    everything = error.errors(include_url=False)
    below: dict[tuple[int | str, ...], set[str]] = {}  # what follows a location, in any fault
    for found in everything:
        for k, part in enumerate(found["loc"]):
            below.setdefault(found["loc"][:k], set()).add(str(part))
    unions = {
        loc for loc, parts in below.items() if len(parts) > 1 and all(map(_MEMBER.fullmatch, parts))
    }
    faults: dict[tuple[int | str, ...], list[dict[str, Any]]] = {}
    for found in everything:
        loc = found["loc"]
        if found["type"] == "too_short" and loc in below:
            continue  # its bad items were not counted
        cut = next((k for k in range(len(loc)) if loc[:k] in unions), len(loc))
        inside = loc[cut + 1 :]
        detail = {**found, "loc": (*loc[:cut], *inside), "depth": len(inside)}
        faults.setdefault(loc[:cut], []).append(detail)
    ordered = sorted(faults.values(), key=lambda alike: not _is_of_a_key(alike[0]))
    deepest = max(detail["depth"] for detail in ordered[0])
    nearest = [detail for detail in ordered[0] if detail["depth"] == deepest]
    distinct = dict.fromkeys(map(allowed_by, nearest))
    phrases = sorted(
        distinct, key=lambda phrase: phrase.startswith("must ")
    )  # what was meant first
    joined = " or ".join(
        phrase.removeprefix("must be ") if k else phrase for k, phrase in enumerate(phrases)
    )
    first = nearest[0]
    if _is_number_as_key(first):
        first["loc"] = first["loc"][: -2 if first["loc"][-1] == _KEY else -1]
    return first | {"allowed": joined}, len(ordered) - 1


def _is_of_a_key(detail: Mapping[str, Any]) -> bool:
    return detail["type"] == "extra_forbidden" or _is_number_as_key(detail)


def _is_number_as_key(detail: Mapping[str, Any]) -> bool:
    of_a_key = detail["type"] == "invalid_key" or detail["loc"][-1:] == (_KEY,)
    return of_a_key and isinstance(detail["input"], int | float)


def in_one_line(error: ValidationError, where: object, names: Iterable[str]) -> InputError:
    """The fault to report as the project's error.

    Args:
        where: what holds the settings.
        names: of all its settings.
    """
    first, _ = first_fault(error)
    # What stands in <> is the tag of a union's member, which no user wrote.
    path = [part for part in map(str, first["loc"]) if not part.startswith("<")]
    inner = first.get("ctx", {}).get("error")
    if isinstance(inner, InputError):
        return InputError(where, ".".join([*path, inner.field]), inner.value, inner.allowed)
    if first["type"] == "extra_forbidden":
        allowed = one_of(names, path[0]) if len(path) == 1 else "must be left out: not known"
        return InputError(where, ".".join(path[:-1]) or "setting", path[-1], allowed)
    field = ".".join(path) or "settings"
    if first["type"] == "missing":
        return InputError(where, field, None, "must be given")
    return InputError(where, field, first["input"], first["allowed"])


def allowed_by(detail: Mapping[str, Any]) -> str:
    """What would have been right, as a phrase that begins with a verb.

    Args:
        detail: one of the ``errors()`` of a pydantic ``ValidationError``.
    """
    kind, context = detail["type"], detail.get("ctx", {})
    if _is_number_as_key(detail):
        return _TEXT_AS_KEY
    if kind in _BY_KIND:
        return _BY_KIND[kind]
    sentence = re.sub(r" after validation, not \d+$", "", str(detail["msg"]))
    sentence = sentence.removeprefix("Value error, ")
    phrase = re.sub(r"^(Input|Value|String|Tuple|List|Dictionary|Set) should ", "must ", sentence)
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        return meant(nearest(choices, detail["input"])) + phrase
    return phrase
