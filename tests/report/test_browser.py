"""The page in Debian's Chromium.

Skipped where there is none, unless INTEGRATION_TESTS=1.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.report.browser import CHROMIUM, DESKTOP, PHONE, Browser
from tests.report.conftest import GRID, LONG, QUOTES, SCRIPT, Built

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and os.environ.get("INTEGRATION_TESTS") != "1",
    reason="needs chromium; .ci/run installs it",
)

# what is wider than its box and not in a box that scrolls, and text that leaves the page
CUT_OFF = """
[...document.querySelectorAll('body *')].filter(e => e.offsetParent
    && !e.closest('.scroll, svg, details')
    && (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline'
        || e.getBoundingClientRect().right > innerWidth + 0.5
        || e.getBoundingClientRect().left < -0.5))
  .map(e => e.tagName + '.' + e.className + ' ' + e.textContent.slice(0, 40))
"""
# pairs of labels of one axis that lie on each other
OVERLAPS = """
[...document.querySelectorAll('.x, .y')].filter(e => e.offsetParent).flatMap(axis => {
  const boxes = [...axis.children].filter(e => e.offsetParent)
    .map(e => [e.textContent, e.getBoundingClientRect()]);
  return boxes.flatMap(([a, p], i) => boxes.slice(i + 1).filter(([b, q]) =>
    p.left < q.right && q.left < p.right && p.top < q.bottom - 2 && q.top < p.bottom - 2)
    .map(([b]) => a + ' | ' + b));
})
"""
MARKS = """
Object.fromEntries([...document.querySelectorAll('section.card')]
  .filter(e => e.offsetParent && e.querySelector('svg')).map(e => [
    e.className.replace('card ', ''),
    [...e.querySelectorAll('svg path:not(.grid):not(.blank), svg rect')]
      .filter(m => m.getBoundingClientRect().width > 0.2).length]))
"""
SHOWN = """
[...document.querySelectorAll('article')].filter(e => e.offsetParent)
  .map(e => e.querySelector('h2').textContent)
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    assert CHROMIUM is not None, "INTEGRATION_TESTS=1 needs chromium: apt-get install chromium"
    with Browser() as running:
        yield running


def opened(browser: Browser, file: Path, width: int = DESKTOP, *, dark: bool = False) -> None:
    """Show the page."""
    browser.open(file.as_uri(), width, dark=dark)


def tab(browser: Browser, source: str) -> None:
    """Choose a source as a user does, by a click."""
    find = (
        f"[...document.querySelectorAll('.tabs label')].find(e => e.title === {json.dumps(source)})"
    )
    place = browser.evaluate(
        f"(() => {{ const e = {find}; e.scrollIntoView(); const b = e.getBoundingClientRect(); "
        "return [b.x + 9, b.y + 9]; })()"
    )
    for kind in ("mousePressed", "mouseReleased"):
        browser.call(
            "Input.dispatchMouseEvent",
            type=kind,
            x=place[0],
            y=place[1],
            button="left",
            clickCount=1,
        )


def requests(browser: Browser) -> list[str]:
    """What the page asked for."""
    return [
        event["params"]["request"]["url"]
        for event in browser.events
        if event["method"] == "Network.requestWillBeSent"
    ]


def complaints(browser: Browser) -> list[Any]:
    """What stands on its console, and errors of its script."""
    return [
        event["params"]
        for event in browser.events
        if event["method"]
        in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
    ]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [320, PHONE, 768, DESKTOP])
def test_nothing_is_cut_off_or_overlaps(
    browser: Browser, page_file: Path, width: int, dark: bool
) -> None:
    """In each source's part, whatever its name: nothing leaves its box or the page.

    No two labels of an axis overlap.
    """
    opened(browser, page_file, width, dark=dark)
    for source in (GRID, SCRIPT, QUOTES, LONG):
        tab(browser, source)
        assert browser.evaluate(SHOWN) == [source]
        assert (source, browser.evaluate(CUT_OFF), browser.evaluate(OVERLAPS)) == (source, [], [])


@pytest.mark.parametrize("width", [320, PHONE, DESKTOP])
def test_the_house_fits_on_every_screen(browser: Browser, sunny_file: Path, width: int) -> None:
    """Nothing of the house's part, and of a meter's with its own words, leaves its box."""
    opened(browser, sunny_file, width)
    for name in ("House", "roof", "powerwall"):
        tab(browser, name)
        assert browser.evaluate(SHOWN) == [name]
        assert (name, browser.evaluate(CUT_OFF), browser.evaluate(OVERLAPS)) == (name, [], [])


@pytest.mark.parametrize("width", [320, PHONE, DESKTOP])
def test_the_japanese_page_fits_on_every_screen(
    browser: Browser, troubled: Built, sunny: Built, tmp_path: Path, width: int
) -> None:
    """Its labels are wider, and its lines break elsewhere."""
    for built, names in ((troubled, (GRID, QUOTES)), (sunny, ("家全体", "roof", "powerwall"))):
        file = tmp_path / "index.html"
        file.write_text(built.page("ja"))
        opened(browser, file, width)
        for name in names:
            tab(browser, name)
            assert browser.evaluate(SHOWN) == [name]
            assert (name, browser.evaluate(CUT_OFF), browser.evaluate(OVERLAPS)) == (name, [], [])


def test_every_chart_has_marks(browser: Browser, page_file: Path) -> None:
    """Bars, areas and cells with an extent. A source without the last day has no curve."""
    opened(browser, page_file)
    found = browser.evaluate(MARKS)
    assert set(found) == {
        "curve",
        "days",
        "heat-bought",
        "heat-sold",
        "months",
        "years",
        "calendar",
        "cost",
    }
    assert {name: count for name, count in found.items() if not count} == {}
    assert found["days"] >= 100
    assert found["calendar"] >= 60
    tab(browser, QUOTES)
    assert (
        browser.evaluate(
            "document.querySelectorAll('#panel-2 .curve .gap, #panel-3 .curve .gap, "
            "#panel-4 .curve .gap').length"
        )
        == 1
    )


def test_no_request_leaves_the_file_and_nothing_complains(
    browser: Browser, page_file: Path
) -> None:
    """Only the file itself and data: links. No console line. No script but the page's own."""
    opened(browser, page_file)
    for source in (SCRIPT, QUOTES, LONG):
        tab(browser, source)
    assert [
        url
        for url in requests(browser)
        if url != page_file.as_uri() and not url.startswith("data:")
    ] == []
    assert complaints(browser) == []


def test_hostile_names_are_text(browser: Browser, page_file: Path) -> None:
    """A name that is a script runs nothing, and stands as it is."""
    opened(browser, page_file)
    assert browser.evaluate("typeof window.pwned") == "undefined"
    assert browser.evaluate("[document.scripts.length, document.images.length]") == [1, 0]
    names = browser.evaluate("[...document.querySelectorAll('h2')].map(e => e.textContent)")
    assert sorted(names) == sorted([GRID, SCRIPT, QUOTES, LONG])


def test_it_works_without_javascript(browser: Browser, page_file: Path) -> None:
    """Tabs are CSS, charts are there."""
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        opened(browser, page_file)
        tab(browser, SCRIPT)
        assert browser.evaluate(SHOWN) == [SCRIPT]
        assert browser.evaluate(MARKS)["days"] >= 20
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)


def test_a_page_that_lies_around_says_its_age(browser: Browser, page_file: Path) -> None:
    """Opened days later, by whoever bookmarked it."""
    text = page_file.read_text().replace('data-made="2026-11-2', 'data-made="2025-11-2')
    page_file.write_text(text)
    opened(browser, page_file)
    assert "days ago; newer data may be there." in browser.evaluate(
        "document.getElementById('stale').innerText"
    )


def test_in_print_every_source_has_its_page_in_light_colours(
    browser: Browser, page_file: Path
) -> None:
    """From dark too. Nothing that only a screen needs."""
    opened(browser, page_file, dark=True)
    browser.call(
        "Emulation.setEmulatedMedia",
        media="print",
        features=[{"name": "prefers-color-scheme", "value": "dark"}],
    )
    assert browser.evaluate(SHOWN) == browser.evaluate(
        "[...document.querySelectorAll('h2')].map(e => e.textContent)"
    )
    assert (
        browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    )
    assert (
        browser.evaluate(
            "[...document.querySelectorAll('.tabs, details, .download')]"
            ".filter(e => e.offsetParent).length"
        )
        == 0
    )
    browser.call("Emulation.setEmulatedMedia", media="")
    pages = browser.call("Page.printToPDF")["data"]
    assert len(pages) > 10_000
