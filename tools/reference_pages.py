"""Generates the reference pages from the code when the site is built.

`mkdocs.yml` names this file as a hook.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from studies.cli.keys import device_parameters, result_columns, sections_of_a_study

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files


def joined(parts: Iterable[str]) -> str:
    """Joins the parts that are not empty into one Markdown page."""
    return "\n\n".join(part for part in parts if part) + "\n"


def table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Returns a Markdown table."""

    def line(cells: Iterable[str]) -> str:
        return (
            "| " + " | ".join(" ".join(cell.split()).replace("|", r"\|") for cell in cells) + " |"
        )

    return "\n".join([line(header), line("---" for _ in header), *(line(row) for row in rows)])


def keys_of_a_study() -> list[str]:
    """Returns every key of a study, from the pydantic models."""
    parts = [
        "# Keys of a study",
        "This page is made from the models that check a study; `rpu-ssnn keys NAME` prints a "
        "section. A key without a default must be given. A case has the keys of a section whose "
        "name ends in `Rule`. Where a meaning says `fields of X`, the mapping has the keys of "
        "section `X`.",
    ]
    for section in sections_of_a_study():
        rows = [(f"`{row.key}`", *row[1:]) for row in section.rows]
        parts += [f"## {section.name}", section.text]
        parts.append(table(("key", "allowed", "default", "meaning"), rows))
    return parts


def parameters_of_devices() -> list[str]:
    """Returns every device parameter, from the declarations that check presets."""
    parts = [
        "# Parameters of a device",
        "This page is made from the table that checks presets; `rpu-ssnn keys NAME` prints a "
        "parameter. Weights are normalised conductances. A *step* is the mean change of the weight "
        "by a pulse at weight zero. A *spread* is drawn once for each device; a *noise* is drawn "
        "at every pulse.",
    ]
    for section in device_parameters():
        rows = [(f"`{row.key}`", row.allowed, row.meaning) for row in section.rows]
        parts += [f"## {section.name}", section.text]
        parts.append(table(("parameter", "value", "meaning"), rows))
    return parts


def imperfections() -> list[str]:
    """Returns the imperfections that `attribute` switches off and the parameters that `require`
    varies, from their tables."""
    from studies.sensitivity import axes
    from studies.sensitivity.imperfections import FINITE_STEP, NEUTRAL

    rows = [
        (
            f"`{name}`",
            ", ".join(
                f"`{path.removeprefix('overrides.')}` {_value(value)}"
                for path, value in neutral.items()
            ),
        )
        for name, neutral in NEUTRAL.items()
    ]
    rows.append(
        (
            f"`{FINITE_STEP}`",
            "`levels` as many as the learning rate allows; finer steps would only slow learning",
        )
    )
    varied = [
        (
            f"`{name}`",
            parameter.imperfection and f"`{parameter.imperfection}`",
            f"{parameter.worst:g}",
            parameter.meaning,
        )
        for name, parameter in axes.PARAMETERS.items()
    ]
    return [
        "# Imperfections and requirements",
        "This page is made from the tables of the two commands.",
        "## What `rpu-ssnn attribute` switches off",
        "A path without a section is an override of the preset.",
        table(("imperfection", "switched off by"), rows),
        "## What `rpu-ssnn require` varies",
        "By default it varies the parameters whose imperfection the device has.",
        table(("parameter", "imperfection", "worst value tried", "meaning"), varied),
    ]


def _value(value: object) -> str:
    return "unlimited" if value is None else str(value)


def columns_of_results() -> list[str]:
    """Returns every column of the results, from its declaration."""
    parts = [
        "# Columns of the results",
        "This page is made from a declaration that a test compares with real rows; "
        "`rpu-ssnn keys NAME` prints a column. N is the number of the crossbar, counted from 1, or "
        "of the layer, counted from 0 for the input. A column that ends in `_total` is the sum "
        "over the crossbars.",
    ]
    for section in result_columns():
        rows = [
            (f"`{row.key}`", row.allowed.removeprefix("unit "), row.meaning) for row in section.rows
        ]
        parts += [f"## {section.name}", section.text]
        parts.append(table(("column", "unit", "meaning"), rows))
    return parts


def command_line() -> list[str]:
    """Returns every command with its arguments and options, from the Typer application."""
    import typer

    from studies.cli.app import app

    parts = [
        "# Commands",
        "This page is made from the commands; `rpu-ssnn COMMAND --help` prints the same.",
    ]
    parts += _command("rpu-ssnn", typer.main.get_command(app))
    return parts


def _command(path: str, command: Any) -> list[str]:
    parts = [f"## `{path}`", " ".join((command.help or "").split())]
    rows = [_parameter(parameter) for parameter in command.params if not parameter.hidden]
    if rows:
        parts.append(table(("argument or option", "default", "meaning"), rows))
    for name, child in getattr(command, "commands", {}).items():
        parts += _command(f"{path} {name}", child)
    return [part for part in parts if part]


def _parameter(parameter: Any) -> tuple[str, str, str]:
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    if not parameter.opts[0].startswith("-"):
        names = f"`{parameter.name.upper()}`"
    default = parameter.default
    if parameter.required:
        shown = "required"
    elif default is None or default is False or callable(default):
        shown = ""
    else:
        shown = f"`{getattr(default, 'value', default)}`"
    return names, shown, parameter.help or ""


FILES = {
    "study_file.md": keys_of_a_study,
    "device_parameters.md": parameters_of_devices,
    "result_columns.md": columns_of_results,
    "imperfections.md": imperfections,
    "command_line.md": command_line,
}
"""The files below `docs/reference`, each with the function that generates it."""


def on_files(files: "Files", *, config: "MkDocsConfig") -> "Files":
    """Adds the pages to the site (a hook of mkdocs)."""
    from mkdocs.structure.files import File

    for name, made in FILES.items():
        files.append(File.generated(config, f"reference/{name}", content=joined(made())))
    return files
