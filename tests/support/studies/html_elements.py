"""Finds tags and list items of a page."""

from html.parser import HTMLParser


class Elements(HTMLParser):
    """Collects tags with their attributes, and the text of list items."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.items: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "li":
            self.items.append("")

    def handle_data(self, data: str) -> None:
        if self.items and self.tags[-1][0] == "li":
            self.items[-1] += data
