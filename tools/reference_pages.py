"""Generates the reference pages from the code when the site is built.

`mkdocs.yml` names this file as a hook.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from studies.cli.keys import sections_of_a_study

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


def device_parameters() -> list[str]:
    """Returns every device parameter, from the declarations that check presets."""
    from device_presets.jump_tables.table_device import TABLE_PARAMETERS
    from rpu_ssnn.devices.laws import LAWS

    parts = [
        "# Parameters of a device",
        "This page is made from the table that checks presets. Weights are normalised "
        "conductances. A *step* is the mean change of the weight by a pulse at weight zero. A "
        "*spread* is drawn once for each device; a *noise* is drawn at every pulse.",
    ]
    shared = set.intersection(*(set(law.parameters) for law in LAWS.values()))
    sections = [("Every law", "", LAWS["constant"].parameters, shared)]
    sections += [
        (law.name, law.aihwkit or "", law.parameters, set(law.parameters) - shared)
        for law in LAWS.values()
    ]
    sections.append(
        ("Measured jumps, `{table: FOLDER}`", "", TABLE_PARAMETERS, set(TABLE_PARAMETERS) - shared)
    )
    for title, simulated_by, rules, names in sections:
        if not names:
            continue
        lines = [
            (
                f"`{name}`",
                rule.unit,
                _range(*rule.limits, rule.kind),
                rule.description,
                f"`{rule.aihwkit_name}`" if rule.aihwkit_name else "",
            )
            for name, rule in rules.items()
            if name in names
        ]
        parts.append(f"## {title}")
        if simulated_by:
            parts.append(f"Simulated by aihwkit's `{simulated_by}`.")
        parts.append(table(("parameter", "unit", "range", "meaning", "aihwkit field"), lines))
    return parts


def _range(low: float, high: float, kind: str) -> str:
    return "true or false" if kind == "flag" else f"{low:g} to {high:g}"


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
            f"`{name}`" + (" (varied by default)" if name in axes.STANDARD else ""),
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
        table(("parameter", "imperfection", "worst value tried", "meaning"), varied),
    ]


def _value(value: object) -> str:
    return "unlimited" if value is None else str(value)


def result_columns() -> list[str]:
    """Returns every column of the results, from its declaration."""
    from studies.results.result_columns import CURVE_COLUMNS, RESULT_COLUMNS

    def rows(columns: Iterable[Any]) -> list[tuple[str, ...]]:
        return [
            (", ".join(f"`{name}`" for name in column.names), column.unit, column.meaning)
            for column in columns
        ]

    header = ("column", "unit", "meaning")
    return [
        "# Columns of the results",
        "This page is made from a declaration that a test compares with real rows. N is the "
        "number of the crossbar, counted from 1, or of the layer, counted from 0 for the input. A "
        "column that ends in `_total` is the sum over the crossbars.",
        "## results.csv: one row per run",
        table(header, rows(RESULT_COLUMNS)),
        "## curves.csv: one row per epoch of each run",
        table(header, rows(CURVE_COLUMNS)),
    ]


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
    "device_parameters.md": device_parameters,
    "result_columns.md": result_columns,
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
