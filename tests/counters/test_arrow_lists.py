"""Lists that come from DuckDB by way of Arrow, and go there."""

import duckdb

from homeiot_batch.counters.arrow_lists import as_table, rows_with_lists

QUERY = """
    SELECT n % 3 AS key, 'meter' || n % 3 AS name, list(n::BIGINT ORDER BY n) AS whole,
        list(n / 8 ORDER BY n) AS parts
    FROM range({rows}) AS numbers (n) GROUP BY ALL ORDER BY key
"""


def test_the_rows_are_those_that_duckdb_gives() -> None:
    """Also where they come in several batches, and where there are none."""
    connection = duckdb.connect()
    for rows in (0, 1, 1000):
        query = QUERY.format(rows=rows)
        assert list(rows_with_lists(connection.sql(query))) == connection.sql(query).fetchall()
    many = "SELECT n AS key, [n::DOUBLE, 0.5, 'nan'::DOUBLE] AS list FROM range(5000) AS t (n)"
    [*_, last] = rows = list(rows_with_lists(connection.sql(many)))
    assert len(rows) == 5000
    assert str(last) == "(4999, [4999.0, 0.5, nan])"


def test_a_table_holds_the_lists() -> None:
    """With NULL where there is no value."""
    connection = duckdb.connect()
    table = as_table({"kwh": [0.1, None], "kind": ["rise", None], "at": [1, 2**62]})
    connection.register("given", table)
    assert connection.sql("FROM given").fetchall() == [(0.1, "rise", 1), (None, None, 2**62)]
