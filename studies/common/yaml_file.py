"""YAML in and out: safe, and strict where PyYAML is silent."""

from pathlib import Path
from typing import Any

import yaml

from rpu_ssnn.common.errors import InputError


def read_yaml(path: Path) -> Any:
    """The content of a YAML file.

    Raises:
        InputError: it cannot be read, is not UTF-8 or not YAML, or a mapping repeats a key.
    """
    from rpu_ssnn.common import strict_yaml  # its package brings pandas and matplotlib

    try:
        return strict_yaml.load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(path, "file", error.strerror, "must be a readable file") from error
    except UnicodeDecodeError as error:
        raise InputError(path, "file", error.reason, "must be UTF-8 text") from error
    except strict_yaml.DuplicateKeyError as error:
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
