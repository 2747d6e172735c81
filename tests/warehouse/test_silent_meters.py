"""Meters that died are named by doctor, status and the report, and not where they stand still."""

import json
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from homeiot_batch.commands.status import DayStatus, show_status
from homeiot_batch.config import load_settings
from homeiot_batch.doctor.finding import warning
from homeiot_batch.doctor.house import check_house
from homeiot_batch.report.figures import Meter
from homeiot_batch.report.panel import silent_since
from homeiot_batch.warehouse.on_change_datasets import find_on_change_datasets
from homeiot_batch.warehouse.silent_meters import FIX, find_silent_counters

pytestmark = pytest.mark.usefixtures("clean_environment")

SINCE = datetime(2026, 11, 11, 10)
FOUND = "its import counter has no readings after 2026-11-11 10:00:00"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """One as a build leaves it, with a meter whose two registers are silent."""
    path = tmp_path / "home.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute(
            """
            CREATE TABLE int_silent_registers AS
            SELECT 'pump' AS source, 'import' AS counter, register, false AS is_power,
                TIMESTAMP '2026-11-11 09:45:00' + register * INTERVAL 15 MINUTE AS silent_since_jst
            FROM range(1, 3) AS registers (register)
            """
        )
    return path


def test_doctor_warns_of_it(database: Path) -> None:
    """Once for each counter, with the time from which the first of its registers is silent."""
    settings = load_settings({"duckdb_path": str(database)})
    found = [one for one in check_house(settings, settings.layout) if one.name == "pump"]
    assert found == [warning("pump", FOUND, FIX)]


def test_a_meter_from_power_is_named_once(database: Path) -> None:
    """It has no counters."""
    with duckdb.connect(database) as connection:
        connection.execute(
            """
            INSERT INTO int_silent_registers
            SELECT 'grid', counter, 1, true, TIMESTAMP '2026-11-11 09:00:00'
            FROM unnest(['import', 'export']) AS counters (counter)
            """
        )
    named = [one.found for one in find_silent_counters(database)]
    assert named == ["its power has no readings after 2026-11-11 09:00:00", FOUND]


def test_status_notes_it(
    database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside the table, so that the output for programs stays as it is."""
    monkeypatch.setenv("PARQUET_BASE_DIR", str(database.parent / "parquet"))
    monkeypatch.setenv("MARKER_DIR", str(database.parent / "markers"))
    monkeypatch.setenv("DUCKDB_PATH", str(database))
    with pytest.raises(SystemExit):
        show_status(as_json=True, config=[])
    assert f"note: pump: {FOUND}; {FIX}\n" in capsys.readouterr().err


def test_without_tables_none_is_silent(tmp_path: Path) -> None:
    """Nor where there is no database yet."""
    path = tmp_path / "home.duckdb"
    assert find_silent_counters(path) == []
    duckdb.connect(path).close()
    assert find_silent_counters(path) == []


METER = Meter("pump", "load", datetime(2026, 11, 9, 23), True, False, True, 60)


@pytest.mark.parametrize(
    ("meter", "since"),
    [
        (METER, METER.last_reading),
        (replace(METER, last_reading=datetime(2026, 11, 12, 4)), None),
        (replace(METER, silent_since=SINCE), SINCE),
        (replace(METER, reports="on_change"), None),
        (replace(METER, reports="both"), None),
        (replace(METER, until=date(2026, 11, 11)), None),
        (replace(METER, reports="on_change", silent_since=SINCE), SINCE),
    ],
)
def test_the_report_has_a_notice(meter: Meter, since: datetime | None) -> None:
    """One that reports on change may have no reading on the last day, and yet live."""
    assert silent_since(meter, date(2026, 11, 12)) == since


@pytest.mark.parametrize(
    ("said", "learned", "expected"),
    [
        (None, "on_change", {"energy"}),
        (None, "both", {"energy"}),
        (None, "interval", set()),
        (None, None, set()),
        ("interval", "on_change", set()),
        ("on_change", "interval", {"energy"}),
        ("on_change", None, {"energy"}),
    ],
)
def test_the_datasets_on_change(
    said: str | None, learned: str | None, expected: set[str], tmp_path: Path
) -> None:
    """Those of the meters that say so, and of those of which it was learned."""
    energy = {"measurement": "kWh", "fields": {"value": "double"}}
    meter = {"kind": "load", "import": {"dataset": "energy"}} | ({"reports": said} if said else {})
    database = tmp_path / "home.duckdb"
    content = {"datasets": {"energy": energy, "other": energy}, "meters": {"pump": meter}}
    file = tmp_path / "config.yaml"
    file.write_text(json.dumps(content | {"duckdb_path": str(database)}))
    if learned:
        with duckdb.connect(database) as connection:
            connection.execute(
                f"CREATE TABLE dim_source AS SELECT 'pump' AS source, '{learned}' AS reports"
            )
    assert find_on_change_datasets(load_settings({}, file)) == expected


def test_a_day_of_a_dataset_on_change_is_not_partial() -> None:
    """How many readings it has says nothing. What is missing is missing all the same."""
    day = DayStatus("energy", date(2026, 11, 9), True, True, 57, 0.4, 36000.0, on_change=True)
    assert day.kind == "on change"
    assert replace(day, share=1.0).kind == "whole"
    assert replace(day, rows=0).kind == "empty"
    assert (replace(day, loaded=False).kind, replace(day, loaded=False).is_missing) == (
        "not loaded",
        True,
    )
    assert replace(day, on_change=False).kind == "partial"
