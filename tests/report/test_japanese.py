"""The page in Japanese: no word of another language, and its figures are those of the English."""

import re
from html.parser import HTMLParser

import pytest

from homeiot_batch.report.panel import short
from tests.report.conftest import Built
from tests.report.reading import Reader

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


@pytest.mark.slow
def test_no_word_is_left_in_english(troubled: Built, sunny: Built) -> None:
    """Of houses with gaps, costs, a battery and silent meters."""
    for built in (troubled, sunny):
        names = [meter.shown_name for meter in built.house.meters]
        page = built.page("ja")
        assert latin_words(page, *names, *map(short, names), "<EUR>", "{n}") == set()


@pytest.mark.slow
def test_the_figures_are_those_of_the_english_page(troubled: Built, sunny: Built) -> None:
    """Exact values, charts and classes: only words and how a number looks may differ."""
    for built in (troubled, sunny):
        english = Reader(built.page())
        japanese = Reader(built.page("ja"))
        for there, here in zip(english.parts, japanese.parts, strict=True):
            assert values_of(here.tiles.values()) == values_of(there.tiles.values())
            assert list(here.tables) == list(there.tables)
            for name, rows in here.tables.items():
                assert values_of(rows[1:]) == values_of(there.tables[name][1:])


def values_of(rows: object) -> list[list[float | None]]:
    """The exact value of each cell."""
    return [[value for value, _ in row] for row in rows]  # ty: ignore[not-iterable]
