"""A validation error of pydantic in a user's words: no class, no Python type, no jargon."""

import difflib
import re
from collections.abc import Mapping
from typing import Any

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


def allowed_by(detail: Mapping[str, Any]) -> str:
    """What would have been right, as a phrase that begins with a verb.

    Args:
        detail: one of the ``errors()`` of a pydantic ``ValidationError``.
    """
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _BY_KIND:
        return _BY_KIND[kind]
    sentence = re.sub(r" after validation, not \d+$", "", str(detail["msg"]))
    phrase = re.sub(r"^(Input|Value|String|Tuple|List|Dictionary|Set) should ", "must ", sentence)
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        near = difflib.get_close_matches(str(detail["input"]), choices, n=1)
        return f"{phrase} (did you mean {near[0]}?)" if near else phrase
    return phrase
