"""The report: one page of a house with a few meters, or an index and a page of each of many."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from homeiot_batch.core.files import file_stamp, write_text
from homeiot_batch.report.elements import HousePanel, Panel
from homeiot_batch.report.figures import House, open_figures
from homeiot_batch.report.house_panel import house_panel
from homeiot_batch.report.index_page import Index
from homeiot_batch.report.month_figures import HouseMonth, months_of, months_of_sums
from homeiot_batch.report.month_files import FOLDER, write_months
from homeiot_batch.report.old_pages import remove_other_pages
from homeiot_batch.report.page_parts import environment, page_of_panels
from homeiot_batch.report.panel import panel
from homeiot_batch.report.source_files import FOLDER as SOURCES
from homeiot_batch.report.source_files import NAME
from homeiot_batch.report.words import Words
from homeiot_batch.words.languages import Language

MOST_ON_A_PAGE = 20  # meters. A house with more has an index, and a page of each


def write_report(
    read_copy: Path, file: Path, now: datetime, language: Language, *, with_months: bool = True
) -> dict[str, Any]:
    """Replace `file` by a page on what the read copy holds, by one rename.

    Before it, the pages of the months, in a folder beside it: those that have changed. Of a house
    with more than MOST_ON_A_PAGE meters also a page of each, and `file` is their index. Without
    the months `file` stands alone. What the page shows, and the stamp of the file. DatabaseError
    without a read copy that can be read. ArchiveError if a file cannot be written.
    """
    words = Words(language)
    with open_figures(read_copy) as figures:
        meters = figures.meters()
        is_index = len(meters) > MOST_ON_A_PAGE
        house = figures.house(meters)
        figures.fill(meters, *(["months"] if is_index else []))
        months: list[HouseMonth] = []
        if with_months:
            months = months_of_sums(house) if is_index else months_of(house)
        written = []
        if with_months:
            written = write_months(file.with_name(FOLDER), months, environment(), language)
        firsts = [month.first for month in months]
        folder = file.with_name(SOURCES) if with_months else None
        pages: set[str] = set()
        if is_index:
            index = Index(figures, house, now, words)
            pages = index.write_sources(folder)
            page = index.page(firsts)
        else:
            page = render(house, now, language, firsts)
    write_text(file, page)
    if folder:
        remove_other_pages(folder, NAME, pages)
    return {
        "last_day": house.last_day,
        "sources": [meter.name for meter in meters],
        "months_written": written,
        "bytes": len(page.encode()),
        "made_at": now,
        "page": file_stamp(file),
    }


def render(house: House, now: datetime, language: Language, months: Sequence[date] = ()) -> str:
    """The page. `now` is UTC. `months` are the first days of those that have a page."""
    words = Words(language)
    panels: list[Panel | HousePanel] = [panel(meter, house, words) for meter in house.meters]
    if house.balance and house.last_day:
        panels.insert(0, house_panel(house.balance, house.last_day, words))
    return page_of_panels(panels, house, now, words, months)
