"""The readings of the meters, out of the archive's Parquet files, a day at a time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from homeiot_batch.archive.day_bounds import DayBounds
from homeiot_batch.archive.day_file import damage_error, open_day, translate_read_errors
from homeiot_batch.config import SHIPPED_DATASET, Settings
from homeiot_batch.core.datasets import DUCKDB_TYPES, Dataset
from homeiot_batch.core.duckdb_connections import connect
from homeiot_batch.core.meter_series import Found, find_series
from homeiot_batch.core.sql_text import literal, quoted
from homeiot_batch.errors import ArchiveError, SettingsError
from homeiot_batch.export.columns import Column
from homeiot_batch.export.coverage import ArchivedDays
from homeiot_batch.export.queries import DAY_COMPLETE, SOURCE, offset
from homeiot_batch.export.request import Request
from homeiot_batch.export.rows import BATCH_ROWS, Rows
from homeiot_batch.warehouse.meter_columns import NUMBERS, TAG, undeclared_columns
from homeiot_batch.warehouse.table_vars import table_datasets

COLUMNS = (
    Column("time_utc", "utc_time"),
    Column("time_local", "local_time"),
    Column("utc_offset", "offset"),
    SOURCE,
    Column("register", "number"),
    Column("power_w", "w", exact=True),
    Column("import_counter_kwh", "kwh", exact=True),
    Column("export_counter_kwh", "kwh", exact=True),
    DAY_COMPLETE,
)
SCHEMA = pa.schema(
    [
        ("time_utc", pa.timestamp("us")),
        ("time_local", pa.timestamp("us")),
        ("utc_offset", pa.string()),
        ("source", pa.string()),
        ("register", pa.int16()),
        ("power_w", pa.float64()),
        ("import_counter_kwh", pa.float64()),
        ("export_counter_kwh", pa.float64()),
        ("day_complete", pa.bool_()),
    ]
)
ROLES = {"power": "power_w", "import": "import_counter_kwh", "export": "export_counter_kwh"}

# of each local day, which meters have all of it, by the tables
Complete = Mapping[date, Mapping[str, bool]]


def reading_rows(archive: "Readings") -> Rows:
    """The readings of the range, by time, of all registers and the power of the meters.

    They are as archived, in kWh and W. A day that is not archived has none.
    """
    return Rows(COLUMNS, SCHEMA, archive.batches())


def refuse_no_meters(settings: Settings) -> None:
    """SettingsError if no meter is declared, or the shipped dataset lacks a column of one."""
    if not table_datasets(settings):
        raise SettingsError(
            "config.yaml declares no meter; declare one under `meters`, or read the datasets from "
            f"{settings.layout.read_copy}"
        )
    if lacking := undeclared_columns(settings):
        raise SettingsError(lacking)


def archived_sources(settings: Settings, archived: ArchivedDays) -> list[str]:
    """The meters that are declared, or have readings on the archived days."""
    found = {name for name, meter in settings.meters.items() if meter.series}
    for day in sorted(archived.get(SHIPPED_DATASET, ())):
        dataset = settings.datasets[SHIPPED_DATASET]
        table = _read(settings, dataset, day, [TAG])
        with connect() as connection:
            connection.register("readings", table)
            value = _value(dataset, TAG, table)
            rows = connection.execute(f"SELECT DISTINCT {value} FROM readings").fetchall()
        found.update(source for (source,) in rows)
    return sorted(found)


@dataclass
class Readings:
    """The archived days of a request. `seen` has the days of each meter that were read so far."""

    settings: Settings
    request: Request
    archived: ArchivedDays
    complete: Complete
    seen: dict[str, set[date]] = field(default_factory=dict)
    _bounds: dict[str, DayBounds] = field(default_factory=dict)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows of one day after the other. ArchiveError for a day that cannot be read."""
        for day in sorted(set[date]().union(*self.archived.values())):
            try:
                yield from self._seen(day)
            except (duckdb.Error, pa.ArrowException) as error:
                reason = str(error).splitlines()[0]
                raise ArchiveError(
                    f"the readings of {day} cannot be exported ({reason}); "
                    "`homeiot verify` says what is wrong with the day"
                ) from None

    def _seen(self, day: date) -> Iterator[pa.RecordBatch]:
        with connect() as connection:
            for batch in self._of_day(connection, day):
                for source in batch.column("source").unique().to_pylist():
                    self.seen.setdefault(source, set()).add(day)
                yield batch

    def counts(self) -> Iterator[int]:
        """How many rows there are, as more and more of them are read."""
        rows = reading_rows(self)
        for _ in rows:
            yield rows.count

    def _of_day(self, connection: duckdb.DuckDBPyConnection, day: date) -> Iterator[pa.RecordBatch]:
        selects: list[str] = []
        for name, days in self.archived.items():
            if day in days:
                selects += self._of_dataset(connection, self.settings.datasets[name], day)
        if not selects:
            return
        query = self._joined(selects, day)
        reader = connection.sql(query, params={"sources": list(self.request.sources) or None})
        for batch in reader.to_arrow_reader(BATCH_ROWS):
            yield batch.cast(SCHEMA)

    def _of_dataset(
        self, connection: duckdb.DuckDBPyConnection, dataset: Dataset, day: date
    ) -> list[str]:
        """Registers the day's file under the name of the dataset. A query of each series of it."""
        series = [
            found
            for found in find_series(self.settings.meters, self.settings.datasets)
            if found.declared.dataset == dataset.name
        ]
        is_shipped = dataset.name == SHIPPED_DATASET
        wanted = [TAG, *NUMBERS] if is_shipped else [*dataset.tags, *dataset.fields]
        table = _read(self.settings, dataset, day, wanted)
        connection.register(dataset.name, table)
        end = self._end(dataset, day)
        if is_shipped:
            return [_shipped(dataset, table, end)]
        return [self._declared(dataset, found, table, end) for found in series]

    def _end(self, dataset: Dataset, day: date) -> datetime:
        """What the file of the next day holds too, where the zone's rules changed, is of that."""
        zone = self.settings.zone
        bounds = self._bounds.setdefault(
            dataset.name, DayBounds(self.settings.layout, dataset.name, zone)
        )
        return bounds.end_of_share(bounds.day(day))

    def _declared(self, dataset: Dataset, found: Found, table: pa.Table, end: datetime) -> str:
        """The series as stg_meter_readings has it."""
        scale = found.as_var()
        plain = _value(dataset, found.field, table)
        value = f"{plain}::DOUBLE * {scale['times']} / {scale['over']}"
        conditions = [_before(end), f"{plain} IS NOT NULL"]
        for tag, wanted in found.declared.where.items():
            conditions.append(f"{_value(dataset, tag, table)} = {literal(wanted)}")
        until = self.settings.meters[found.meter].until
        if until:
            local = f"timezone({literal(self.settings.tz)}, ts_utc)"
            conditions.append(f"{local} < DATE '{until}' + 1")
        values = dict.fromkeys(ROLES.values(), "NULL::DOUBLE") | {ROLES[found.role]: value}
        shown = ", ".join(f"{sql} AS {name}" for name, sql in values.items())
        return (
            f"SELECT ts_utc, {literal(found.meter)} AS source, {found.register} AS register, "
            f"{shown} FROM {quoted(dataset.name)} WHERE {' AND '.join(conditions)}"
        )

    def _joined(self, selects: list[str], day: date) -> str:
        """All series of the day in the columns of the export, by time."""
        flags = self.complete.get(day, {})
        cases = [f"WHEN {literal(name)} THEN {flag}" for name, flag in flags.items()]
        complete = "NULL"
        if cases:
            complete = f"CASE source {' '.join(cases)} END"
        zone = literal(self.settings.tz)
        return f"""
            WITH readings AS ({" UNION ALL ".join(selects)}),
            times AS (
                SELECT
                    timezone('UTC', ts_utc) AS time_utc,
                    timezone({zone}, ts_utc) AS time_local,
                    *
                FROM readings
            )
            SELECT
                time_utc,
                time_local,
                {offset("time_local", "time_utc")} AS utc_offset,
                source,
                register,
                power_w,
                import_counter_kwh,
                export_counter_kwh,
                {complete} AS day_complete
            FROM times
            WHERE $sources IS NULL OR list_contains($sources, source)
            ORDER BY time_utc, source, register
        """


def _shipped(dataset: Dataset, table: pa.Table, end: datetime) -> str:
    values = [_value(dataset, name, table) for name in (TAG, *NUMBERS)]
    source, power, imported, exported = values
    return (
        f"SELECT ts_utc, {source} AS source, 1 AS register, {power}::DOUBLE AS power_w, "
        f"{imported}::DOUBLE AS import_counter_kwh, {exported}::DOUBLE AS export_counter_kwh "
        f"FROM {quoted(dataset.name)} WHERE {_before(end)}"
    )


def _before(end: datetime) -> str:
    return f"ts_utc < TIMESTAMPTZ '{end.astimezone(UTC):%F %T.%f}+00'"


def _value(dataset: Dataset, name: str, table: pa.Table) -> str:
    """The tag or field in SQL. An older file may not have it: then it is as in the raw table."""
    if name in table.column_names:
        return quoted(name)
    kind = DUCKDB_TYPES.get(dataset.fields.get(name, "string"))
    return f"CAST({literal(dataset.absent(name))} AS {kind})"


def _read(settings: Settings, dataset: Dataset, day: date, wanted: list[str]) -> pa.Table:
    """The day's file, of the columns those that are wanted and in it. All pages are checked."""
    file = open_day(settings.layout.day(dataset.name, day))
    with (
        translate_read_errors(file.part),
        pq.ParquetFile(file.part, page_checksum_verification=True) as parquet,
    ):
        found = [name for name in wanted if name in parquet.schema_arrow.names]
        table = parquet.read(["ts_utc", *found])
    if len(table) != file.record.rows:
        raise damage_error(file.part, f"{len(table)} rows, written were {file.record.rows}")
    return table
