"""Reads and changes settings in nested sections by dotted paths such as ``network.neuron.theta``.

It also writes equal settings in the same way and hashes them, for the identities of trials.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any


def merged(base: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the sections of ``base``, with values replaced by those of ``patch``."""
    result = dict(base)
    for key, value in patch.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both else value
    return result


def with_value(sections: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Returns the sections with a value at a dotted path."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return merged(sections, value)


def value_at(sections: Mapping[str, Any], path: str) -> Any:
    """Returns the value at a dotted path, or None if there is none."""
    at: Any = sections
    for key in path.split("."):
        at = at.get(key) if isinstance(at, Mapping) else None
    return at


def leaves(sections: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yields all values that are not mappings, with their dotted paths."""
    for key, value in sections.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def canonical(content: object) -> str:
    """Returns JSON that is the same for equal content."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def short_hash(content: object) -> str:
    """Returns 16 hexadecimal digits of the SHA-256 of the canonical JSON."""
    return hashlib.sha256(canonical(content).encode()).hexdigest()[:16]
