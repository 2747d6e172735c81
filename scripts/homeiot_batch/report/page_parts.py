"""What all pages of the report have: their templates, and what stands above and below."""

import base64
import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homeiot_batch.core.days import yesterday
from homeiot_batch.report.elements import HousePanel, Panel
from homeiot_batch.report.figures import House
from homeiot_batch.report.labels import half_of_width_em
from homeiot_batch.report.month_files import FOLDER
from homeiot_batch.report.month_page import file_of
from homeiot_batch.report.words import Words

if TYPE_CHECKING:
    import jinja2

TEMPLATES = Path(__file__).with_name("templates")


@functools.cache
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


def page_of_panels(
    panels: Sequence[Panel | HousePanel],
    house: House,
    now: datetime,
    words: Words,
    months: Sequence[date] = (),
    back: str = "",
) -> str:
    """A page with these parts, a tab each. `back` is the address of the index, if there is one."""
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            **frame_of(house, now, words),
            panels=panels,
            months=month_links(months, words),
            back=back,
        )
    )


def frame_of(house: House, now: datetime, words: Words, *more_scripts: str) -> dict[str, Any]:
    """What a template needs for what every page has. `now` is UTC."""
    names = ("stale.js", *more_scripts)
    script = "".join((TEMPLATES / name).read_text() for name in names)
    expected = yesterday(now, house.zone)
    return {
        "words": words,
        "last_day": house.last_day,
        "meta": _meta(house, words),
        "notices": _behind(house.last_day, expected, words),
        "made_at": now.astimezone(UTC).isoformat(timespec="seconds"),
        "script": script,
        "script_hash": _hash(script),
    }


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


def month_links(months: Sequence[date], words: Words) -> list[YearLinks]:
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
