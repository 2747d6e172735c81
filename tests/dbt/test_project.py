"""What the dbt project says of itself, on an archive of one day."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.dbt.meters import Archive, Reading, readings_of


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """A meter that is read twice."""
    found = Archive(tmp_path / "home_energy.duckdb")
    found.load(readings_of("a", "2026-11-09T10:00 100\n2026-11-09T11:00 101", found.zone))
    return found


def test_every_rule_and_table_by_hand(archive: Archive) -> None:
    """The unit tests of the models."""
    archive.build()
    assert "ERROR=0" in archive.dbt("test", "--select", "test_type:unit")


@pytest.mark.slow
def test_docs_are_generated_without_a_warning(archive: Archive) -> None:
    """Nothing is said but that it was done."""
    archive.build()
    assert "warn" not in archive.dbt("docs", "generate").lower()


@pytest.mark.slow
def test_freshness_tells_old_readings_from_new(archive: Archive) -> None:
    """Readings of last night pass. Those of long ago alone are an error."""
    with pytest.raises(AssertionError, match="ERROR STALE"):
        archive.dbt("source", "freshness")
    now = datetime.now(UTC).replace(tzinfo=None)
    fresh: list[Reading] = [(now, "a", 1.0, 102.0, 0.0)]
    archive.load(fresh)
    assert "PASS freshness" in archive.dbt("source", "freshness")


@pytest.mark.slow
def test_coverage_and_completeness(tmp_path: Path) -> None:
    """Coverage of a whole day, one with half of its readings, and one with a gap.

    One day of another meter has a swap, whose step is not accepted.
    """
    archive = Archive(tmp_path / "home_energy.duckdb")
    every_half_hour = [
        f"2026-11-{9 + k // 48:02}T{k % 48 // 2:02}:{30 * (k % 2):02} {100 + k / 4}"
        for k in range(4 * 48)
    ]
    archive.load(
        readings_of("a", "\n".join(every_half_hour[:72] + every_half_hour[144:]), archive.zone)
    )
    swapped = [
        line if k < 24 else line.replace(" 1", " 51") for k, line in enumerate(every_half_hour[:48])
    ]
    archive.load(readings_of("swapped", "\n".join(swapped), archive.zone))
    archive.build()
    shown = (
        "SELECT source, date_jst::VARCHAR, round(coverage, 3), longest_gap_s, is_complete, "
        "reset_count FROM fct_daily_energy ORDER BY ALL"
    )
    assert archive.query(shown) == [
        ("a", "2026-11-09", 1.0, 1800.0, True, 0),
        ("a", "2026-11-10", 0.5, 131_400.0, False, 0),
        ("a", "2026-11-11", 0.0, 131_400.0, False, 0),
        ("a", "2026-11-12", 1.0, 1800.0, True, 0),
        ("swapped", "2026-11-09", 0.979, 1800.0, False, 1),
    ]
