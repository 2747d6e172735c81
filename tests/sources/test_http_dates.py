"""Dates in the headers of an answer are instants, or refused."""

from datetime import UTC, datetime

import pytest

from homeiot_batch.sources.http_dates import http_date


@pytest.mark.parametrize(
    "text",
    [
        "Wed, 25 Nov 2026 21:00:00 GMT",
        "Wed, 25 Nov 2026 21:00:00",
        "Wed, 25 Nov 2026 21:00:00 -0000",
        "Thu, 26 Nov 2026 06:00:00 +0900",
    ],
)
def test_an_instant(text: str) -> None:
    """A date without a zone is in UTC, so that it can be compared with a clock."""
    assert http_date(text) == datetime(2026, 11, 25, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "garbage", "Tue, 99 Foo 2026 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 -2359"]
)
def test_no_date(text: str) -> None:
    """Anything else is a ValueError."""
    with pytest.raises(ValueError, match="date"):
        http_date(text)
