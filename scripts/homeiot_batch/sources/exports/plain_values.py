"""Single numbers of `double` fields, most of an export, on their way to the spool as columns."""

from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from homeiot_batch.sources.exports.evidence import Meter


class Target(Protocol):
    """A series, and the values of its declared tags."""

    series: str
    meter: Meter


class PlainValues:
    """Numbers that wait to be spooled. No row is made of each."""

    def __init__(self) -> None:
        self._targets: list[Target] = []
        self._columns: list[int] = []
        self._times: list[int] = []
        self._numbers: list[int] = []
        self._values: list[float] = []

    def __len__(self) -> int:
        return len(self._values)

    def add(self, target: Target, column: int, time: int, number: int, value: float) -> None:
        """Take in a value of the field `column`, from line `number`. Time in ns since the epoch."""
        self._targets.append(target)
        self._columns.append(column)
        self._times.append(time)
        self._numbers.append(number)
        self._values.append(value)

    def clear(self) -> None:
        """Forget the values, which are spooled."""
        for waiting in (
            self._targets,
            self._columns,
            self._times,
            self._numbers,
            self._values,
        ):
            waiting.clear()

    def table(self, schema: pa.Schema) -> pa.Table:
        """The values as rows of the spool: time, series, number, tags, fields, as in its `schema`.

        A row has the value of one field. The others are NULL.
        """
        known: dict[Target, int] = {}
        places = pa.array([known.setdefault(target, len(known)) for target in self._targets])
        tags = zip(*[target.meter for target in known], strict=True)
        columns = [
            pa.array(self._times, pa.int64()),
            pa.array([target.series for target in known]).take(places),
            pa.array(self._numbers, pa.int64()),
            *[pa.array(values, pa.string()).take(places) for values in tags],
        ]
        columns += self._fields(list(schema.types)[len(columns) :])
        return pa.table(columns, schema=schema)

    def _fields(self, types: list[pa.DataType]) -> list[pa.Array]:
        values = pa.array(self._values, pa.float64())
        columns = pa.array(self._columns, pa.int32())
        nothing = pa.scalar(None, pa.float64())
        fields = []
        for column, kind in enumerate(types):
            if kind == pa.float64():
                fields.append(pc.if_else(pc.equal(columns, column), values, nothing))
            else:
                fields.append(pa.nulls(len(values), kind))
        return fields
