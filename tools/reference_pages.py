"""The reference pages of the documentation's site, made from the code when the site is built.

`mkdocs.yml` names this file as a hook. `rpu-ssnn reference PAGE` prints the same text.
"""

from typing import TYPE_CHECKING

from studies.cli.reference import text_of

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

FILES = {
    "keys": "study_file.md",
    "parameters": "device_parameters.md",
    "columns": "result_columns.md",
    "imperfections": "imperfections.md",
    "commands": "command_line.md",
}
"""Page of `rpu-ssnn reference` -> file below `docs/reference`."""


def on_files(files: "Files", *, config: "MkDocsConfig") -> "Files":
    """Adds the pages to the site (a hook of mkdocs)."""
    from mkdocs.structure.files import File

    for page, name in FILES.items():
        files.append(File.generated(config, f"reference/{name}", content=text_of(page)))
    return files
