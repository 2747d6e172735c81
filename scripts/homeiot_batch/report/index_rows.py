"""The lines of the index of a house with many sources, a source each."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from homeiot_batch.report import charts
from homeiot_batch.report.elements import Tile
from homeiot_batch.report.figures import SOLAR, Day, Meter, total
from homeiot_batch.report.panel import short, silent_since
from homeiot_batch.report.wording import Wording
from homeiot_batch.report.words import Words

State = Literal["silent", "short", "good", "out"]
STATES: Sequence[State] = ("silent", "short", "good", "out")  # trouble comes first
LINE_DAYS = 30
LINE_HEIGHT = 20


@dataclass(frozen=True)
class IndexRow:
    """A source on its last day. Energies are in kWh, as bought and sold at the meter.

    `line` is the path of its last days as bars, a unit wide each and LINE_HEIGHT high.
    """

    name: str
    short_name: str
    address: str
    state: State
    imported: float | None
    exported: float | None
    coverage: str
    last_reading: str
    remarks: str
    line: str


def index_row(meter: Meter, last: date, address: str, words: Words) -> IndexRow:
    """The line of a meter whose days were read. `address` is that of its page, or ""."""
    measured = meter.without_unmeasured_days()
    day = measured.last_day
    at = words.instant(meter.last_reading) if meter.last_reading else ""
    share = "" if day.coverage is None else f"{words.share(day.coverage)} %"
    return IndexRow(
        name=meter.shown_name,
        short_name=short(meter.shown_name),
        address=address,
        state=state_of(meter, last),
        imported=day.import_kwh if meter.shows_import else None,
        exported=day.export_kwh if meter.has_export else None,
        coverage=share,
        last_reading=at,
        remarks=words.listed(Wording(measured, words).counted(day)),
        line=_line(measured.days[-LINE_DAYS:], meter),
    )


def state_of(meter: Meter, last: date) -> State:
    """Whether it is silent, its last day is incomplete, all is good, or it was taken out."""
    if meter.until and meter.until < last:
        return "out"
    if silent_since(meter, last):
        return "silent"
    return "good" if meter.last_day.is_complete else "short"


def in_order(rows: Iterable[IndexRow]) -> list[IndexRow]:
    """Trouble first, then by name: meter2 stands before meter10."""
    return sorted(rows, key=lambda row: (STATES.index(row.state), _natural(row.name), row.name))


def _natural(name: str) -> list[tuple[int, str]]:
    parts = re.findall(r"[0-9]+|[^0-9]+", name.casefold())
    return [(int(part), "") if part[0] in "0123456789" else (-1, part) for part in parts]


def index_tiles(rows: Sequence[IndexRow], words: Words) -> list[Tile]:
    """How many sources are in which state, and what they measured together."""
    tiles = [_count(words("sources"), len(rows), words)]
    for state in STATES:
        count = sum(row.state == state for row in rows)
        if count or state != "out":
            tiles.append(_count(words.name("states", state), count, words, f"state-{state}"))
    tiles.append(_sum(words("index_import"), [row.imported for row in rows], words))
    if any(row.exported for row in rows):
        tiles.append(_sum(words("index_export"), [row.exported for row in rows], words))
    return tiles


def _count(label: str, count: int, words: Words, look: str = "") -> Tile:
    return Tile(label, count, words.number(count), look=look)


def _sum(label: str, values: Sequence[float | None], words: Words) -> Tile:
    kwh = total(values)
    known = sum(value is not None for value in values)
    notes = [words("index_sum", n=words.number(known))]
    return Tile(label, kwh, words.energy(kwh), words("unit_kwh"), notes=notes)


def _line(days: Sequence[Day], meter: Meter) -> str:
    """The days as bars, of what the meter measures first. No bar where nothing is known."""
    is_import = meter.shows_import and meter.kind != SOLAR
    values = [day.import_kwh if is_import else day.export_kwh for day in days]
    highest = max((value or 0.0 for value in values), default=0.0)
    if not highest:
        return ""
    begin = LINE_DAYS - len(values)
    axis = charts.Scale(highest, 0.0, highest)
    bars = []
    for column, value in enumerate(values, begin):
        if value and value > 0:
            height = max(1, round(LINE_HEIGHT * (100 - axis.percent(value)) / 100))
            bars.append(f"M{column} {LINE_HEIGHT}v-{height}h.8v{height}z")
    return "".join(bars)
