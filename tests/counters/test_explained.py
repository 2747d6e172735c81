"""The example of the page on how counters are judged."""

from datetime import datetime

import pytest

from homeiot_batch.config import ROOT
from tests.counters.judging import judge

PAGE = ROOT / "docs/explanation/how-counters-are-judged.md"


def test_the_example_of_the_page() -> None:
    """The plug without power has the page's energy, and its day is marked."""
    lines = [line for line in PAGE.read_text().splitlines() if " kWh | " in line]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    clocks, shown = [row[0] for row in rows], [float(row[1].split()[0]) for row in rows]
    times = [datetime.fromisoformat(f"2026-11-09T{clock}") for clock in clocks]
    energies = [float(row[3].split()[0]) for row in rows if "kWh" in row[3]]
    found = judge(zip(times, shown, strict=True))
    assert found.kinds == ["first", "step back"]
    assert found.kwh == pytest.approx(sum(energies)) == pytest.approx(1.7)
    assert all(day.is_marked for day in found.days.values())
