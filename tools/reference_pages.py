"""This hook makes the reference pages of the site from the code when the site is built.

`mkdocs.yml` names this file as a hook. `rpu-ssnn reference PAGE` prints the same text.
"""

from typing import TYPE_CHECKING, Any

from studies.cli.reference import PAGES, joined, table

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files


def command_line() -> list[str]:
    """Describes every command with its arguments and options, as the Typer application has them."""
    import typer

    from studies.cli.app import app

    parts = [
        "# Commands",
        "The application makes this page; `rpu-ssnn COMMAND --help` prints the same.",
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
    "study_file.md": PAGES["keys"],
    "device_parameters.md": PAGES["parameters"],
    "result_columns.md": PAGES["columns"],
    "imperfections.md": PAGES["imperfections"],
    "command_line.md": command_line,
}
"""Each file below `docs/reference` is made by the function beside it."""


def on_files(files: "Files", *, config: "MkDocsConfig") -> "Files":
    """Adds the pages to the site (a hook of mkdocs)."""
    from mkdocs.structure.files import File

    for name, made in FILES.items():
        files.append(File.generated(config, f"reference/{name}", content=joined(made())))
    return files
