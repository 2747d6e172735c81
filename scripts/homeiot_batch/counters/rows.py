"""What was judged, as rows of int_counter_judged: quarters, events and states."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

import pyarrow as pa

from homeiot_batch.counters.judge import Judged
from homeiot_batch.counters.limits import QUARTER

OPEN_DAY = (date.max - date(1970, 1, 1)).days
INSTANT = pa.timestamp("us")
SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("counter", pa.string()),
        ("judged_utc", pa.date32()),
        ("is_open", pa.bool_()),
        ("row_kind", pa.string()),
        ("at_utc", INSTANT),
        # of a quarter of an hour
        ("kwh", pa.float64()),
        ("estimated_kwh", pa.float64()),
        ("back_kwh", pa.float64()),
        ("readings", pa.int32()),
        ("accepted", pa.int32()),
        ("glitches", pa.int32()),
        ("resets", pa.int32()),
        ("step_backs", pa.int32()),
        ("backwards", pa.int32()),
        ("longest_step_s", pa.float64()),
        ("steps", pa.int32()),
        ("steps_s", pa.float64()),
        ("lowest_kwh", pa.float64()),
        ("highest_kwh", pa.float64()),
        ("fell_from_utc", INSTANT),
        # of an event
        ("kind", pa.string()),
        ("reading_kwh", pa.float64()),
        ("from_utc", INSTANT),
        ("step_kwh", pa.float64()),
        ("until_utc", INSTANT),
        # of a state
        ("state", pa.string()),
        ("learned_kw", pa.float64()),
    ]
)
OF_QUARTER = SCHEMA.names[6:21]
OF_EVENT = ["at_utc", "kind", "reading_kwh", "from_utc", "step_kwh", "back_kwh", "until_utc"]


class DayRows(NamedTuple):
    """A UTC day (days since 1970) of a counter; without a state what is open at the end."""

    day: int
    state: str | None
    learned_kw: float
    judged: Judged

    @property
    def shown_day(self) -> int:
        """The day; of what is open the last of all days, so that it is found without a scan."""
        return OPEN_DAY if self.state is None else self.day


@dataclass
class Rows:
    """Days of a counter that are in no batch yet, and the batches before, by window."""

    source: str
    counter: str
    days: list[DayRows] = field(default_factory=list)
    batches: list[tuple[int, pa.RecordBatch]] = field(default_factory=list)

    def add(self, day: int, state: str | None, learned_kw: float, judged: Judged) -> None:
        """Add a day, or what is open."""
        self.days.append(DayRows(day, state, learned_kw, judged))

    def flush(self, window: int) -> None:
        """Put the days into batches."""
        parts = (self._quarters(), self._events(), self._states())
        self.batches += [(window, part) for part in parts if part.num_rows]
        self.days.clear()

    def _quarters(self) -> pa.RecordBatch:
        found = [
            (row, number, row.judged.energy.quarters[number])
            for row in self.days
            for number in sorted(row.judged.energy.quarters)
        ]
        quarters = [quarter for _, _, quarter in found]
        columns = {
            name: [getattr(quarter, name.removesuffix("_utc")) for quarter in quarters]
            for name in OF_QUARTER
        }
        columns["at_utc"] = [number * QUARTER for _, number, _ in found]
        return self._batch("quarter", [row for row, _, _ in found], columns)

    def _events(self) -> pa.RecordBatch:
        found = [(row, event) for row in self.days for event in row.judged.events]
        columns = {
            name: [event[place] for _, event in found] for place, name in enumerate(OF_EVENT)
        }
        return self._batch("event", [row for row, _ in found], columns)

    def _states(self) -> pa.RecordBatch:
        rows = [row for row in self.days if row.state is not None]
        columns = {
            "state": [row.state for row in rows],
            "learned_kw": [row.learned_kw for row in rows],
        }
        return self._batch("state", rows, columns)

    def _batch(self, kind: str, rows: list[DayRows], columns: dict[str, list]) -> pa.RecordBatch:
        count = len(rows)
        given = {
            name: pa.array(values, SCHEMA.field(name).type) for name, values in columns.items()
        }
        given |= {
            "source": pa.repeat(self.source, count),
            "counter": pa.repeat(self.counter, count),
            "judged_utc": pa.array([row.shown_day for row in rows], pa.int32()).cast(pa.date32()),
            "is_open": pa.array([row.state is None for row in rows], pa.bool_()),
            "row_kind": pa.repeat(kind, count),
        }
        arrays = [given.get(column.name, pa.nulls(count, column.type)) for column in SCHEMA]
        return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def table_of(rows: Iterable[Rows]) -> pa.Table:
    """All rows as one table, in order of time: later scans may skip the rest."""
    batches = [batch for part in rows for batch in part.batches]
    batches.sort(key=lambda batch: batch[0])
    return pa.Table.from_batches([batch for _, batch in batches], SCHEMA)
