"""Warnings of many days that are alike."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from homeiot_batch.workflow.same_warnings import grouped
from homeiot_batch.workflow.summary import Summary

FILE = "data/markers/last_run.json"
OTHERS = ["dbt: 3 rows", "power 2024-02-29: 12 readings are late", "the clocks differ"]


def of_days(count: int, subject: str = "power") -> list[str]:
    """A warning of each day from 27 December 2023 on: with numbers of its own, and its date."""
    days = [date(2023, 12, 27) + timedelta(days=number) for number in range(count)]
    return [
        f"{subject} {day}: policy keeps 168 hours, since {number:02}:00; run with --date {day}"
        for number, day in enumerate(days)
    ]


def test_many_are_one_line() -> None:
    """It says how many, the first and the last day, the text of the first day, and where all are.

    Others, also of another dataset or of another text, stay as they are.
    """
    few = of_days(9, "climate")
    line = (
        f"power 2023-12-27 to 2024-03-02 (67 warnings, each is in {FILE}), on 2023-12-27: "
        "policy keeps 168 hours"
    )
    assert grouped([*reversed(of_days(67)), *OTHERS, *few], FILE) == sorted(
        [
            *few,
            *OTHERS,
            f"{line}, since 00:00; run with --date 2023-12-27",
        ]
    )


def test_one_text_is_the_text_of_all() -> None:
    """It is not that of a day then."""
    alike = [f"power 2024-02-{day}: it is archived empty" for day in range(19, 30)]
    assert grouped(alike, FILE) == [
        f"power 2024-02-19 to 2024-02-29 (11 warnings, each is in {FILE}): it is archived empty"
    ]


@pytest.mark.parametrize(("count", "noted_in"), [(9, FILE), (67, "")])
def test_each_is_listed(count: int, noted_in: str) -> None:
    """Where they are few, or in no file."""
    assert grouped(of_days(count), noted_in) == of_days(count)


def summary_of(warnings: list[str]) -> Summary:
    """The summary of a run that had these."""
    summary = Summary()
    for warning in warnings:
        summary.warn(warning)
    return summary


def test_the_summary_counts_and_notes_each(tmp_path: Path) -> None:
    """The end of the run is short, the figures and the file have all."""
    summary = summary_of(of_days(67))
    summary.note(tmp_path / "last_run.json", FILE)
    [first, warning] = summary.lines()
    assert ", 67 warnings, 0 failed, " in first
    assert warning.startswith("warning: power 2023-12-27 to 2024-03-02 (67 warnings, ")
    noted = json.loads((tmp_path / "last_run.json").read_text())
    assert noted["warnings"] == of_days(67)


def test_a_summary_that_cannot_be_noted(tmp_path: Path) -> None:
    """Each warning is printed."""
    (tmp_path / "markers").write_text("no folder")
    summary = summary_of(of_days(67))
    summary.note(tmp_path / "markers/last_run.json", FILE)
    assert summary.lines()[1:] == [f"warning: {warning}" for warning in of_days(67)]
    assert (tmp_path / "markers").read_text() == "no folder"
