"""Fills in the templates of text files."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from rpu_ssnn.common import strict_yaml


def rendered(template: Path, **values: Any) -> str:
    """Returns the text of a template (``.j2``) with values filled in, escaped if it is HTML."""
    environment = Environment(
        loader=FileSystemLoader(template.parent),
        autoescape=select_autoescape(("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["yaml"] = strict_yaml.inline
    return environment.get_template(template.name).render(**values)
