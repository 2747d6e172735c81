"""What may be asked for, and what is answered to what may not."""

from datetime import date
from pathlib import Path

import pytest

from homeiot_batch.errors import SettingsError
from homeiot_batch.export.request import Request, read_format, read_request


@pytest.mark.parametrize(
    ("what", "first", "last", "sources", "said"),
    [
        (
            "day",
            "2026-11-01",
            "2026-11-02",
            [],
            "--what='day' cannot be exported; did you mean days?",
        ),
        (
            "days",
            "2026-02-29",
            "2026-03-01",
            [],
            "--from='2026-02-29' is not a date; give an existing day as YYYY-MM-DD",
        ),
        (
            "days",
            "2026-11-02",
            "2026-11-01",
            [],
            "--from=2026-11-02 is after --to=2026-11-01; give the earlier day as --from",
        ),
        (
            "months",
            "2026-01-02",
            "2026-01-31",
            [],
            (
                "--from=2026-01-02 is within a month, and months are exported whole; give "
                "--from 2026-01-01, or export days"
            ),
        ),
        (
            "months",
            "2024-01-01",
            "2024-02-28",
            [],
            (
                "--to=2024-02-28 is within a month, and months are exported whole; give "
                "--to 2024-02-29, or export days"
            ),
        ),
        (
            "balance",
            "2026-01-01",
            "2026-01-01",
            ["main"],
            (
                "--source='main' does not go with --what balance, which is of the whole "
                "house; leave --source out, or export days"
            ),
        ),
    ],
)
def test_what_cannot_be_exported_is_one_line(
    what: str, first: str, last: str, sources: list[str], said: str
) -> None:
    """With the value, the option and what to do."""
    with pytest.raises(SettingsError) as refused:
        read_request(what, first, last, sources)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 2, 1), date(2026, 2, 28)),
        (date(2024, 2, 1), date(2024, 2, 29)),
        (date(2025, 12, 1), date(2026, 1, 31)),
        (date(2026, 4, 1), date(2026, 4, 30)),
    ],
)
def test_whole_months_are_exported(first: date, last: date) -> None:
    """Of 28 to 31 days."""
    found = read_request("months", str(first), str(last), ["a", "b", "a"])
    assert found == Request("months", first, last, ("a", "b"))


def test_the_format_is_given_or_follows_from_the_file() -> None:
    """An option goes before the name. Any other name is of CSV."""
    assert read_format(None, None) == "csv"
    assert read_format(None, Path("a.XLSX")) == "xlsx"
    assert read_format(None, Path("a.txt")) == "csv"
    assert read_format("json", Path("a.xlsx")) == "json"
    with pytest.raises(
        SettingsError, match=r"--format='xls' cannot be exported; did you mean xlsx"
    ):
        read_format("xls", None)
