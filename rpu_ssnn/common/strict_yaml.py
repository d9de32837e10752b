"""YAML 1.2 with the core schema, in and out; every fault is one line with line and column.

ruamel.yaml parses; what a scalar means is decided here, so that nothing but null, flags, numbers
and text can come of a file: no dates, no numbers in base 60 or with a leading zero in base 8, no
tags, no merged mappings.
"""

import io
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rpu_ssnn.common.errors import Fault, InputError, RpuSsnnError
from rpu_ssnn.common.files import read_text, reason
from rpu_ssnn.common.wording import first_unprintable

Event = Any
"""One of ruamel's, which share no attributes."""

MOST_VALUES = 1_000_000
"""A few lines of aliases of aliases expand to more than any memory holds."""

MOST_ITEMS = 10_000
"""Of a list: as many as a study takes seeds or points; a thousand are read in 0.03 s."""

MOST_DEPTH = 100
"""Of values within values."""

MOST_CHARACTERS = 16 << 20
"""Of a file; the largest that the project ships has 20 kB."""

MOST_DIGITS = 300
"""Of a whole number: what is longer fits into no floating point number."""

_NULL = re.compile(r"|~|null|Null|NULL")
_TRUE, _FALSE = re.compile(r"true|True|TRUE"), re.compile(r"false|False|FALSE")
_WHOLE = re.compile(r"[-+]?[0-9]+")
_OCTAL, _HEXADECIMAL = re.compile(r"0o[0-7]+"), re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITY = re.compile(r"([-+]?)\.(inf|Inf|INF)")
_NAN = re.compile(r"\.(nan|NaN|NAN)")

_PREFIX = "tag:yaml.org,2002:"
_KINDS: dict[str, type] = {"null": type(None), "bool": bool, "int": int, "float": float}


class YamlError(RpuSsnnError, ValueError):
    """What is wrong with YAML text, and where.

    Attributes:
        place: ``line 3, column 5``, or ``syntax`` where no place is known.
        found: what is there.
        allowed: what would have been right.
    """

    def __init__(self, place: str, found: object, allowed: str) -> None:
        self.place, self.found, self.allowed = place, found, allowed
        super().__init__(f"{place}: {found!r} is not allowed; {allowed}")


def load(text: str) -> Any:
    """The content of YAML text: one document.

    Raises:
        YamlError: not YAML, a repeated key, a tag, a merge key, a character that is no text, a
            number of too many digits, nested deeper than Python can follow, or aliases that expand
            to more than ``MOST_VALUES`` values.
    """
    if len(text) > MOST_CHARACTERS:
        raise YamlError("size", len(text), f"must be at most {MOST_CHARACTERS} characters")
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if (at := first_unprintable(text)) is not None:
        line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
        allowed = "must be text without control characters"
        raise YamlError(_place(line, column), text[at], allowed)
    return _Reader(_parsed(text)).document()


def _parsed(text: str) -> Iterator[Event]:
    """The parser's events, with its faults as ours."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    parser = YAML(typ="safe", pure=True)
    try:
        yield from parser.parse(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark or parser.reader.get_mark()
        place = _place(mark.line + 1, mark.column + 1)
        if re.search(r"'\\t'|tab character", str(error.problem)):
            raise YamlError(place, "\t", "must be spaces: tabs may not indent") from None
        raise YamlError(place, error.problem or error.context, "must be valid YAML") from None
    except (YAMLError, ValueError, TypeError, AttributeError, LookupError, AssertionError) as error:
        # The parser's own slips on text that is no YAML, such as escapes beyond Unicode.
        found, mark = " ".join(str(error).split()) or type(error).__name__, parser.reader.get_mark()
        place = _place(mark.line + 1, mark.column + 1)
        raise YamlError(place, found, "must be valid YAML") from None


def read(path: Path, error: type[InputError] = InputError) -> Any:
    """The content of a YAML file.

    Args:
        error: what is raised.

    Raises:
        InputError: the file cannot be read, is not UTF-8, or as `load`.
    """
    try:
        return load(read_text(path, MOST_CHARACTERS))
    except OSError as fault:
        raise error(path, "file", reason(fault), "must be a readable file") from fault
    except UnicodeDecodeError as fault:
        raise error(path, "file", Fault(fault.reason), "must be UTF-8 text") from fault
    except YamlError as fault:
        raise error(path, fault.place, fault.found, fault.allowed) from fault


def dump(content: object, comment: str = "") -> str:
    """YAML text that `load` reads as ``content``; keys in the order given.

    Args:
        comment: put before it, each line with its ``#``.
    """
    head = "".join(f"# {line}\n" for line in comment.splitlines())
    return head + _written(content, in_line=False)


def inline(content: object) -> str:
    """The same in one line, without its end."""
    return _written(content, in_line=True).removesuffix("\n")


def _written(content: object, *, in_line: bool) -> str:
    from ruamel.yaml import YAML

    writer: Any = YAML(typ="safe", pure=True)
    writer.default_flow_style = in_line
    writer.allow_unicode = True
    writer.width = MOST_CHARACTERS if in_line else 100
    writer.sort_base_mapping_type_on_output = False  # keys as they are
    text = io.StringIO()
    writer.dump(content, text)
    return text.getvalue().removesuffix("...\n")


class _Reader:
    """Makes values of the parser's events; counts them, aliases written out."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events
        self._anchors: dict[str, tuple[Any, int] | None] = {}

    def document(self) -> Any:
        """The one document; None where the text holds none."""
        next(self._events)  # the stream starts
        if _kind(start := next(self._events)) == "StreamEnd":
            return None
        value, _ = self._value(next(self._events), 0)
        next(self._events)  # the document ends
        if _kind(start := next(self._events)) != "StreamEnd":
            raise _fault(start, "a second document", "must be one document")
        return value

    def _value(self, event: Event, depth: int) -> tuple[Any, int]:
        """A value, and of how many values it is made.

        Args:
            depth: values that it is a part of.
        """
        if depth > MOST_DEPTH:
            raise _fault(event, depth, f"must be nested at most {MOST_DEPTH} deep")
        kind = _kind(event)
        if kind == "Alias":
            return self._of_alias(event)
        anchor = getattr(event, "anchor", None)
        if anchor is not None:
            self._anchors[anchor] = None  # not known before its end
        if kind == "Scalar":
            found: tuple[Any, int] = _scalar(event), 1
        elif kind == "SequenceStart":
            found = self._sequence(event, depth + 1)
        else:
            found = self._mapping(event, depth + 1)
        if found[1] > MOST_VALUES:
            raise _fault(event, found[1], f"must expand to at most {MOST_VALUES} values")
        if anchor is not None:
            self._anchors[anchor] = found
        return found

    def _of_alias(self, event: Event) -> tuple[Any, int]:
        name = f"*{event.anchor}"
        if event.anchor not in self._anchors:
            raise _fault(event, name, "must stand for something above that has its &name")
        found = self._anchors[event.anchor]
        if found is None:
            raise _fault(event, name, "must not be within what it stands for")
        return found

    def _sequence(self, start: Event, depth: int) -> tuple[list[Any], int]:
        _refuse_tag(start, "seq")
        values, size = [], 1
        while _kind(event := next(self._events)) != "SequenceEnd":
            value, parts = self._value(event, depth)
            values.append(value)
            size += parts
            if len(values) > MOST_ITEMS:
                found = f"more than {MOST_ITEMS} items"
                raise _fault(start, found, f"must be a list of at most {MOST_ITEMS}")
        return values, size

    def _mapping(self, start: Event, depth: int) -> tuple[dict[Any, Any], int]:
        _refuse_tag(start, "map")
        values: dict[Any, Any] = {}
        size = 1
        while _kind(event := next(self._events)) != "MappingEnd":
            if _kind(event) == "Scalar" and event.value == "<<" and event.style is None:
                raise _fault(event, "<<", "must be written out: YAML 1.2 merges no mappings")
            key, parts = self._value(event, depth)
            if isinstance(key, list | dict):
                raise _fault(event, key, "must be text as a key")
            if key in values:
                raise _fault(event, key, "must appear only once")
            values[key], more = self._value(next(self._events), depth)
            size += parts + more
        return values, size


def _kind(event: Event) -> str:
    return type(event).__name__.removesuffix("Event")


def _scalar(event: Event) -> Any:
    text, tag = str(event.value), _tag(event)
    if first_unprintable(text) is not None:
        raise _fault(event, text, "must be text without control characters")
    if tag not in ("", "!", "str", *_KINDS):
        raise _fault(event, _shown(tag), "must be text, a number, true, false or null")
    if tag in ("str", "!") or (event.style is not None and not tag):
        return text
    value = _core(event, text)
    if tag == "float" and type(value) is int:
        return float(value)
    if tag and type(value) is not _KINDS[tag]:
        raise _fault(event, text, f"must be what its tag {_shown(tag)} says")
    return value


def _core(event: Event, text: str) -> Any:
    """The core schema of YAML 1.2, section 10.3."""
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
        return text.lower() == "true"
    for pattern, base in ((_WHOLE, 10), (_OCTAL, 8), (_HEXADECIMAL, 16)):
        if pattern.fullmatch(text):
            if len(text) > MOST_DIGITS:
                allowed = f"must be a whole number of at most {MOST_DIGITS} digits"
                raise _fault(event, text, allowed)
            return int(text if base == 10 else text[2:], base)
    if _FLOAT.fullmatch(text):
        value = float(text)
        if math.isinf(value):
            raise _fault(event, text, "must be a number below 1.8e308")
        return value
    if found := _INFINITY.fullmatch(text):
        return -math.inf if found[1] == "-" else math.inf
    return math.nan if _NAN.fullmatch(text) else text


def _tag(event: Event) -> str:
    """The tag that the file gives, without its prefix; empty where it gives none."""
    return str(event.tag or "").removeprefix(_PREFIX)


def _shown(tag: str) -> str:
    return tag if tag.startswith("!") else f"!!{tag}"


def _refuse_tag(event: Event, allowed: str) -> None:
    tag = _tag(event)
    if tag not in ("", allowed):
        raise _fault(event, _shown(tag), "must be a plain list or mapping, without a tag")


def _fault(event: Event, found: object, allowed: str) -> YamlError:
    return YamlError(_place(event.start_mark.line + 1, event.start_mark.column + 1), found, allowed)


def _place(line: int, column: int) -> str:
    return f"line {line}, column {column}"
