"""Days worked out by hand: a few readings each, and what they must become, in kWh."""

from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from tests.dbt.meters import Archive, readings_of

TOKYO, BERLIN, KATHMANDU = (
    ZoneInfo(name) for name in ("Asia/Tokyo", "Europe/Berlin", "Asia/Kathmandu")
)
VARIABLES = (
    "{sources: {wrap: {counter_wrap_kwh: 100000}, anew every day: {glitch_readings: 0}, small "
    "fuse: {max_power_kw: 2}}}"
)


class Day(NamedTuple):
    """What a day must show."""

    import_kwh: float | None
    estimated_kwh: float | None = 0.0
    reset_count: int = 0
    glitch_count: int = 0
    readings: int = 0
    step_back_count: int = 0


class Case(NamedTuple):
    """Readings of a meter, and its days."""

    readings: str
    days: dict[str, Day]
    zone: ZoneInfo = TOKYO
    missing: float | None = 0.0


CASES = {
    "ordinary": Case(
        """
        2026-11-09T10:00 100
        2026-11-09T11:00 101
        2026-11-09T12:00 102.5
        """,
        {"2026-11-09": Day(2.5, readings=3)},
    ),
    "missing fields": Case(
        """
        2026-11-09T10:00 100
        2026-11-09T10:20 0.0
        2026-11-09T10:40 0.0
        2026-11-09T11:00 102
        """,
        {"2026-11-09": Day(2.0, readings=4)},
    ),
    "missing fields as NULL": Case(
        """
        2026-11-09T10:00 100
        2026-11-09T10:20 -
        2026-11-09T11:00 102
        """,
        {"2026-11-09": Day(2.0, readings=3)},
        missing=None,
    ),
    "across midnight": Case(
        """
        2026-11-09T23:40 100
        2026-11-10T00:20 101
        """,
        {"2026-11-09": Day(0.5, readings=1), "2026-11-10": Day(0.5, readings=1)},
    ),
    "across midnight unevenly": Case(
        """
        2026-11-09T23:59:59.999999 100
        2026-11-10T00:00:00.000003 100.004
        """,
        {"2026-11-09": Day(0.001, readings=1), "2026-11-10": Day(0.003, readings=1)},
    ),
    "end of February": Case(
        """
        2028-02-28T23:45 10
        2028-02-29T00:15 11
        2028-02-29T23:30 11
        2028-03-01T00:30 12
        """,
        {
            "2028-02-28": Day(0.5, readings=1),
            "2028-02-29": Day(1.0, readings=2),
            "2028-03-01": Day(0.5, readings=1),
        },
    ),
    "clocks go forward": Case(
        """
        2026-03-28T23:00 100
        2026-03-29T00:00 101
        2026-03-30T00:00 124
        2026-03-30T01:00 125
        """,
        {
            "2026-03-28": Day(1.0, readings=1),
            "2026-03-29": Day(23.0, 23.0, readings=1),
            "2026-03-30": Day(1.0, readings=2),
        },
        BERLIN,
    ),
    "clocks go back": Case(
        """
        2026-10-25T00:00 101
        2026-10-26T00:00 126
        2026-10-26T01:00 127
        """,
        {"2026-10-25": Day(25.0, 25.0, readings=1), "2026-10-26": Day(1.0, readings=2)},
        BERLIN,
    ),
    "the hour that comes twice": Case(
        """
        2026-10-25T01:30+02:00 100
        2026-10-25T02:30+02:00 101
        2026-10-25T02:30+01:00 103
        2026-10-25T03:30+01:00 104
        """,
        {"2026-10-25": Day(4.0, readings=4)},
        BERLIN,
    ),
    "a zone of quarters": Case(
        """
        2026-11-09T23:30 100
        2026-11-10T00:30 101
        """,
        {"2026-11-09": Day(0.5, readings=1), "2026-11-10": Day(0.5, readings=1)},
        KATHMANDU,
    ),
    "reset": Case(
        """
        2026-11-09T10:00 100
        2026-11-09T11:00 101
        2026-11-09T12:00 0.5
        2026-11-09T13:00 1.5
        """,
        {"2026-11-09": Day(2.5, reset_count=1, readings=4)},
    ),
    "reset that stands at zero": Case(
        """
        2026-11-09T10:00 100
        2026-11-09T10:30 0.0
        2026-11-09T11:00 0.0
        2026-11-09T11:30 0.4
        """,
        {"2026-11-09": Day(0.4, reset_count=1, readings=4)},
    ),
    "reset at midnight": Case(
        """
        2026-11-09T22:00 99
        2026-11-09T23:00 100
        2026-11-10T00:00 0.4
        2026-11-10T01:00 1.0
        """,
        {"2026-11-09": Day(1.4, readings=2), "2026-11-10": Day(0.6, reset_count=1, readings=2)},
    ),
    "swap to lower": Case(
        """
        2026-11-09T10:00 5000
        2026-11-09T11:00 5001
        2026-11-09T12:00 300
        2026-11-09T13:00 301
        """,
        {"2026-11-09": Day(2.0, reset_count=1, readings=4)},
    ),
    "swap to higher": Case(
        """
        2026-11-09T10:00 500
        2026-11-09T11:00 501
        2026-11-09T12:00 5000
        2026-11-09T13:00 5001
        """,
        {"2026-11-09": Day(2.0, reset_count=1, readings=4)},
    ),
    "a jump that stays": Case(
        """
        2026-11-09T10:00 500
        2026-11-09T11:00 501
        2026-11-09T12:00 560
        2026-11-09T13:00 561
        2026-11-09T14:00 562
        """,
        {"2026-11-09": Day(3.0, reset_count=1, readings=5)},
    ),
    "glitch up": Case(
        """
        2026-11-09T10:00 100
        2026-11-09T10:20 9000
        2026-11-09T10:40 101
        2026-11-09T11:00 102
        """,
        {"2026-11-09": Day(2.0, glitch_count=1, readings=4)},
    ),
    "glitch up that could have been energy": Case(
        """
        2026-11-09T10:00 100
        2026-11-09T10:20 110
        2026-11-09T10:40 101
        2026-11-09T11:00 102
        """,
        {"2026-11-09": Day(2.0, glitch_count=1, readings=4)},
    ),
    "glitch down": Case(
        """
        2026-11-09T10:00 100
        2026-11-09T10:20 3
        2026-11-09T10:40 101
        2026-11-09T11:00 102
        """,
        {"2026-11-09": Day(2.0, glitch_count=1, readings=4)},
    ),
    "glitch of two, with a hole in it": Case(
        """
        2026-11-09T10:00 100
        2026-11-09T10:10 9000
        2026-11-09T10:20 0.0
        2026-11-09T10:30 3
        2026-11-09T10:40 101
        2026-11-09T11:00 102
        """,
        {"2026-11-09": Day(2.0, glitch_count=2, readings=6)},
    ),
    "four in a row are no glitch": Case(
        """
        2026-11-09T10:00 100
        2026-11-09T10:10 9000
        2026-11-09T10:11 9000
        2026-11-09T10:12 9000
        2026-11-09T10:13 9000
        2026-11-09T10:30 101
        2026-11-09T10:40 102
        """,
        {"2026-11-09": Day(1.0, reset_count=2, readings=7)},
    ),
    "glitch at midnight": Case(
        """
        2026-11-09T23:40 100
        2026-11-10T00:00 9000
        2026-11-10T00:20 101
        2026-11-10T00:30 101.5
        """,
        {"2026-11-09": Day(0.5, readings=1), "2026-11-10": Day(1.0, glitch_count=1, readings=3)},
    ),
    "glitches that take turns with readings": Case(
        """
        2026-11-09T10:00 100
        2026-11-09T10:10 9000
        2026-11-09T10:20 101
        2026-11-09T10:30 9000
        2026-11-09T10:40 102
        2026-11-09T10:50 103
        """,
        {"2026-11-09": Day(3.0, glitch_count=2, readings=6)},
    ),
    "anew every day": Case(
        """
        2026-11-09T23:00 20
        2026-11-10T00:00 0.5
        2026-11-10T01:00 22
        """,
        {"2026-11-09": Day(0.5, readings=1), "2026-11-10": Day(21.5, reset_count=1, readings=2)},
    ),
    "wrap": Case(
        """
        2026-11-09T10:00 99998
        2026-11-09T11:00 99999.5
        2026-11-09T12:00 0.5
        2026-11-09T13:00 1
        """,
        {"2026-11-09": Day(3.0, readings=4)},
    ),
    "small fuse": Case(
        """
        2026-11-09T10:00 100
        2026-11-09T11:00 101
        2026-11-09T12:00 105
        2026-11-09T13:00 107
        2026-11-09T14:00 109
        """,
        {"2026-11-09": Day(5.0, reset_count=1, readings=5)},
    ),
    "noise": Case(
        """
        2026-11-09T10:00 7.004
        2026-11-09T11:00 7.0
        2026-11-09T12:00 8.0
        """,
        {"2026-11-09": Day(0.996, readings=3)},
    ),
    "more than noise": Case(
        """
        2026-11-09T10:00 1000.006
        2026-11-09T11:00 1000.0
        2026-11-09T12:00 1000.0
        """,
        {"2026-11-09": Day(0.0, readings=3, step_back_count=1)},
    ),
    "one reading": Case(
        "2026-11-09T10:00 7", {"2026-11-09": Day(None, None, readings=1)}, missing=None
    ),
    "an empty day": Case(
        """
        2026-11-09T23:00 100
        2026-11-11T01:00 126
        """,
        {
            "2026-11-09": Day(1.0, 1.0, readings=1),
            "2026-11-10": Day(24.0, 24.0),
            "2026-11-11": Day(1.0, 1.0, readings=1),
        },
    ),
    "a gap of three days": Case(
        """
        2026-11-29T23:30 100
        2026-11-30T00:00 101
        2026-12-03T00:00 173
        2026-12-03T00:30 174
        """,
        {
            "2026-11-29": Day(1.0, readings=1),
            "2026-11-30": Day(24.0, 24.0, readings=1),
            "2026-12-01": Day(24.0, 24.0),
            "2026-12-02": Day(24.0, 24.0),
            "2026-12-03": Day(1.0, readings=2),
        },
    ),
    "a new meter": Case(
        """
        2026-11-09T10:00 0.0
        2026-11-09T10:30 0.0
        2026-11-09T11:00 0.3
        2026-11-09T11:30 0.9
        """,
        {"2026-11-09": Day(0.9, readings=4)},
    ),
    "not yet delivered": Case(
        """
        2026-11-09T10:00 0.0
        2026-11-09T10:30 0.0
        2026-11-09T11:00 5000
        2026-11-09T11:30 5001
        """,
        {"2026-11-09": Day(1.0, readings=4)},
    ),
    "always zero": Case(
        """
        2026-11-09T10:00 0.0
        2026-11-09T11:00 0.0
        2026-11-10T11:00 0.0
        """,
        {"2026-11-09": Day(0.0, 0.0, readings=2), "2026-11-10": Day(0.0, 0.0, readings=1)},
    ),
    "two values at one time": Case(
        """
        2026-11-09T10:00 100
        2026-11-09T10:30 101
        2026-11-09T10:30 700
        2026-11-09T11:00 102
        """,
        {"2026-11-09": Day(2.0, glitch_count=2, readings=4)},
    ),
    "two values at one time beside holes": Case(
        """
        2026-11-09T10:00 0.0
        2026-11-09T10:30 101
        2026-11-09T10:30 700
        2026-11-09T11:00 0.0
        2026-11-10T11:00 0.0
        """,
        {
            "2026-11-09": Day(None, glitch_count=2, readings=4),
            "2026-11-10": Day(None, readings=1),
        },
    ),
    "a day of two values at one time beside holes": Case(
        """
        2026-11-09T10:00 100
        2026-11-10T10:00 0.0
        2026-11-10T10:30 101
        2026-11-10T10:30 700
        2026-11-10T11:00 0.0
        2026-11-11T10:00 124
        """,
        {
            "2026-11-09": Day(7.0, 7.0, readings=1),
            "2026-11-10": Day(12.0, 12.0, glitch_count=2, readings=4),
            "2026-11-11": Day(5.0, 5.0, readings=1),
        },
    ),
    "holes before the first of few values": Case(
        """
        2026-11-09T10:00 0.0
        2026-11-09T10:01 4000
        2026-11-09T10:02 0.0
        2026-11-09T10:30 0.0
        2026-11-09T11:00 4001
        2026-11-09T11:01 0.0
        """,
        {"2026-11-09": Day(1.0, readings=6)},
    ),
    "one of two sources": Case(
        """
        2026-11-09T10:00 10
        2026-11-09T11:00 14
        """,
        {"2026-11-09": Day(4.0, readings=2)},
    ),
    "the other of two sources": Case(
        """
        2026-11-09T10:00 4000
        2026-11-09T11:00 4008
        """,
        {"2026-11-09": Day(8.0, readings=2)},
    ),
}


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[ZoneInfo, Archive]:
    """The cases of each zone in one archive, built: the name of a case is that of its meter."""
    found = {}
    for zone in {case.zone for case in CASES.values()}:
        archive = Archive(tmp_path_factory.mktemp("house") / "home_energy.duckdb", zone)
        archive.load(
            reading
            for name, case in CASES.items()
            if case.zone == zone
            for reading in readings_of(name, case.readings, zone, case.missing)
        )
        archive.build("--vars", VARIABLES)
        found[zone] = archive
    return found


@pytest.mark.parametrize("name", CASES)
def test_days_by_hand(name: str, archives: dict[ZoneInfo, Archive]) -> None:
    """The days of the case, all of them, and only those."""
    rows = archives[CASES[name].zone].query(
        f"SELECT date_jst, {', '.join(Day._fields)} FROM fct_daily_energy WHERE source = ? ORDER "
        "BY ALL",
        name,
    )
    assert [row[0] for row in rows] == [date.fromisoformat(day) for day in CASES[name].days]
    assert [tuple(row[1:]) for row in rows] == [
        pytest.approx(tuple(day), abs=1e-9) for day in CASES[name].days.values()
    ]


@pytest.mark.parametrize(
    ("name", "energies"),
    [
        ("two values at one time beside holes", [None, None]),
        ("a day of two values at one time beside holes", [0.0, None, 0.0]),
        ("holes before the first of few values", [1.0]),
        ("always zero", [0.0, 0.0]),
    ],
)
def test_difference_inside_the_day(
    name: str, energies: list[float | None], archives: dict[ZoneInfo, Archive]
) -> None:
    """`daily_energy_kwh` is the highest less the lowest reading, and NULL without a reading."""
    rows = archives[CASES[name].zone].query(
        "SELECT daily_energy_kwh FROM fct_daily_energy WHERE source = ? ORDER BY date_jst", name
    )
    assert [kwh for (kwh,) in rows] == energies


@pytest.mark.parametrize(("name", "hours"), [("clocks go forward", 23), ("clocks go back", 25)])
def test_hours_of_days_on_which_the_clocks_change(
    name: str, hours: int, archives: dict[ZoneInfo, Archive]
) -> None:
    """A kWh in each of 23 or 25 hours, each told apart by UTC."""
    rows = archives[BERLIN].query(
        """SELECT count(*), count(DISTINCT hour_start_utc), count(DISTINCT hour_jst),
          min(import_kwh), max(import_kwh)
        FROM fct_hourly_energy
        WHERE source = ? AND date_jst = (
          SELECT date_jst FROM fct_daily_energy WHERE source = ? AND estimated_kwh > 0)""",
        name,
        name,
    )
    assert rows == [(hours, hours, min(hours, 24), pytest.approx(1), pytest.approx(1))]


def test_the_hour_that_comes_twice(archives: dict[ZoneInfo, Archive]) -> None:
    """2:00 in summer time and 2:00 in winter time are two rows."""
    rows = archives[BERLIN].query(
        "SELECT hour_jst::VARCHAR, hour_start_utc::VARCHAR, import_kwh FROM fct_hourly_energy "
        "WHERE source = 'the hour that comes twice' ORDER BY 2"
    )
    assert rows == [
        ("2026-10-25 01:00:00", "2026-10-24 23:00:00", pytest.approx(0.5)),
        ("2026-10-25 02:00:00", "2026-10-25 00:00:00", pytest.approx(1.5)),
        ("2026-10-25 02:00:00", "2026-10-25 01:00:00", pytest.approx(1.5)),
        ("2026-10-25 03:00:00", "2026-10-25 02:00:00", pytest.approx(0.5)),
    ]


def test_hours_of_a_zone_of_quarters(archives: dict[ZoneInfo, Archive]) -> None:
    """At 5:45 from UTC an hour begins at a quarter past."""
    rows = archives[KATHMANDU].query(
        "SELECT hour_jst::VARCHAR, hour_start_utc::VARCHAR, import_kwh FROM fct_hourly_energy "
        "ORDER BY 2"
    )
    assert rows == [
        ("2026-11-09 23:00:00", "2026-11-09 17:15:00", pytest.approx(0.5)),
        ("2026-11-10 00:00:00", "2026-11-09 18:15:00", pytest.approx(0.5)),
    ]


@pytest.mark.parametrize(
    ("name", "energies"),
    [
        ("ordinary", [2.5]),
        ("reset", [None]),
        ("swap to higher", [None]),
        ("wrap", [None]),
        ("reset at midnight", [1.0, 0.6]),
        ("glitch up", [2.0]),
    ],
)
def test_energy_within_the_day(
    name: str, energies: list[float | None], archives: dict[ZoneInfo, Archive]
) -> None:
    """Highest less lowest reading.

    None where the counter began again in the day, but where it did so between two days.
    """
    rows = archives[TOKYO].query(
        "SELECT daily_energy_kwh FROM fct_daily_energy WHERE source = ? ORDER BY date_jst", name
    )
    assert [row[0] for row in rows] == [pytest.approx(energy) for energy in energies]
