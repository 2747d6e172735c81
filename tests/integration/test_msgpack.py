"""What real servers answer in msgpack is what they answer in JSON, value by value."""

import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from homeiot_batch.config import Settings, load_settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.errors import SourceError
from homeiot_batch.sources.influx_reader import InfluxReader
from homeiot_batch.sources.influxdb import client
from homeiot_batch.sources.influxdb.uniform_rows import UniformRows
from tests.integration.servers import Influx1, Influx2
from tests.integration.test_limits import Limited1

pytestmark = pytest.mark.usefixtures("clean_environment")
BUCKET = "forms"
ODD = Dataset(
    measurement="odd",
    tags={"source": "none"},
    fields={"f": "double", "i": "integer", "g": "integer", "b": "boolean", "s": "string"},
).named("odd")
LINES = (
    rb'odd,source=a\ b f=-0,i=9007199254740993i,g=10,b=true,s="" %d',
    b'odd,source=\xe5\xb1\x85\xe9\x96\x93 f=1e21,i=-9223372036854775808i,b=false,s="x\x00y" %d',
    b'odd,source=bad\xff\xe5\xb1 f=1e-7,s="\xed\xa0\x80<&>" %d',
    b"odd i=9223372036854775807i,g=9007199254740992 %d",
    b"odd f=0.1,g=-0 %d",
    b"odd f=5e-324 %d",
    b"odd f=1.7976931348623157e308,b=true %d",
    "odd,source=⚡️ f=3,s=\"'quote' \\\\ 居間\" %d".encode(),
)


@pytest.fixture
def day(settings: Settings) -> LocalDay:
    """The day of the points."""
    return LocalDay(date(2025, 11, 10), settings.zone)


def write(server: Influx1 | Influx2, day: LocalDay, times: int = 1) -> None:
    """Write the lines so many times, each point at a time of its own, in ns."""
    lines = [LINES[number % len(LINES)] % (day.start_ns + number) for number in range(8 * times)]
    server.create(BUCKET)
    for start in range(0, len(lines), 5_000):
        server.write_lines(BUCKET, b"\n".join(lines[start : start + 5_000]))


Open = Callable[..., InfluxReader]


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens a reader of the bucket of a server."""

    def opened(server: Influx1 | Influx2, **given: Any) -> InfluxReader:
        for name, value in server.environment(BUCKET).items():
            monkeypatch.setenv(name, value)
        return InfluxReader(load_settings(given))

    return opened


def rows(source: InfluxReader, day: LocalDay) -> list[str]:
    """The rows of the day with each value as Python writes it: -0.0 is not 0.0."""
    return [str(row) for batch in source.read(ODD, day) for row in batch.to_pylist()]


@pytest.mark.parametrize("chunk_rows", ["3", "10000"])
def test_the_same_rows_in_both_forms(
    server: Influx1 | Influx2,
    day: LocalDay,
    reader: Open,
    chunk_rows: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All types, their limits, text that is no UTF-8, and what a point does not have."""
    write(server, day)
    packed = rows(reader(server, influx_chunk_rows=chunk_rows), day)
    monkeypatch.setattr(client, "has_msgpack", lambda _: False)
    assert packed == rows(reader(server, influx_chunk_rows=chunk_rows), day)
    assert len(packed) == len(LINES)
    assert f"'time': {day.start_ns}, 'source': 'a b', 'f': 0.0, 'i': 9007199254740993" in packed[0]


def test_rows_whose_forms_repeat(
    server: Influx1 | Influx2, day: LocalDay, reader: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of meters that are read in turn come as columns, and have the values that JSON has."""
    server.create(BUCKET)
    lines = []
    for second in range(1_250):
        time = day.start_ns + 3600 * 10**9 + second * 10**9
        lines.append(b"even,source=main f=%.1f,b=%d %d" % (second / 7, second, time))
        lines.append(b"even,source=solar f=%.1f %d" % (second / 9, time))
    server.write_lines(BUCKET, b"\n".join(lines))
    even = Dataset(measurement="even", tags={"source": ""}, fields={"f": "double", "b": "double"})
    source = reader(server, influx_chunk_rows="1000")
    found = source.client.rows_of_day('SELECT f::field, b::field, source::tag FROM "even"')
    assert [type(series.values) for series in found] == [UniformRows] * 3
    packed = [str(row) for batch in source.read(even, day) for row in batch.to_pylist()]
    monkeypatch.setattr(client, "has_msgpack", lambda _: False)
    source = reader(server, influx_chunk_rows="1000")
    in_json = [str(row) for batch in source.read(even, day) for row in batch.to_pylist()]
    assert packed == in_json
    assert len(packed) == 2_500


def test_the_form_that_is_answered(
    server: Influx1 | Influx2, day: LocalDay, reader: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each server answers the rows of a day in msgpack."""
    write(server, day)

    def refuse(_: object) -> Any:
        raise AssertionError("in msgpack")

    monkeypatch.setattr(client, "unpacked", refuse)
    with pytest.raises(AssertionError, match="in msgpack"):
        rows(reader(server), day)


@pytest.mark.parametrize("in_msgpack", [True, False])
def test_errors_have_the_same_words(
    server: Influx1 | Influx2,
    reader: Open,
    *,
    in_msgpack: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the server refuses is refused in both forms with one message."""
    if not in_msgpack:
        monkeypatch.setattr(client, "has_msgpack", lambda _: False)
    server.create(BUCKET)
    said = []
    for query in ("SELECT x", 'SELECT "x" FROM "nothing"."power"'):
        with pytest.raises(SourceError) as refused:
            list(reader(server).client.rows_of_day(query))
        said.append(str(refused.value).removeprefix(server.url))
    status, parsing = said[0].split(": ", 1)
    assert status == " answered 400"
    assert "found EOF, expected FROM" in parsing
    assert said[1].startswith(" answered: retention policy not found: nothing; ")


def test_an_answer_that_is_killed(tmp_path: Path, day: LocalDay, reader: Open) -> None:
    """The server ends an answer in the middle with an error: it is found in msgpack too."""
    with Limited1(tmp_path) as server:
        write(server, day, 60_000)
        server.limit(query_timeout="1s")
        source = reader(server, influx_chunk_rows="1000", influx_retries="1")
        series = source.client.rows_of_day('SELECT * FROM "odd"')
        next(series)
        threading.Event().wait(2)
        with pytest.raises(SourceError, match="answered: query-timeout limit exceeded; run again"):
            list(series)
