"""Reads and writes YAML 1.2 with the core schema; every fault is one line with line and column.

ruamel.yaml parses; the meaning of a scalar is decided here, so that a file yields nothing but null,
flags, numbers and text: no dates, no numbers in base 60 or with a leading zero in base 8, no tags
that change a value, no merged mappings.
"""

import io
import math
import re
from pathlib import Path
from typing import Any

from rpu_ssnn.common.errors import Fault, InputError, RpuSsnnError
from rpu_ssnn.common.files import text_of
from rpu_ssnn.common.wording import first_unprintable

MOST_VALUES = 1_000_000
"""A few lines of aliases of aliases expand to more values than any memory holds."""

MOST_ITEMS = 10_000
"""A list has at most as many items as a study takes seeds; a thousand are read in 0.03 s."""

MOST_DEPTH = 100
"""Values may be nested this deep."""

MOST_CHARACTERS = 16 << 20
"""A file may be this long; the largest that the project ships has 20 kB."""

MOST_DIGITS = 300
"""A longer whole number fits into no floating point number."""

_NULL = re.compile(r"|~|null|Null|NULL")
_FLAG = re.compile(r"true|True|TRUE|false|False|FALSE")
_WHOLE, _OTHER_BASE = re.compile(r"[-+]?[0-9]+"), re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

_NOT_TOO_DEEP = f"must be nested at most {MOST_DEPTH} deep, and not within itself"
_TEXT_AS_KEY = "must be text as a key; decimals need a point (0.5), and lists brackets ([64, 32])"

_TAG = "tag:yaml.org,2002:"

_CAUSES = {
    r"found '[-?]'|sequence entries": "must be of one kind with its block: list items (`- item`) "
    "and keys (`key: value`) cannot be mixed in one block or line",
    r"<block \w+ start>": "must begin in the same column as the other lines of its block",
    r"mapping values|expected ':'": "must be `key: value`, as all lines of its block: one colon "
    "with a space after it, and the keys in one column; text with a colon needs quotes",
    r"expected ',' or|node content|found '(<scalar>|[]}])'|scalar, found unexpected": "must have a "
    "comma between entries, and close each bracket and quote that it opens; text with brackets or "
    "quotes needs quotes of the other kind around it",
    r"start any token|undefined alias|block scalar|escape": "must have single quotes around text",
    r"single document": "must be left out: a file holds one document",
}
"""What to do about each of the parser's complaints, in words for people who do not know its
tokens."""


class YamlError(RpuSsnnError, ValueError):
    """Reports what is wrong with YAML text, and where.

    Attributes:
        place: ``line 3, column 5``, or ``size``.
        found: what is there.
        allowed: what would have been right.
    """

    def __init__(self, place: str, found: object, allowed: str) -> None:
        self.place, self.found, self.allowed = place, found, allowed
        super().__init__(f"{place}: {found!r} is not allowed; {allowed}")


def load(text: str) -> Any:
    """Returns the content of YAML text that holds one document.

    Raises:
        YamlError: the text is not YAML, or holds a repeated key, a key that is not text, a tag that
            changes a value, a merge key, a control character, a number of too many digits, a second
            document, too long a list, too deep a nesting, or aliases that expand to too many
            values.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    if len(text) > MOST_CHARACTERS:
        raise YamlError("size", len(text), f"must be at most {MOST_CHARACTERS} characters")
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if (at := first_unprintable(text)) is not None:
        line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
        allowed = "must be text without control characters"
        raise YamlError(f"line {line}, column {column}", text[at], allowed)
    yaml = YAML(typ="safe", pure=True)
    yaml.max_depth = MOST_DEPTH
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark or yaml.reader.get_mark()
        if re.search(r"'\\t'|tab character", str(error.problem)):
            raise _fault(mark, "\t", "must be spaces: YAML allows no tabs here") from None
        problem = Fault(", ".join(filter(None, (error.context, error.problem))))
        if "max_depth" in problem:
            raise _fault(mark, Fault("nested too deep"), _NOT_TOO_DEEP) from None
        for complaint, allowed in _CAUSES.items():
            if re.search(complaint, problem) and "\xa0" not in text:
                mark = error.context_mark if "scan" in problem and error.context_mark else mark
                line = [*text.splitlines(), ""][mark.line].strip()
                raise _fault(mark, line or Fault("here the file ends"), allowed) from None
        more = ", where a no-break space (as of a web page) is no space" if "\xa0" in text else ""
        raise _fault(mark, problem, f"must be valid YAML{more}") from None
    except (YAMLError, ValueError, TypeError, AttributeError, LookupError, AssertionError) as error:
        # The parser raises other errors on some invalid text, such as escapes beyond Unicode.
        problem = Fault(" ".join(str(error).split()) or type(error).__name__)
        raise _fault(yaml.reader.get_mark(), problem, "must be valid YAML") from None
    return None if root is None else _Reader(yaml.resolver).value(root)


def read(path: Path) -> Any:
    """Returns the content of a YAML file.

    Raises:
        InputError: the file cannot be read, is not UTF-8, or `load` refuses it.
    """
    try:
        return load(text_of(path, MOST_CHARACTERS))
    except YamlError as fault:
        raise InputError(path, fault.place, fault.found, fault.allowed) from fault


def dump(content: object, comment: str = "") -> str:
    """Returns YAML text that `load` reads as ``content``, with the keys in the order given.

    Args:
        content: mappings, lists, text, numbers, flags and null.
        comment: text that is put before it, each line with its ``#``.
    """
    head = "".join(f"# {line}\n" for line in comment.splitlines())
    return head + _written(content, in_line=False)


def inline(content: object) -> str:
    """Returns the text of `dump` in one line, without its line end."""
    return _written(content, in_line=True).removesuffix("\n")


def _written(content: object, *, in_line: bool) -> str:
    from ruamel.yaml import YAML

    writer: Any = YAML(typ="safe", pure=True)
    writer.default_flow_style = in_line
    writer.allow_unicode = True
    writer.width = MOST_CHARACTERS if in_line else 100
    writer.sort_base_mapping_type_on_output = False  # so keys stay in their order
    text = io.StringIO()
    writer.dump(content, text)
    return text.getvalue().removesuffix("...\n")


class _Reader:
    """Turns ruamel's nodes into values, and counts these with aliases written out."""

    def __init__(self, resolver: Any) -> None:
        self._resolver, self._made = resolver, 0
        self._anchored: dict[int, tuple[Any, int]] = {}

    def value(self, node: Any, depth: int = 0) -> Any:
        """Returns the value of a node that is nested `depth` deep."""
        value, size = self._anchored.get(id(node), (None, 0))
        before, self._made = self._made, self._made + (size or 1)
        if self._made > MOST_VALUES:
            raise _fault(node.start_mark, node.anchor, f"must be at most {MOST_VALUES} values")
        if not size:
            value = self._new_value(node, depth)
            if node.anchor:
                self._anchored[id(node)] = value, self._made - before
        return value

    def _new_value(self, node: Any, depth: int) -> Any:
        if depth > MOST_DEPTH:
            raise _fault(node.start_mark, node.anchor, _NOT_TOO_DEEP)
        if node.id == "scalar":
            return self._scalar(node)
        if str(node.tag) not in (f"{_TAG}seq", f"{_TAG}map"):
            raise _fault(node.start_mark, str(node.tag), "must be a plain list or mapping")
        if node.id == "mapping":
            return self._mapping(node, depth)
        if len(node.value) > MOST_ITEMS:
            raise _fault(node.start_mark, len(node.value), f"must be at most {MOST_ITEMS} items")
        return [self.value(item, depth + 1) for item in node.value]

    def _mapping(self, node: Any, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, item in node.value:
            key = self.value(name, depth + 1)
            if not isinstance(key, str):
                raise _fault(name.start_mark, key, _TEXT_AS_KEY)
            if key == "<<" and name.style is None:
                allowed = "must be written out, since YAML 1.2 cannot merge mappings"
                raise _fault(name.start_mark, key, allowed)
            if key in values:
                raise _fault(name.start_mark, key, "must appear only once")
            values[key] = self.value(item, depth + 1)
        return values

    def _scalar(self, node: Any) -> Any:
        text, is_plain = str(node.value), node.style is None
        if first_unprintable(text) is not None:
            raise _fault(node.start_mark, text, "must be text without control characters")
        if node.tag != self._resolver.resolve(type(node), text, (is_plain, not is_plain)):
            raise _fault(node.start_mark, str(node.tag), "must be left out: tags are not read")
        return _core(node, text) if is_plain else text


def _core(node: Any, text: str) -> Any:
    """Returns a plain scalar by the core schema of YAML 1.2, section 10.3."""
    if _NULL.fullmatch(text):
        return None
    if _FLAG.fullmatch(text):
        return text.lower() == "true"
    if _WHOLE.fullmatch(text) or _OTHER_BASE.fullmatch(text):
        if len(text) > MOST_DIGITS:
            allowed = f"must be a whole number of at most {MOST_DIGITS} digits"
            raise _fault(node.start_mark, text, allowed)
        return int(text, 0 if text[1:2] in ("o", "x") else 10)
    if _FLOAT.fullmatch(text):
        if math.isinf(value := float(text)):
            raise _fault(node.start_mark, text, "must be a number below 1.8e308")
        return value
    return float(text.replace(".", "", 1)) if _NO_NUMBER.fullmatch(text) else text


def _fault(mark: Any, found: object, allowed: str) -> YamlError:
    return YamlError(f"line {mark.line + 1}, column {mark.column + 1}", found, allowed)
