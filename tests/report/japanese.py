"""What a Japanese page has that it should not: English words, or other figures than the English."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

from homeiot_batch.report.page import write_report
from homeiot_batch.report.panel import short
from tests.report.conftest import Built
from tests.report.reading import Cell, Part, Reader

# units, formats and names of programs, which have no language
NAMES = {"kWh", "kW", "W", "CSV", "fct_daily_energy", "Asia/Tokyo", "Europe/Berlin"}
READ = ("title", "aria-label", "data-words")


class Said(HTMLParser):
    """What a person can read of a page, hear, or see beside the pointer."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._silent = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent = tag in ("style", "script")
        self.texts += [value for name, value in attrs if name in READ and value]

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.texts.append(data)


def latin_words(page: str, *names: str) -> set[str]:
    """The words in Latin letters that are neither a name of the house nor in NAMES."""
    known = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    found: set[str] = set()
    for text in Said(page).texts:
        unnamed = re.sub(known, "", text)
        found |= set(re.findall(r"[A-Za-z][\w/]*", unnamed, re.ASCII))
    return found - NAMES


def words_left_in_english(built: Built, folder: Path) -> set[str]:
    """Those on the Japanese page of the house, and on its pages of months."""
    last = built.house.last_day
    assert last
    now = datetime(last.year, last.month, last.day, 20, tzinfo=UTC)
    write_report(built.settings.layout.read_copy, folder / "index.html", now, "ja")
    pages = list(folder.rglob("*.html"))
    assert len(pages) > 2
    names = [meter.shown_name for meter in built.house.meters]
    known = [*names, *map(short, names), "<EUR>", "{n}"]
    return set().union(*(latin_words(page.read_text(), *known) for page in pages))


def other_figures(built: Built) -> list[str]:
    """The Japanese tables and sentences whose figures are not those of the English page.

    Of a sentence, the numbers: their order may be another one, and a Japanese date has the number
    of its month beside.
    """
    found: list[str] = []
    english = Reader(built.page()).parts
    japanese = Reader(built.page("ja")).parts
    for there, here in zip(english, japanese, strict=True):
        assert sentences(here)
        if values_of(here.tiles.values()) != values_of(there.tiles.values()):
            found.append(f"the headline of {here.name}")
        for (name, rows), former in zip(here.tables.items(), there.tables.values(), strict=True):
            if values_of(rows[1:]) != values_of(former[1:]):
                found.append(f"{name} of {here.name}")
        for said, in_english in zip(sentences(here), sentences(there), strict=True):
            if numbers(in_english) - numbers(said):
                found.append(said)
    return found


def values_of(rows: Iterable[Sequence[Cell]]) -> list[list[float | None]]:
    """The exact value of each cell."""
    return [[value for value, _ in row] for row in rows]


def sentences(part: Part) -> list[str]:
    """What is said of the part's bars, marks, gaps and pictures, and the notes."""
    bars = [title for titles in part.titles.values() for title in titles]
    return [*bars, *part.pictures.values(), *part.notes]


def numbers(text: str) -> Counter[float]:
    """The numbers of a sentence but zeros: a full hour has none in Japanese."""
    plain = re.sub(r"(?<=\d)[,\u202f](?=\d{3})", "", text)
    return Counter(float(number) for number in re.findall(r"\d+(?:\.\d+)?", plain) if float(number))
