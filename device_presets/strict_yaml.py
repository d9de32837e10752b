"""YAML, safely loaded, with what PyYAML lets pass in silence refused."""

import re
from collections.abc import Hashable
from typing import Any

import yaml


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
        yaml.YAMLError: not YAML, or nested deeper than Python can follow.
    """
    try:
        return yaml.load(text, Loader=_StrictLoader)  # a SafeLoader
    except RecursionError:
        raise yaml.YAMLError("nested too deeply") from None
