"""Dates in the headers of an answer."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def http_date(text: str) -> datetime:
    """The instant in UTC, also where the text names no zone. ValueError if it is no date."""
    date = parsedate_to_datetime(text)
    if date.tzinfo is None:  # astimezone would take it for this machine's local time
        return date.replace(tzinfo=UTC)
    try:
        return date.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is no date that can be counted") from None
