"""The page itself: figures through templates into one file."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from homeiot_batch.days import yesterday
from homeiot_batch.files import file_stamp, write_text
from homeiot_batch.report.figures import House, read_figures
from homeiot_batch.report.panel import Panel, panel
from homeiot_batch.report.words import TEMPLATES, Words


def write_report(read_copy: Path, file: Path, now: datetime) -> dict[str, Any]:
    """Replace `file` by a page on what the read copy holds, by one rename; what it shows, and the stamp of the file.

    DatabaseError without a read copy that can be read; ArchiveError if the file cannot be written.
    """
    house = read_figures(read_copy)
    page = render(house, now)
    write_text(file, page)
    sources = [source.name for source in house.sources]
    return {
        "last_day": house.last_day,
        "sources": sources,
        "bytes": len(page.encode()),
        "made_at": now,
        "page": file_stamp(file),
    }


def render(house: House, now: datetime, language: str = "en") -> str:
    """The page; `now` is UTC."""
    import jinja2  # noqa: PLC0415 - 0.1 s, which only the report need pay

    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    w = Words(language)
    script = (TEMPLATES / "stale.js").read_text()
    return templates.get_template("page.html.j2").render(
        w=w,
        last_day=house.last_day,
        meta=_meta(house, w),
        notices=_behind(house.last_day, yesterday(now, house.zone), w),
        panels=_panels(house, w),
        made_at=now.astimezone(UTC).isoformat(timespec="seconds"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _panels(house: House, w: Words) -> Sequence[Panel]:
    return [panel(source, house, w) for source in house.sources]


def _meta(house: House, w: Words) -> list[str]:
    published = w.instant(house.published_at.replace(tzinfo=UTC).astimezone(house.zone))
    data = (
        [w("all_days_data", date=w.day(house.last_day), published=published)]
        if house.last_day
        else []
    )
    return [*data, w("time_zone", zone=house.zone.key)]


def _behind(last: date | None, expected: date, w: Words) -> list[str]:
    days = (expected - last).days if last else 0
    return [w("behind" if days > 1 else "behind_one", n=days)] if days > 0 else []
