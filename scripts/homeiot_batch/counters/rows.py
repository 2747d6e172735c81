"""What was judged, as rows of int_counter_judged: quarters, events and states."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

import duckdb

from homeiot_batch.counters.arrow_lists import as_table
from homeiot_batch.counters.energy import Quarter
from homeiot_batch.counters.judge import Judged
from homeiot_batch.counters.limits import QUARTER

# the temporary table that the rows go to
TABLE = "judged_anew"
# more rows go there by way of Arrow, as this table
MOST_WITHOUT_ARROW = 10_000
VALUES = "judged_values"
MOST_DAYS = 1000  # of any registers that wait. A statement costs as much as some hundred rows
OPEN_DAY = (date.max - date(1970, 1, 1)).days
TIME = "TIMESTAMP"
OF_KEY = {"source": "VARCHAR", "counter": "VARCHAR", "register": "SMALLINT"}
OF_DAY = {
    "judged_utc": "DATE",
    "is_open": "BOOLEAN",
    "row_kind": "VARCHAR",
}
OF_QUARTER = {
    "at_utc": TIME,
    "kwh": "DOUBLE",
    "estimated_kwh": "DOUBLE",
    "back_kwh": "DOUBLE",
    "readings": "INTEGER",
    "accepted": "INTEGER",
    "glitches": "INTEGER",
    "resets": "INTEGER",
    "step_backs": "INTEGER",
    "backwards": "INTEGER",
    "longest_step_s": "DOUBLE",
    "steps": "INTEGER",
    "steps_s": "DOUBLE",
    "lowest_kwh": "DOUBLE",
    "highest_kwh": "DOUBLE",
    "fell_from_utc": TIME,
}
OF_EVENT = {
    "at_utc": TIME,
    "kind": "VARCHAR",
    "reading_kwh": "DOUBLE",
    "from_utc": TIME,
    "step_kwh": "DOUBLE",
    "back_kwh": "DOUBLE",
    "until_utc": TIME,
}
OF_STATE = {"state": "VARCHAR", "learned_kw": "DOUBLE"}
COLUMNS = OF_KEY | OF_DAY | OF_QUARTER | OF_EVENT | OF_STATE


class Key(NamedTuple):
    """A register of a source. Most counters have one, a meter with two tariffs has two."""

    source: str
    counter: str
    register: int = 1


class DayRows(NamedTuple):
    """A UTC day (days since 1970) of a register. Without a state what is open at the end."""

    key: Key
    day: int
    state: str | None
    learned_kw: float | None
    judged: Judged

    @property
    def shown_day(self) -> int:
        """The day. What is open has the last of all days, so that it is found without a scan."""
        return OPEN_DAY if self.state is None else self.day


@dataclass
class Rows:
    """Days of registers that are not in the temporary table yet."""

    connection: duckdb.DuckDBPyConnection
    days: list[DayRows] = field(default_factory=list)

    def add(self, days: DayRows) -> None:
        """Add a day, or what is open."""
        self.days.append(days)
        if len(self.days) >= MOST_DAYS:
            self.flush()

    def flush(self) -> None:
        """Put the days into the table."""
        self._insert_quarters()
        self._insert_events()
        self._insert_states()
        self.days.clear()

    def drop(self, key: Key) -> None:
        """Take all rows of the register out again."""
        self.days = [row for row in self.days if row.key != key]
        self.connection.execute(
            f"DELETE FROM {TABLE} WHERE source = ? AND counter = ? AND register = ?", list(key)
        )

    def _insert_quarters(self) -> None:
        rows = []
        found = []
        for row in self.days:
            for number, quarter in sorted(row.judged.energy.quarters.items(), key=itemgetter(0)):
                rows.append(row)
                found.append((number, quarter))
        quarters = [quarter for _, quarter in found]
        columns = {name: _shown_by(quarters, name) for name in list(OF_QUARTER)[1:]}
        columns["at_utc"] = [number * QUARTER for number, _ in found]
        self._insert("quarter", OF_QUARTER, rows, columns)

    def _insert_events(self) -> None:
        rows = []
        events = []
        for row in self.days:
            rows += [row] * len(row.judged.events)
            events += row.judged.events
        if not events:
            return
        by_column = [list(values) for values in zip(*events, strict=True)]
        self._insert("event", OF_EVENT, rows, dict(zip(OF_EVENT, by_column, strict=True)))

    def _insert_states(self) -> None:
        rows = [row for row in self.days if row.state is not None]
        columns = {
            "state": [row.state for row in rows],
            "learned_kw": [row.learned_kw for row in rows],
        }
        self._insert("state", OF_STATE, rows, columns)

    def _insert(
        self, kind: str, types: dict[str, str], rows: list[DayRows], columns: dict[str, list[Any]]
    ) -> None:
        if not rows:
            return
        given: dict[str, object] = {"row_kind": kind}
        lists = {
            "judged_day": [row.shown_day for row in rows],
            "is_open": [row.state is None for row in rows],
        }
        keys = zip(*(row.key for row in rows), strict=True)
        of_key = zip(Key._fields, map(list, keys), strict=True)
        for name, values in (*of_key, *columns.items()):
            if _is_constant(values):
                given[name] = values[0]
            else:
                lists[name] = values
        self._insert_lists(types, given, lists)

    def _insert_lists(
        self, types: dict[str, str], given: dict[str, object], lists: dict[str, list[Any]]
    ) -> None:
        if len(lists["judged_day"]) <= MOST_WITHOUT_ARROW:
            sql = _insert_sql(types, given, f"(SELECT {_unnested(types, lists)})")
            self.connection.execute(sql, given | lists)
            return
        self.connection.register(VALUES, as_table(lists))
        self.connection.execute(_insert_sql(types, given, VALUES), given)
        self.connection.unregister(VALUES)


def create_table(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the temporary table, empty."""
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {TABLE} ({columns})")


def _shown_by(quarters: Sequence[Quarter], name: str) -> list[Any]:
    return list(map(attrgetter(name.removesuffix("_utc")), quarters))


def _is_constant(values: list[Any]) -> bool:
    return values.count(values[0]) == len(values)


def _insert_sql(types: dict[str, str], given: Container[str], values: str) -> str:
    """SQL that inserts what is given as one value for all rows, and the columns of `values`."""
    stored = OF_KEY | types
    columns = ", ".join(f"{_stored(name, kind, given)} AS {name}" for name, kind in stored.items())
    return f"""
        INSERT INTO {TABLE} BY NAME
        SELECT
            DATE '1970-01-01' + judged_day::INTEGER AS judged_utc,
            is_open,
            $row_kind AS row_kind,
            {columns}
        FROM {values}
        """


def _stored(name: str, kind: str, given: Container[str]) -> str:
    """A column as the table has it. Times are µs since 1970."""
    value = f"${name}" if name in given else name
    if kind == TIME:
        return f"make_timestamp({value}::BIGINT)"
    return f"{value}::{kind}"


def _unnested(types: dict[str, str], lists: Iterable[str]) -> str:
    """The lists as columns."""
    kinds = OF_KEY | types | {"judged_day": "INTEGER", "is_open": "BOOLEAN"}
    columns = []
    for name in lists:
        kind = kinds[name].replace(TIME, "BIGINT")
        columns.append(f"unnest(${name}::{kind}[]) AS {name}")
    return ", ".join(columns)
