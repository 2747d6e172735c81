"""Meters that are silent or incomplete, and the month, by tables as a build publishes them."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import duckdb
import pytest

from homeiot_batch.config import Settings
from homeiot_batch.messages.faults import NightEnd
from tests.messages.nights import GOOD, Nights, nights_of, without_checks

TABLES = """
CREATE TABLE dim_source (
    source VARCHAR, display_name VARCHAR, kind VARCHAR, energy_from VARCHAR, reports VARCHAR,
    until_jst DATE, first_reading_jst TIMESTAMP, last_reading_jst TIMESTAMP,
    silent_since_jst TIMESTAMP, has_import BOOLEAN, has_export BOOLEAN, has_power BOOLEAN,
    import_interval_s DOUBLE
);
CREATE TABLE fct_daily_energy (
    date_jst DATE, source VARCHAR, is_complete BOOLEAN, coverage DOUBLE, longest_gap_s DOUBLE,
    reset_count INTEGER, step_back_count INTEGER, backwards_count INTEGER
);
CREATE TABLE fct_monthly_energy (
    month_jst DATE, source VARCHAR, import_kwh DOUBLE, export_kwh DOUBLE, estimated_kwh DOUBLE
);
"""
type Day = tuple[object, ...] | None
FIRST = datetime(2026, 10, 3)
YESTERDAY = date(2026, 11, 23)  # of the settings
SILENT = (
    "1 new fault\nNew:\n- the meter grid has no readings after 2026-11-21 10:00; check whether the "
    "device works, or if it was taken out give its last day as `until`"
)
PARTIAL = (
    "1 new fault\nNew:\n- the meter grid is incomplete on 2026-11-23: 99.8 % of the readings, "
    "longest gap 1 h 30 min, 2 resets or steps back of its counter; check its connection, and look "
    "at the day in the report"
)


@pytest.fixture
def nights(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Nights:
    """Of a house with a read copy without meters."""
    without_checks(monkeypatch, "check_disks", "check_empty_days")
    copy = settings.layout.read_copy
    copy.parent.mkdir(parents=True)
    with duckdb.connect(copy) as connection:
        connection.execute(TABLES)
    return nights_of(settings, monkeypatch, "json://one/")


@pytest.fixture
def put(settings: Settings) -> Callable[..., None]:
    """Makes the meter what it is now, with the values of yesterday and of the days before."""

    def make(source: str = "grid", day: Day = None, *before: Day, **of: object) -> None:
        values = {"source": source, "reports": "interval", "first_reading_jst": FIRST} | of
        values.setdefault("last_reading_jst", datetime(2026, 11, 23, 23, 59))
        with duckdb.connect(settings.layout.read_copy) as connection:
            connection.execute("DELETE FROM dim_source WHERE source = ?", [source])
            names = ", ".join(values)
            marks = ", ".join("?" * len(values))
            connection.execute(
                f"INSERT INTO dim_source ({names}) VALUES ({marks})", list(values.values())
            )
            connection.execute("DELETE FROM fct_daily_energy WHERE source = ?", [source])
            for age, figures in enumerate([day, *before]):
                if figures:
                    row = [YESTERDAY - timedelta(days=age), source, *figures]
                    connection.execute("INSERT INTO fct_daily_energy VALUES (?,?,?,?,?,?,?,?)", row)

    return make


WHOLE = (True, 1.0, 60.0, 0, 0, 0)
BROKEN = (False, 0.9989, 5400.0, 1, 1, 0)


def test_a_silent_meter(nights: Nights, put: Callable[..., None]) -> None:
    """Told once, and once that it has readings again. Its incomplete day is no second fault."""
    put(day=(False, 0.0, None, 0, 0, 0), silent_since_jst=datetime(2026, 11, 21, 10))
    assert nights.end(GOOD) == [SILENT]
    assert nights.end(GOOD) == []
    put(day=BROKEN)
    told = nights.end(GOOD)
    assert [one.splitlines()[0] for one in told] == ["1 new, 1 over"]
    assert told[0].endswith("Over:\n- the meter grid has readings again")


def test_a_meter_that_is_not_declared(nights: Nights, put: Callable[..., None]) -> None:
    """It is silent if its last reading lies before yesterday, as the report says."""
    put(last_reading_jst=datetime(2026, 11, 21, 10))
    assert nights.end(GOOD) == [SILENT]
    put(last_reading_jst=datetime(2026, 11, 21, 10), until_jst=date(2026, 11, 21))
    assert nights.end(GOOD) == ["1 fault is over\nOver:\n- the meter grid has readings again"]
    put("car", reports="on_change", last_reading_jst=datetime(2026, 11, 20))
    assert nights.end(GOOD) == []


def test_an_incomplete_day(nights: Nights, put: Callable[..., None]) -> None:
    """Told once, until three days are complete. The share is rounded down: only all is 100 %."""
    put(day=BROKEN)
    assert nights.end(GOOD) == [PARTIAL]
    assert nights.end(GOOD) == []
    put(day=None)  # no row: nothing can be said
    assert nights.end(GOOD) == []
    for before in ([], [WHOLE, BROKEN], [WHOLE, None], [BROKEN, WHOLE]):
        put("grid", WHOLE, *before)
        assert nights.end(GOOD) == []
    put("grid", WHOLE, WHOLE, WHOLE, BROKEN)
    assert nights.end(GOOD) == [
        "1 fault is over\nOver:\n- the meter grid has been complete for 3 days"
    ]
    put("grid", BROKEN, WHOLE, WHOLE)
    assert nights.end(GOOD) == [PARTIAL]


def test_what_is_no_fault(nights: Nights, put: Callable[..., None]) -> None:
    """The first day of a meter, and one of which nothing can be said."""
    put(day=BROKEN, first_reading_jst=datetime(2026, 11, 23, 15))
    put("solar", day=(None, None, None, 0, 0, 0))
    assert nights.end(GOOD) == []


def test_tables_of_another_night_say_nothing(nights: Nights, put: Callable[..., None]) -> None:
    """Nor does a read copy that cannot be read, or is not there."""
    failed = NightEnd(1, failures=["dbt: model x: it failed"])
    nights.end(failed)
    put(day=BROKEN)
    assert nights.end(failed) == []
    nights.settings.layout.read_copy.write_text("no database")
    assert nights.end(GOOD) == ["1 fault is over\nOver:\n- dbt works again"]
    nights.settings.layout.read_copy.unlink()
    assert (nights.end(GOOD), nights.warnings) == ([], [])


def test_a_meter_that_is_gone(nights: Nights, put: Callable[..., None]) -> None:
    """It is not called complete."""
    put(day=BROKEN)
    nights.end(GOOD)
    with duckdb.connect(nights.settings.layout.read_copy) as connection:
        connection.execute("DELETE FROM dim_source")
    assert nights.end(GOOD) == ["1 fault is over\nOver:\n- grid is no longer checked"]


@pytest.fixture
def october(nights: Nights, put: Callable[..., None]) -> Nights:
    """A house with three meters in October, of which the tables reach the month's end."""
    first_day = datetime(2026, 10, 30, 12)
    put("grid", has_export=True, kind="grid", display_name="House")
    put("sun", has_export=False, kind="solar", first_reading_jst=first_day)
    put("new", has_export=False)
    with duckdb.connect(nights.settings.layout.read_copy) as connection:
        connection.execute(
            """
            INSERT INTO fct_monthly_energy VALUES
                ('2026-10-01', 'grid', 1234.56, 7.891, 3.0), ('2026-10-01', 'sun', 20, NULL, 0),
                ('2026-11-01', 'grid', 1, 1, 0), ('2026-11-01', 'new', 1, NULL, 0);
            INSERT INTO fct_daily_energy (date_jst, source, is_complete)
            SELECT day::DATE, 'grid', day.day NOT IN (5, 7, 8, 9)
            FROM generate_series(DATE '2026-10-01', DATE '2026-10-31', INTERVAL 1 DAY) AS d (day)
            WHERE day.day <> 8;
            INSERT INTO fct_daily_energy (date_jst, source, is_complete)
            VALUES ('2026-10-30', 'sun', true), ('2026-10-31', 'sun', true)
            """.replace("day.day", "day(day)")
        )
    return nights


MONTH = (
    "energy of October 2026\n"
    "- House: bought 1,235 kWh, sold 7.89 kWh (3.00 kWh of it estimated); "
    "not complete: 2026-10-05, 2026-10-07 to 2026-10-09\n"
    "- sun: produced 20.0 kWh; all days are complete\n"
    "The report has every day of it."
)


def test_the_month(october: Nights) -> None:
    """Sent once, when it is asked for. Days that are incomplete or not there are named."""
    assert october.end(GOOD) == []
    assert october.end(GOOD, notify_monthly=True) == [MONTH]
    assert october.end(GOOD, notify_monthly=True) == []


def test_the_month_in_japanese(october: Nights) -> None:
    """Kinds, dates and figures as the Japanese report has them."""
    october.end(GOOD, notify_monthly=True, report_language="ja")
    [letter] = october.letters
    assert letter.subject == "HomeIoT: 2026年10月の電力量"
    assert letter.body.splitlines() == [
        (
            "- House: 買電 1,235kWh、売電 7.89kWh、うち3.00kWhは推定"
            "(欠測のある日: 2026年10月5日、2026年10月7日〜2026年10月9日)"
        ),
        "- sun: 発電 20.0kWh(全日欠測なし)",
        "毎日の内訳はレポートにあります。",
    ]


def test_a_month_that_was_not_sent_is_sent_the_next_night(october: Nights) -> None:
    """As any message."""
    october.down = {1}
    assert october.end(GOOD, notify_monthly=True) == []
    october.down = set()
    assert october.end(GOOD, notify_monthly=True) == [MONTH]


@pytest.mark.parametrize(
    ("now", "is_sent"),
    [
        ("2026-10-31T14:59:00+00:00", False),  # 23:59 of the last day in Japan
        ("2026-10-31T15:10:00+00:00", True),
        ("2026-11-30T14:59:00+00:00", True),
        ("2026-11-30T15:10:00+00:00", False),  # of November, whose end is in no table yet
    ],
)
def test_a_month_ends_at_the_house(october: Nights, now: str, is_sent: bool) -> None:
    """By its own clock, and only when the tables have its last day."""
    sent = october.end(GOOD, notify_monthly=True, now=datetime.fromisoformat(now))
    assert [one for one in sent if one.startswith("energy of ")] == [MONTH] * is_sent
