"""YAML in and out: safe, and strict where PyYAML is silent."""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from rpu_ssnn.errors import InputError


class _DuplicateKeyError(yaml.YAMLError):
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
                    raise _DuplicateKeyError(key, key_node.start_mark.line + 1)
                seen.add(key)
        return super().construct_mapping(node, deep)


# YAML 1.1 wants a dot and a sign in the exponent, and takes 1e-3 for a string otherwise.
_StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
    list("-+.0123456789"),
)


def read_yaml(path: Path) -> Any:
    """The content of a YAML file.

    Raises:
        InputError: it cannot be read, is not UTF-8 or not YAML, or a mapping repeats a key.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)  # a SafeLoader
    except OSError as error:
        raise InputError(path, "file", error.strerror, "must be a readable file") from error
    except UnicodeDecodeError as error:
        raise InputError(path, "file", error.reason, "must be UTF-8 text") from error
    except _DuplicateKeyError as error:
        raise InputError(path, f"line {error.line}", error.key, "must appear only once") from error
    except yaml.MarkedYAMLError as error:
        line = "syntax" if error.problem_mark is None else f"line {error.problem_mark.line + 1}"
        raise InputError(path, line, error.problem, "must be valid YAML") from error
    except yaml.YAMLError as error:
        raise InputError(path, "syntax", str(error), "must be valid YAML") from error


def to_yaml(content: object, comment: str = "") -> str:
    """YAML text, keys in the order given, after ``comment`` (each line gets its ``#``)."""
    head = "".join(f"# {line}\n" for line in comment.splitlines())
    return head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
