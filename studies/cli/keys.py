"""`rpu-ssnn keys` prints what the keys of a study, the parameters of devices and the columns of the
results mean, from the declarations that check them."""

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, cast

import typer

from rpu_ssnn.common.errors import InputError, one_of

if TYPE_CHECKING:
    from rpu_ssnn.devices.law_parameter import LawParameter

keys_app = typer.Typer()

INLINE_DEFAULT = 40
"""Defaults of more characters are not printed, as they are those of another section."""

_LINK = re.compile(r"\[(\w+)\]\(#\w+\)")
"""Matches a link to another section among the allowed values of a key."""


class KeyRow(NamedTuple):
    """Describes a key: its allowed values, default (empty if it must be given) and meaning.

    A parameter or a column has its unit among the allowed values, and no default.
    """

    key: str
    allowed: str
    default: str
    meaning: str


class KeySection(NamedTuple):
    """Lists the keys of one mapping of a study under the name of its model, or the parameters of
    one device law, or the columns of one table.

    Attributes:
        update: the rule whose cases have these keys; empty if the section is not a case.
    """

    name: str
    text: str
    rows: list[KeyRow]
    update: str = ""

    @property
    def names(self) -> set[str]:
        """Returns the names that a user may give, such as `network` for `NetworkSpec`."""
        short = re.sub(r"(Spec|Settings|Rule)$", "", self.name).lower()
        return {short, self.name.lower(), self.update} - {""}


@keys_app.command()
def keys(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Section, key, parameter of a device or column of the results, such as network, "
            "T, asymmetry_spread or test_accuracy; default: all keys of a study."
        ),
    ] = None,
) -> None:
    """Print what keys of a study, device parameters and result columns mean, with their values."""
    sections = list(sections_of_a_study())
    if name is not None:
        sections += [*device_parameters(), *result_columns()]
    shown = sections if name is None else list(_of_that_name(sections, name))
    if name is not None and not shown:
        known = {row.key for section in sections for row in section.rows}
        known |= {each for section in sections for each in section.names}
        last = name.rpartition(".")[2]
        raise InputError("keys", "NAME", name, one_of(sorted(known), last, "rpu-ssnn keys"))
    for section in shown:
        typer.echo(f"{section.name}\n{textwrap.fill(section.text, 96)}".rstrip() + "\n")
        for row in section.rows:
            default = f"; default: {row.default}" if row.default else ""
            values = f": {row.allowed}{default}" if row.allowed else ""
            _indented(_LINK.sub(r"\1", row.key + values).replace("`", ""), 2)
            _indented(row.meaning, 6)
        typer.echo("")


def _indented(text: str, n: int) -> None:
    if text:
        typer.echo(textwrap.fill(text, 96, initial_indent=" " * n, subsequent_indent=" " * 6))


def _of_that_name(sections: list[KeySection], path: str) -> Iterator[KeySection]:
    """Yields the sections with that name or behind a key of that name, else keys of that name."""
    name = re.sub(r"_\d+$", "_n", path.rpartition(".")[2].lower())
    rows = [row for section in sections for row in section.rows if row.key.lower() == name]
    held = {linked for row in rows for linked in _LINK.findall(row.allowed)}
    whole = [section for section in sections if name in section.names or section.name in held]
    for section in whole or sections:
        shown = section.rows if whole else [row for row in section.rows if row.key.lower() == name]
        if shown:
            yield section._replace(rows=shown)


def sections_of_a_study() -> Iterator[KeySection]:
    """Yields every section, with values in Markdown, starting with that of the whole file."""
    from pydantic import BaseModel
    from pydantic.json_schema import models_json_schema

    from rpu_ssnn.common.value_kinds import kinds_of
    from rpu_ssnn.spec import Spec
    from studies.declaration.cases import SHARED
    from studies.declaration.study import Study
    from studies.declaration.update_rules.loading import PULSES, rule_class, rule_names

    rules = {rule_class(name): name for name in rule_names()}
    by_class = {rule.__name__: (rule, name) for rule, name in rules.items()}
    fields = [field for rule in rules for field in rule.model_fields.values()]
    parts = [kind for field in fields for kind in kinds_of(cast(Any, field.annotation))]
    specs = [part for part in parts if isinstance(part, type) and issubclass(part, Spec)]
    models: list[type[BaseModel]] = [Study, *rules, *dict.fromkeys(specs)]
    _, schema = models_json_schema([(model, "validation") for model in models])
    definitions: dict[str, Any] = schema["$defs"]
    for name in sorted(definitions, key=lambda n: (n != Study.__name__, n)):
        definition = definitions[name]
        if "properties" not in definition:
            continue
        rows, update = _rows(definition), ""
        if name in by_class:
            rule, update = by_class[name]
            shared = [row for row in _rows(definitions["Case"]) if row.key in SHARED]
            rows = shared + [row for row in rows if row.key in rule.own_keys()]
            if update != PULSES:
                rows.insert(0, KeyRow("update", f"`{update}`", "", ""))
        elif name == "Case":
            rows = [row for row in rows if row.key in SHARED]
        first_paragraph = definition.get("description", "").partition("\n\n")[0]
        yield KeySection(name, " ".join(first_paragraph.split()), rows, update)


def device_parameters() -> Iterator[KeySection]:
    """Yields the parameters that every device law has, and then those of each law alone."""
    from device_presets.jump_tables.table_device import TABLE_PARAMETERS
    from rpu_ssnn.devices.laws import LAWS

    shared = set.intersection(*(set(law.parameters) for law in LAWS.values()))
    every = {name: rule for name, rule in LAWS["constant"].parameters.items() if name in shared}
    laws: dict[str, tuple[Mapping[str, LawParameter], str]] = {"Every law": (every, "")}
    laws |= {law.name: (law.parameters, law.aihwkit or "") for law in LAWS.values()}
    laws["Measured jumps"] = (TABLE_PARAMETERS, "")
    for title, (rules, simulated_by) in laws.items():
        rows = [
            KeyRow(name, rule.allowed.removeprefix("must be "), "", rule.description)
            for name, rule in rules.items()
            if rules is every or name not in shared
        ]
        text = f"aihwkit simulates this law as `{simulated_by}`." if simulated_by else ""
        if rows:
            yield KeySection(title, text, rows)


def result_columns() -> Iterator[KeySection]:
    """Yields the columns of the two tables of results."""
    from studies.results.result_columns import CURVE_COLUMNS, RESULT_COLUMNS

    tables = {
        "Results": ("results.csv has one row per run.", RESULT_COLUMNS),
        "Curves": ("curves.csv has one row per epoch of each run.", CURVE_COLUMNS),
    }
    for title, (text, columns) in tables.items():
        rows = [
            KeyRow(name, f"unit {column.unit}" if column.unit else "", "", column.meaning)
            for column in columns
            for name in column.names
        ]
        yield KeySection(title, text, rows)


def _rows(definition: Mapping[str, Any]) -> list[KeyRow]:
    required = definition.get("required", [])
    rows = []
    for key, field in definition["properties"].items():
        meaning = re.sub(r"\bNone\b", "null", field.get("description", ""))
        rows.append(KeyRow(key, _allowed(field), _default(key, field, required), meaning))
    return rows


def _allowed(field: Mapping[str, Any]) -> str:
    """Describes the values that a field takes."""
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return "cases" if name == "Case" else f"[{name}](#{name.lower()})"
    for several, word in (("allOf", " and "), ("anyOf", " or "), ("oneOf", " or ")):
        if several in field:
            return word.join(map(_allowed, field[several]))
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    kind = str(field.get("type", "anything"))
    if kind == "array":
        items = field.get("items", {})
        several = re.sub(r"^(whole number|number|mapping)\b", r"\1s", _allowed(items))
        return f"list of {several}" if items else "list"
    if kind == "object":
        inner = field.get("additionalProperties")
        return f"mapping to {_allowed(inner)}" if isinstance(inner, dict) and inner else "mapping"
    words = {"string": "text", "integer": "whole number", "boolean": "true or false"}
    return words.get(kind, kind) + _limits(field)


def _limits(field: Mapping[str, Any]) -> str:
    signs = {"exclusiveMinimum": ">", "minimum": "≥", "exclusiveMaximum": "<", "maximum": "≤"}
    limits = [f"{sign} {field[key]:g}" for key, sign in signs.items() if key in field]
    return " " + ", ".join(limits) if limits else ""


def _default(key: str, field: Mapping[str, Any], required: list[str]) -> str:
    if key in required or "default" not in field:
        return ""
    text = json.dumps(field["default"])
    return f"`{text}`" if len(text) <= INLINE_DEFAULT else "see its section"
