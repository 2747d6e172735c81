"""The page itself: figures through templates into one file."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homeiot_batch.core.days import yesterday
from homeiot_batch.core.files import file_stamp, write_text
from homeiot_batch.report.elements import HousePanel, Panel
from homeiot_batch.report.figures import House, read_figures
from homeiot_batch.report.house_panel import house_panel
from homeiot_batch.report.labels import half_of_width_em
from homeiot_batch.report.month_figures import months_of
from homeiot_batch.report.month_files import FOLDER, write_months
from homeiot_batch.report.month_page import file_of
from homeiot_batch.report.panel import panel
from homeiot_batch.report.words import Words
from homeiot_batch.words.languages import Language

if TYPE_CHECKING:
    import jinja2

TEMPLATES = Path(__file__).with_name("templates")


def write_report(
    read_copy: Path, file: Path, now: datetime, language: Language, *, with_months: bool = True
) -> dict[str, Any]:
    """Replace `file` by a page on what the read copy holds, by one rename.

    Before it, the pages of the months, in a folder beside it: those that have changed. What the
    page shows, and the stamp of the file. DatabaseError without a read copy that can be read.
    ArchiveError if a file cannot be written.
    """
    house = read_figures(read_copy)
    months = months_of(house) if with_months else []
    written = []
    if with_months:
        written = write_months(file.with_name(FOLDER), months, environment(), language)
    page = render(house, now, language, [month.first for month in months])
    write_text(file, page)
    names = [meter.name for meter in house.meters]
    return {
        "last_day": house.last_day,
        "sources": names,
        "months_written": written,
        "bytes": len(page.encode()),
        "made_at": now,
        "page": file_stamp(file),
    }


def environment() -> "jinja2.Environment":
    """The templates of the pages."""
    import jinja2  # noqa: PLC0415 - 0.1 s, which only the report need pay

    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["half_of_width_em"] = half_of_width_em
    return templates


def render(house: House, now: datetime, language: Language, months: Sequence[date] = ()) -> str:
    """The page. `now` is UTC. `months` are the first days of those that have a page."""
    words = Words(language)
    template = environment().get_template("page.html.j2")
    script = (TEMPLATES / "stale.js").read_text()
    expected = yesterday(now, house.zone)
    panels: list[Panel | HousePanel] = [panel(meter, house, words) for meter in house.meters]
    if house.balance and house.last_day:
        panels.insert(0, house_panel(house.balance, house.last_day, words))
    return template.render(
        words=words,
        last_day=house.last_day,
        meta=_meta(house, words),
        notices=_behind(house.last_day, expected, words),
        panels=panels,
        months=_links(months, words),
        made_at=now.astimezone(UTC).isoformat(timespec="seconds"),
        script=script,
        script_hash=_hash(script),
    )


@dataclass(frozen=True)
class Link:
    """A page of a month: its short name and its address."""

    name: str
    address: str


@dataclass(frozen=True)
class YearLinks:
    """The pages of the months of a year."""

    year: str
    months: Sequence[Link]


def _links(months: Sequence[date], words: Words) -> list[YearLinks]:
    """The years with the pages of their months. The newest year first."""
    years = []
    for year, of_year in groupby(months, key=lambda month: month.year):
        links = [_link(month, words) for month in of_year]
        years.insert(0, YearLinks(words.year(year), links))
    return years


def _link(month: date, words: Words) -> Link:
    return Link(words.month_short(month.month), f"{FOLDER}/{file_of(month)}")


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return base64.b64encode(digest).decode()


def _meta(house: House, words: Words) -> list[str]:
    zone = words("time_zone", zone=house.zone.key)
    if not house.last_day:
        return [zone]
    last = words.day(house.last_day)
    published_at = house.published_at.replace(tzinfo=UTC)
    published = words.instant(published_at.astimezone(house.zone))
    return [words("all_days_data", date=last, published=published), zone]


def _behind(last: date | None, expected: date, words: Words) -> list[str]:
    if last is None or expected <= last:
        return []
    days = (expected - last).days
    key = "behind_one"
    if days > 1:
        key = "behind"
    return [words(key, n=days)]
