"""`rpu-ssnn keys`: every key of a study, from the models that check it."""

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, NamedTuple, cast

import typer

from rpu_ssnn.common.errors import InputError, one_of

keys_app = typer.Typer()

INLINE_DEFAULT = 40
"""Longest default (characters) shown; longer ones are the defaults of a section."""

_LINK = re.compile(r"\[(\w+)\]\(#\w+\)")
_MODELS = re.compile(r"\b[A-Z]\w+(?:Spec|Settings|Hyperparameters)\b")
"""Names of sections in what a key takes or means."""


class KeyRow(NamedTuple):
    """A key: the values that it takes, its default ("": must be given), and what it means."""

    key: str
    allowed: str
    default: str
    meaning: str


class KeySection(NamedTuple):
    """A mapping of a study, by the name of its model."""

    name: str
    text: str
    rows: list[KeyRow]

    @property
    def short(self) -> str:
        """As a reader would say it: `network` of `NetworkSpec`."""
        return re.sub(r"(Spec|Settings|Case)$", "", self.name).lower()

    @property
    def update(self) -> str:
        """Of the section of a case, its value of `update`; of all others ""."""
        if not self.name.endswith("Case"):
            return ""
        return next((row.allowed.strip("`") for row in self.rows if row.key == "update"), "device")


@keys_app.command()
def keys(
    wanted: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="Only this section or key: network, hyperparameters, read_noise"
        ),
    ] = None,
) -> None:
    """Print the keys of a study file: what each takes, its default and its meaning."""
    found = list(sections_of_a_study())
    shown = list(_asked_for(found, wanted)) if wanted else found
    if not shown:
        keys_of_all = {row.key for one in found for row in one.rows}
        allowed = one_of(
            sorted(keys_of_all | {one.short for one in found}), wanted, "rpu-ssnn keys"
        )
        raise InputError("keys", "NAME", wanted, allowed)
    for one in shown:
        _print(one)


def _asked_for(found: list[KeySection], wanted: str) -> Iterator[KeySection]:
    """The section of that name, or that a key of that name holds; else each key of that name."""
    name = wanted.rpartition(".")[2].lower()
    keys_of_that_name = [row for one in found for row in one.rows if row.key == name]
    held = {model for row in keys_of_that_name for model in _MODELS.findall(str(row))}
    whole = [
        one
        for one in found
        if name in (one.short, one.name.lower(), one.update) or one.name in held
    ]
    yield from whole
    if not whole:
        for one in found:
            rows = [row for row in one.rows if row.key == name]
            if rows:
                yield one._replace(rows=rows)
    if name == "cases":
        for one in found:
            if one.update:
                named = ", ".join(row.key for row in one.rows)
                more = f"each in full: rpu-ssnn keys {one.update}"
                yield one._replace(rows=[KeyRow("keys", named, "", more)])


def _print(section: KeySection) -> None:
    typer.echo(f"{section.name}\n{textwrap.fill(section.text, 96)}".rstrip() + "\n")
    for row in section.rows:
        default = f"; default {row.default}" if row.default else ""
        line = _LINK.sub(r"\1", f"{row.key}: {row.allowed}{default}").replace("`", "")
        typer.echo(textwrap.fill(line, 96, initial_indent="  ", subsequent_indent="      "))
        if row.meaning:
            indent = " " * 6
            typer.echo(
                textwrap.fill(row.meaning, 96, initial_indent=indent, subsequent_indent=indent)
            )
    typer.echo("")


def sections_of_a_study() -> Iterator[KeySection]:
    """Every section, that of the whole file first; allowed values and defaults in Markdown."""
    from pydantic import BaseModel
    from pydantic.json_schema import models_json_schema

    from rpu_ssnn.common.value_kinds import kinds_of
    from rpu_ssnn.spec import Spec
    from studies.declaration.study import Study
    from studies.declaration.update_rules import METHODS

    fields = [field for rule in METHODS.values() for field in rule.model_fields.values()]
    parts = [kind for field in fields for kind in kinds_of(cast(Any, field.annotation))]
    specs = [part for part in parts if isinstance(part, type) and issubclass(part, Spec)]
    models: list[type[BaseModel]] = [Study, *dict.fromkeys(specs)]
    _, schema = models_json_schema([(model, "validation") for model in models])
    definitions: dict[str, Any] = schema["$defs"]
    for name in sorted(definitions, key=lambda n: (n != Study.__name__, n)):
        definition = definitions[name]
        if "properties" not in definition:
            continue
        required = definition.get("required", [])
        rows = [
            KeyRow(
                key, _allowed(field), _default(key, field, required), field.get("description", "")
            )
            for key, field in definition["properties"].items()
        ]
        first_paragraph = definition.get("description", "").partition("\n\n")[0]
        yield KeySection(name, " ".join(first_paragraph.split()), rows)


def _allowed(field: Mapping[str, Any]) -> str:
    """The values that a field takes, in words."""
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return "a case" if name == "Case" else f"[{name}](#{name.lower()})"
    if "allOf" in field:
        return " and ".join(_allowed(part) for part in field["allOf"])
    for several in ("anyOf", "oneOf"):
        if several in field:
            return " or ".join(_allowed(part) for part in field[several])
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    kind = str(field.get("type", "anything"))
    if kind == "array":
        items = field.get("items", {})
        return f"list of {_allowed(items)}" if items else "list"
    if kind == "object":
        inner = field.get("additionalProperties")
        return f"mapping to {_allowed(inner)}" if isinstance(inner, dict) and inner else "mapping"
    words = {"string": "text", "integer": "whole number", "boolean": "true or false"}
    return words.get(kind, kind) + _limits(field)


def _limits(field: Mapping[str, Any]) -> str:
    signs = (
        ("exclusiveMinimum", ">"),
        ("minimum", "≥"),
        ("exclusiveMaximum", "<"),
        ("maximum", "≤"),
    )
    limits = [f"{sign} {field[key]:g}" for key, sign in signs if key in field]
    return " " + ", ".join(limits) if limits else ""


def _default(key: str, field: Mapping[str, Any], required: list[str]) -> str:
    if key in required or "default" not in field:
        return ""
    text = json.dumps(field["default"])
    return f"`{text}`" if len(text) <= INLINE_DEFAULT else "the defaults of the section"
