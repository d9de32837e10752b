"""YAML, safely loaded, with what PyYAML lets pass in silence refused."""

import re
from collections.abc import Hashable
from typing import Any

import yaml

MOST_VALUES = 1_000_000
"""A few lines of aliases of aliases expand to more than any memory holds."""


class DuplicateKeyError(yaml.YAMLError):
    """A mapping names the same key twice; PyYAML would keep the last one without a word."""

    def __init__(self, key: Hashable, line: int) -> None:
        self.key = key
        self.line = line
        super().__init__(f"duplicate key {key!r} in line {line}")


class _StrictLoader(yaml.SafeLoader):
    """Safe loading, with duplicate keys refused and ``1e-3`` read as the number it is."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable):
                if key in seen:
                    raise DuplicateKeyError(key, key_node.start_mark.line + 1)
                seen.add(key)
        return super().construct_mapping(node, deep)


# A date is text here: no key of ours holds one, and Python's would show in messages.
_StrictLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in _StrictLoader.yaml_implicit_resolvers.items()
}

# YAML 1.1 wants a dot and a sign in the exponent, and takes 1e-3 for a string otherwise.
_StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
    list("-+.0123456789"),
)


def load(text: str) -> Any:
    """The content of YAML text.

    Raises:
        DuplicateKeyError: a mapping repeats a key.
        yaml.YAMLError: not YAML, nested deeper than Python can follow, or with aliases that
            expand to more than ``MOST_VALUES`` values.
    """
    try:
        content = yaml.load(text, Loader=_StrictLoader)  # a SafeLoader
        if _size(content, {}) > MOST_VALUES:
            raise yaml.YAMLError(f"aliases that expand to more than {MOST_VALUES} values")
    except RecursionError:  # also an alias within what it stands for
        raise yaml.YAMLError("nested too deeply, or within itself") from None
    except ValueError as error:  # such as a whole number of thousands of digits
        raise yaml.YAMLError(str(error)) from None
    return content


def _size(content: object, known: dict[int, int]) -> int:
    """Values that there are once every alias is written out; each part is counted once."""
    if not isinstance(content, dict | list):
        return 1
    if id(content) not in known:
        parts = content.values() if isinstance(content, dict) else content
        known[id(content)] = 1 + sum(_size(part, known) for part in parts)
    return known[id(content)]
