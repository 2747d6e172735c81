"""The index of a house with many sources, and a page of each source.

Sources are read some at a time, so that the memory does not grow with their number.
"""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import batched
from pathlib import Path

from homeiot_batch.core.files import write_text
from homeiot_batch.report.elements import HousePanel, Panel
from homeiot_batch.report.figures import Figures, House, Meter
from homeiot_batch.report.house_panel import house_panel
from homeiot_batch.report.index_rows import (
    LINE_DAYS,
    LINE_HEIGHT,
    STATES,
    IndexRow,
    in_order,
    index_row,
    index_tiles,
)
from homeiot_batch.report.page_parts import environment, frame_of, month_links, page_of_panels
from homeiot_batch.report.panel import panel
from homeiot_batch.report.source_files import FOLDER, HOUSE, file_of_source
from homeiot_batch.report.words import Words

AT_ONCE = 20  # sources that are in memory
BACK = "../index.html"


class Index:
    """The index, a line for each source. `house` has the meters without their days."""

    def __init__(self, figures: Figures, house: House, now: datetime, words: Words) -> None:
        self._figures = figures
        self._house = house
        self._now = now
        self._words = words
        self._rows: list[IndexRow] = []
        self._has_pages = False

    def write_sources(self, folder: Path | None) -> set[str]:
        """Write the page of each source, and that of the house's balance. The names of the files.

        Without a folder there are no such pages, and the lines of the index lead nowhere.
        """
        self._has_pages = folder is not None
        for meters in batched(self._house.meters, AT_ONCE):
            self._figures.fill(meters, *([] if folder else ["days"]))
            for meter in meters:
                self._take(meter, folder)
                meter.forget()
        names = {file_of_source(meter.name) for meter in self._house.meters}
        if folder and self._house.balance and self._house.last_day:
            shown = house_panel(self._house.balance, self._house.last_day, self._words)
            self._write(folder / HOUSE, shown)
            names.add(HOUSE)
        return names

    def _take(self, meter: Meter, folder: Path | None) -> None:
        assert self._house.last_day is not None
        address = ""
        if folder:
            name = file_of_source(meter.name)
            address = f"{FOLDER}/{name}"
            self._write(folder / name, panel(meter, self._house, self._words))
        self._rows.append(index_row(meter, self._house.last_day, address, self._words))

    def _write(self, file: Path, shown: Panel | HousePanel) -> None:
        write_text(file, page_of_panels([shown], self._house, self._now, self._words, back=BACK))

    def page(self, months: Sequence[date]) -> str:
        """The index. `months` are the first days of those that have a page."""
        return (
            environment()
            .get_template("index.html.j2")
            .render(
                **frame_of(self._house, self._now, self._words, "index.js"),
                tiles=index_tiles(self._rows, self._words),
                rows=in_order(self._rows),
                states=STATES,
                line_days=LINE_DAYS,
                line_height=LINE_HEIGHT,
                house=f"{FOLDER}/{HOUSE}" if self._has_pages and self._house.balance else "",
                months=month_links(months, self._words),
            )
        )
