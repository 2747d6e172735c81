"""A page as a program reads it.

The parts of a source, tables with the exact and the shown values, bars by their titles.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser

# (exact, shown); exact is None where the page has a word instead of a value
Cell = tuple[float | None, str]


@dataclass
class Part:
    """A source's part of the page."""

    name: str = ""
    tiles: dict[str, list[Cell]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    tables: dict[str, list[list[Cell]]] = field(default_factory=dict)
    titles: dict[str, list[str]] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    pictures: dict[str, str] = field(default_factory=dict)


class Reader(HTMLParser):
    """Collects the parts. `heading` is the page's."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.parts: list[Part] = []
        self.heading = ""
        self.text: list[str] = []
        self._section = self._tile = ""
        self._exact: float | None = None
        self._open: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "article":
            self.parts.append(Part())
        if tag == "section":
            self._section = given["class"].removeprefix("card").strip() or "table"
        if tag == "data":
            self._exact = float(given["value"])
        if self.parts:
            self._start_in_part(self.parts[-1], tag, given)
        if tag not in ("meta", "link", "input"):
            self._open.append((tag, given.get("class", "")))

    def _start_in_part(self, part: Part, tag: str, given: dict[str, str]) -> None:
        if tag == "tr":
            part.tables.setdefault(self._section, []).append([])
        if tag == "a":
            part.links.append(given["href"])
        if tag == "svg":
            part.pictures[self._section] = given["aria-label"]
        if tag == "div" and given.get("class", "").startswith("gap"):
            part.titles.setdefault(self._section, []).append(given["title"])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Shapes without content."""

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if not data.strip() or not self._open:
            return
        tag, look = self._open[-1]
        tags = [name for name, _ in self._open]
        if tag not in ("style", "script"):
            self.text.append(data.strip())
        if tag == "h1":
            self.heading = data
        if "article" in tags:
            self._text_in_part(self.parts[-1], tag, look, tags, data)

    def _text_in_part(self, part: Part, tag: str, look: str, tags: list[str], data: str) -> None:
        cell = (self._exact if tag == "data" else None, data.strip())
        if tag == "h2":
            part.name = data
        if tag == "title":
            part.titles.setdefault(self._section, []).append(data)
        if look == "label":
            self._tile = data.strip()
        if (tag == "data" and "td" not in tags) or look == "value none":
            part.tiles.setdefault(self._tile, []).append(cell)
        if look.startswith("note") or "remark" in look:
            part.notes.append(data.strip())
        if "tr" in tags:
            part.tables[self._section][-1].append(cell)
