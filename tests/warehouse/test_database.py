"""The columns of a table are found by its name, whatever else the name means to DuckDB."""

import duckdb
import pytest

from homeiot_batch.warehouse.database import columns_of


@pytest.mark.parametrize("name", ["climate", "tables", "databases", "variables", "schemas"])
def test_columns_of_a_table(name: str) -> None:
    """DESCRIBE alone would list the tables or databases for some of the names."""
    with duckdb.connect() as connection:
        assert columns_of(connection, f'"{name}"') == []
        connection.execute(f'CREATE TABLE "{name}" (ts_utc TIMESTAMP, room VARCHAR)')
        connection.execute("CREATE TABLE other (number DOUBLE)")
        assert columns_of(connection, f'"{name}"') == [("ts_utc", "TIMESTAMP"), ("room", "VARCHAR")]
