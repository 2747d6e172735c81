"""What a user asked to export."""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from homeiot_batch.core.days import each_day, parse_day
from homeiot_batch.core.near_names import hint
from homeiot_batch.errors import SettingsError

WHATS = ("readings", "quarters", "hours", "days", "months", "balance")
FORMATS = ("csv", "xlsx", "parquet", "json")


@dataclass(frozen=True)
class Request:
    """What is exported: local days from `first` to `last`, both included.

    `sources` are the wanted meters, or none for all.
    """

    what: str
    first: date
    last: date
    sources: tuple[str, ...] = ()

    @property
    def days(self) -> list[date]:
        """All days of the range."""
        return list(each_day(self.first, self.last))

    @property
    def params(self) -> dict[str, object]:
        """What the queries are given."""
        sources = list(self.sources) or None
        return {"first": self.first, "last": self.last, "sources": sources}


def read_request(what: str, first: str, last: str, sources: Sequence[str]) -> Request:
    """What the options mean. SettingsError for a value that cannot be used."""
    refuse_unknown("--what", what, WHATS)
    begin = parse_day(first, "--from")
    end = parse_day(last, "--to")
    if end < begin:
        raise SettingsError(f"--from={begin} is after --to={end}; give the earlier day as --from")
    if what == "months":
        _refuse_parts_of_months(begin, end)
    if what == "balance" and sources:
        raise SettingsError(
            f"--source={sources[0]!r} does not go with --what balance, which is of the whole "
            "house; leave --source out, or export days"
        )
    return Request(what, begin, end, tuple(dict.fromkeys(sources)))


def read_format(given: str | None, output: Path | None) -> str:
    """The format that is given, or that the file's name ends in, or else csv."""
    if given is not None:
        refuse_unknown("--format", given, FORMATS)
        return given
    ending = output.suffix.removeprefix(".").lower() if output else ""
    if ending in FORMATS:
        return ending
    return "csv"


def refuse_unknown(option: str, value: str, known: Sequence[str]) -> None:
    """SettingsError for a value that is none of those known."""
    if value not in known:
        raise SettingsError(f"{option}={value!r} cannot be exported; {hint(value, known)}")


def _refuse_parts_of_months(begin: date, end: date) -> None:
    """A row is of a whole month: with a part of it in the range, its sum would be another one."""
    if begin.day != 1:
        raise SettingsError(
            f"--from={begin} is within a month, and months are exported whole; "
            f"give --from {begin.replace(day=1)}, or export days"
        )
    last = last_of_month(end)
    if end != last:
        raise SettingsError(
            f"--to={end} is within a month, and months are exported whole; "
            f"give --to {last}, or export days"
        )


def last_of_month(day: date) -> date:
    """The last day of the day's month."""
    _, days = calendar.monthrange(day.year, day.month)
    return day.replace(day=days)
