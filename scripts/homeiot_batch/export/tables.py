"""The rows of dbt's tables: of the read copy, and quarters of an hour of the database itself."""

import contextlib
from collections.abc import Generator, Sequence
from datetime import date
from pathlib import Path

import duckdb

from homeiot_batch.config import Settings
from homeiot_batch.core.duckdb_connections import connect
from homeiot_batch.core.near_names import hint
from homeiot_batch.core.sql_text import quoted
from homeiot_batch.errors import DatabaseBusy, DatabaseError, SettingsError
from homeiot_batch.export.columns import Column
from homeiot_batch.export.queries import OF_COSTS, TABLES
from homeiot_batch.export.request import Request
from homeiot_batch.export.rows import BATCH_ROWS, Rows
from homeiot_batch.warehouse.database import open_database

REBUILD = "run `snakemake --forcerun dbt`, which builds and publishes it anew"
NO_KINDS = (
    "there is no balance: no meter is of the kind grid, solar or battery; "
    "set the kinds under `meters` in config.yaml, and run again"
)
CURRENCIES = """
SELECT DISTINCT currency
FROM fct_daily_cost
WHERE
    date_jst BETWEEN $first AND $last
    AND coalesce(import_cost, feed_in_revenue) IS NOT NULL
    AND ($sources IS NULL OR list_contains($sources, source))
ORDER BY ALL
"""


COMPLETE_DAYS = """
SELECT date_jst, source, coalesce(is_complete, false)
FROM fct_daily_energy
WHERE date_jst BETWEEN $first AND $last
"""


@contextlib.contextmanager
def open_tables(settings: Settings, what: str) -> Generator[duckdb.DuckDBPyConnection]:
    """A connection to the file that has the tables of the export.

    The read copy, which no run locks. It has no quarters of an hour, which are in the database
    alone. DatabaseError if there is no such file, if it cannot be read, or if it is of another
    house. DatabaseBusy while a run has the database.
    """
    file = settings.layout.read_copy
    if what == "quarters":
        file = settings.duckdb_path
    _refuse_closed(file)
    try:
        with _connection(file, is_copy=what != "quarters") as connection:
            _refuse_other_zone(connection, file, settings.tz, is_copy=what != "quarters")
            yield connection
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        lacking = f"{file} lacks a table or column ({_first_line(error)})"
        raise DatabaseError(f"{lacking}; {REBUILD}") from None
    except duckdb.Error as error:
        raise DatabaseError(f"{file} cannot be read ({_first_line(error)}); {REBUILD}") from None


@contextlib.contextmanager
def _connection(file: Path, *, is_copy: bool) -> Generator[duckdb.DuckDBPyConnection]:
    if is_copy:
        with connect(file, read_only=True) as connection:
            yield connection
        return
    try:
        with open_database(file, read_only=True) as connection:
            yield connection
    except DatabaseBusy as error:
        raise DatabaseError(
            f"{file} is in use ({error.holder}), probably by a run, and has the quarters of an "
            "hour alone; wait until the run is over, or export hours"
        ) from None


def _refuse_closed(file: Path) -> None:
    try:
        file.open("rb").close()
    except (FileNotFoundError, NotADirectoryError):
        raise DatabaseError(
            f"there is no {file}: the tables are not built; run `homeiot run`, which builds them"
        ) from None
    except OSError as error:
        raise DatabaseError(
            f"{file} cannot be read ({error.strerror}); see to its permissions and those of its "
            "folders, or run as the user of the batch"
        ) from None


def _refuse_other_zone(
    connection: duckdb.DuckDBPyConnection, file: Path, tz: str, *, is_copy: bool
) -> None:
    table = "archive.house"
    if is_copy:
        table = "read_copy"
    [(found,)] = connection.execute(f"SELECT max(tz) FROM {table}").fetchall()
    if found != tz:
        raise DatabaseError(
            f"{file} has the days of TZ={found}, but TZ={tz}; set TZ={found}, or {REBUILD}"
        )


def refuse_unknown_sources(known: Sequence[str], request: Request) -> None:
    """SettingsError for a meter that is not known, with the name that was probably meant."""
    for source in request.sources:
        if source in known:
            continue
        if not known:
            raise SettingsError(f"--source={source!r} is no meter: there is none yet; run again")
        raise SettingsError(f"--source={source!r} is no meter; {hint(source, known)}")


def known_sources(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The meters of the tables."""
    rows = connection.execute("SELECT source FROM dim_source ORDER BY source").fetchall()
    return [source for (source,) in rows]


def complete_days(
    connection: duckdb.DuckDBPyConnection, request: Request
) -> dict[date, dict[str, bool]]:
    """Of each day of the range, which meters have it whole."""
    span = {"first": request.first, "last": request.last}
    found: dict[date, dict[str, bool]] = {}
    for day, source, is_complete in connection.execute(COMPLETE_DAYS, span).fetchall():
        found.setdefault(day, {})[source] = is_complete
    return found


def table_rows(connection: duckdb.DuckDBPyConnection, request: Request) -> Rows:
    """The rows of the export."""
    query, columns = TABLES[request.what]
    currencies = _currencies(connection, request)
    if not currencies:
        columns = tuple(column for column in columns if column.name not in OF_COSTS)
    shown = ", ".join(_rounded(column) for column in columns)
    reader = connection.sql(
        f"SELECT {shown} FROM ({query})", params=request.params
    ).to_arrow_reader(BATCH_ROWS)
    currency = currencies[0] if len(currencies) == 1 else None
    return Rows(columns, reader.schema, iter(reader), currency)


def count_rows(connection: duckdb.DuckDBPyConnection, request: Request) -> int:
    """How many rows the export has."""
    query, _ = TABLES[request.what]
    found = connection.execute(f"SELECT count(*) FROM ({query})", request.params)
    [(count,)] = found.fetchall()
    return count


def refuse_no_balance(connection: duckdb.DuckDBPyConnection) -> None:
    """DatabaseError if the house has no meter that a balance is made of."""
    [(count,)] = connection.execute("SELECT count(*) FROM fct_daily_balance").fetchall()
    if not count:
        raise DatabaseError(NO_KINDS)


def _currencies(connection: duckdb.DuckDBPyConnection, request: Request) -> list[str]:
    """Those of the prices in the range."""
    if request.what not in ("days", "months"):
        return []
    found = connection.execute(CURRENCIES, request.params).fetchall()
    return [currency or "" for (currency,) in found]


def _rounded(column: Column) -> str:
    name = quoted(column.name)
    if column.digits is None:
        return name
    return f"round({name}, {column.digits}) AS {name}"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
