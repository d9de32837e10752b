"""Finds blocks, links and headings in Markdown pages for the tests of the documentation."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOT_PAGES = ("README.md", "CONTRIBUTING.md")

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """Holds a fenced block of code, with its page, language, text and line number."""

    page: Path
    language: str
    text: str
    place: int

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.place}"


def pages() -> list[Path]:
    """Returns every page of the documentation."""
    return [ROOT / name for name in ROOT_PAGES] + sorted((ROOT / "docs").rglob("*.md"))


def blocks(page: Path) -> list[Block]:
    """Returns the fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, match[2], _dedented(match[3], match[1]), text[: match.start()].count("\n") + 1)
        for match in _FENCE.finditer(text)
    ]


def _dedented(text: str, indent: str) -> str:
    return "".join(line.removeprefix(indent) for line in text.splitlines(keepends=True))


def links(page: Path) -> list[str]:
    """Returns the targets of a page's links and images."""
    return [match[2] for match in _LINK.finditer(_without_code(page))]


def anchors(page: Path) -> set[str]:
    """Returns the anchors of a page's headings in the form used by both mkdocs and GitHub."""
    titles = re.findall(r"^#+ (.*)$", _without_code(page), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", title.lower()).strip() for title in titles]
    return {re.sub(r"[\s]+", "-", title) for title in plain}


def _without_code(page: Path) -> str:
    return _FENCE.sub("", page.read_text(encoding="utf-8"))
