"""From points to archived rows."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from homeiot_batch.archive.transform import to_rows
from homeiot_batch.config import load_settings
from homeiot_batch.core.datasets import Dataset

NOW = datetime(2026, 11, 23, 15, 5, tzinfo=UTC)
SHIPPED = load_settings().datasets["raw_meter_readings"]
ROOMS = Dataset(
    measurement="climate",
    tags={"room": "none"},
    fields={"temperature_c": "double", "n": "integer", "open": "boolean", "note": "string"},
).named("rooms")


def rows(dataset: Dataset, *points: dict[str, Any]) -> list[dict[str, Any]]:
    """The archived rows of points given by column."""
    batch = pa.RecordBatch.from_pylist(list(points), schema=dataset.raw_schema())
    return to_rows(batch, dataset, "Asia/Tokyo", NOW).to_pylist()


def test_missing_fields_become_zero_and_absent_tags_the_default() -> None:
    """The request's rule for meter readings: a whole row, in the declared order."""
    row = rows(
        SHIPPED, {"time": 1794150000 * 10**9, "instant_power_w": None, "energy_import_kwh": 4.5}
    )[0]
    assert list(row) == [
        "ts_utc",
        "ts_jst",
        "source",
        "instant_power_w",
        "energy_import_kwh",
        "energy_export_kwh",
        "ingested_at",
    ]
    instant = datetime(2026, 11, 8, 15, 0, tzinfo=UTC)
    assert list(row.values()) == [instant, instant, "meter1", 0.0, 4.5, 0.0, NOW]
    assert str(row["ts_jst"]) == "2026-11-09 00:00:00+09:00"


def test_an_empty_tag_is_an_absent_one() -> None:
    """InfluxDB shows an absent tag as null or as an empty string, by the form of the query."""
    assert rows(SHIPPED, {"time": 0, "source": "", "instant_power_w": 1.0})[0]["source"] == "meter1"


def test_nanoseconds_are_floored() -> None:
    """Rounded, the day's last nanosecond would fall into the next day. Before 1970 too."""
    found = [
        row["ts_utc"]
        for row in rows(
            SHIPPED,
            {"time": 1794236399_999_999_999},
            {"time": -1},
            {"time": 1794236399_999_999_500},
        )
    ]
    last = datetime(2026, 11, 9, 14, 59, 59, 999999, tzinfo=UTC)
    assert found == [last, datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), last]


def test_a_dataset_may_keep_null() -> None:
    """Without `missing`, what was not measured stays NULL, in every type."""
    row = rows(
        ROOMS,
        {"time": 0, "room": "küche", "temperature_c": 20.5},
        {"time": 0, "n": 3, "open": True, "note": "x"},
    )
    assert [list(r.values())[2:-1] for r in row] == [
        ["küche", 20.5, None, None, None],
        ["none", None, 3, True, "x"],
    ]


def test_the_schema_has_zones_and_microseconds() -> None:
    """The archived types, as the request orders them."""
    assert [str(kind) for kind in SHIPPED.arrow_schema("Asia/Tokyo").types] == [
        "timestamp[us, tz=UTC]",
        "timestamp[us, tz=Asia/Tokyo]",
        "string",
        "double",
        "double",
        "double",
        "timestamp[us, tz=UTC]",
    ]


def test_the_table_is_the_requests() -> None:
    """The DDL follows from the declaration, and is the one of the request."""
    assert SHIPPED.ddl() == (
        'CREATE TABLE IF NOT EXISTS "raw_meter_readings" ("ts_utc" TIMESTAMP, "ts_jst" TIMESTAMP, '
        '"source" VARCHAR, '
        '"instant_power_w" DOUBLE, "energy_import_kwh" DOUBLE, "energy_export_kwh" DOUBLE, '
        '"ingested_at" TIMESTAMP)'
    )
