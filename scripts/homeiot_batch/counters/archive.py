"""Judges the counters of the archive: all days, or those that changed and what follows from them.

The judge sees each UTC day of a counter once, in order, with the state that the day before left.
A day that changed is judged again from the state before it, and so are the days after it, until
one leaves the state that it left before: from there on nothing can differ.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from itertools import chain
from typing import NamedTuple

import duckdb

from homeiot_batch.core.sql_text import literal
from homeiot_batch.counters.judge import Judged, ZerosWereHoles, judge_day, judge_end
from homeiot_batch.counters.limits import DAY, Limits
from homeiot_batch.counters.power import (
    PowerState,
    Silence,
    judge_power_day,
    judge_power_end,
)
from homeiot_batch.counters.readings import (
    DayReadings,
    count_of,
    days_of,
    power_days_of,
    silences_of,
)
from homeiot_batch.counters.rows import TABLE, DayRows, Key, Rows, create_table
from homeiot_batch.counters.state import State

EPOCH = date(1970, 1, 1)
WINDOW = 31  # days that are read at once at most
MOST_READINGS = 3_000_000  # that are read at once, but for a day with more
LOOK_BACK = timedelta(days=2)  # longer than power may stand at 0 W
# counted up where the judge judges otherwise: what was judged by other rules is judged again
RULES = 2
ALWAYS = -(10**6)  # a day before all others


class Span(NamedTuple):
    """Days of a register (UTC, since 1970, both included) whose rows are replaced."""

    source: str
    counter: str
    register: int
    first: int
    last: int
    replaces_open: bool


@dataclass
class CounterRun:
    """A counter on its way through the archive. `dirty` are the changed days ahead, in order."""

    rows: Rows
    key: Key
    limits: Limits
    dirty: list[int]
    stored: dict[int, str]
    state: State = field(default_factory=State)
    active_from: int | None = None
    last_day: int | None = None
    is_flipped: bool = False
    spans: list[Span] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.judged_by = f"{RULES}, {self.limits.text}"

    def take(self, readings: DayReadings) -> None:
        """Judge the day, if it or the state before it changed."""
        day = readings.day
        if self.active_from is None and self.dirty and day >= self.dirty[0]:
            self._start()
        if self.active_from is None:
            return
        judged = self.judge_day(readings)
        text = self.text() + self.judged_by
        self._add(day, text, judged)
        self.last_day = day
        self.dirty = [other for other in self.dirty if other > day]
        if self.stored.get(day) == text:
            self._stop(day, replaces_open=False)

    def finish(self) -> None:
        """Judge what waits for later readings by what there is."""
        if self.active_from is None and self.dirty:
            self._start()
        if self.active_from is None:
            return
        if self.last_day is not None:
            self._add(self.last_day, None, self.judge_end())
        self._stop(-ALWAYS, replaces_open=True)

    def _add(self, day: int, state: str | None, judged: Judged) -> None:
        self.rows.add(DayRows(self.key, day, state, self.learned_kw(), judged))

    def _start(self) -> None:
        self.active_from = self.dirty[0]
        before = [day for day in self.stored if day < self.active_from]
        self.last_day = max(before, default=None)
        if self.last_day is not None:
            text = self.stored[self.last_day]
            self.restore(text[: text.rindex("}") + 1])
        elif self.active_from != ALWAYS:
            self.restart()

    def _stop(self, day: int, replaces_open: bool) -> None:
        if self.active_from is not None:
            self.spans.append(Span(*self.key, self.active_from, day, replaces_open))
        self.active_from = None

    # what is judged, and how its state is kept

    def judge_day(self, readings: DayReadings) -> Judged:
        """What the day became. It takes the state to its end."""
        return judge_day(self.state, readings.times, readings.values, self.limits)

    def judge_end(self) -> Judged:
        """What is open at the end."""
        return judge_end(self.state, self.limits)

    def text(self) -> str:
        """The state."""
        return self.state.to_json()

    def restore(self, text: str) -> None:
        """Go on from a state."""
        self.state = State.from_json(text)
        if self.state.skips_zeros and not self.state.tail:
            # what changed may show that the zeros are readings after all
            raise ZerosWereHoles

    def restart(self) -> None:
        """Begin without any reading."""
        self.state = State()

    def learned_kw(self) -> float | None:
        """Most that it may deliver by its own history, in kW."""
        return self.state.learned_kw(self.limits)

    def flipped(self) -> "CounterRun":
        """The same counter from its first day on, its first zeros taken the other way."""
        self.rows.drop(self.key)
        state = State(skips_zeros=not self.state.skips_zeros)
        return CounterRun(self.rows, self.key, self.limits, [ALWAYS], {}, state)


@dataclass
class PowerRun(CounterRun):
    """The power of a meter without registers on its way through the archive."""

    power: PowerState = field(default_factory=PowerState)
    # when its dataset was silent, on the days that were looked at
    silences: list[Silence] = field(default_factory=list)
    looked_at: range = range(0)

    def judge_day(self, readings: DayReadings) -> Judged:
        """The day's energy."""
        if readings.day not in self.looked_at:
            self._look_at_writer(readings.day)
        times = readings.times
        return judge_power_day(self.power, times, readings.values, self.limits, self.silences)

    def _look_at_writer(self, day: int) -> None:
        """Find when its dataset was silent, if it may stand at 0 W while that goes on."""
        self.looked_at = range(day, day + WINDOW)
        if self.limits.writer is not None:
            first = _instant(day) - LOOK_BACK
            end = _instant(day + WINDOW)
            self.silences = silences_of(
                self.rows.connection, self.limits.writer, first, end, self.limits.max_gap_s
            )

    def judge_end(self) -> Judged:
        """What is open at the end."""
        if self.limits.writer_at is not None:
            self._look_at_writer(self.limits.writer_at // DAY)
        return judge_power_end(self.power, self.limits, self.silences)

    def text(self) -> str:
        """The state."""
        return self.power.to_json()

    def restore(self, text: str) -> None:
        """Go on from a state."""
        self.power = PowerState.from_json(text)

    def restart(self) -> None:
        """Begin without any reading."""
        self.power = PowerState()

    def learned_kw(self) -> float | None:
        """Power needs no limit of its own."""
        return None


def _new_run(
    rows: Rows,
    key: Key,
    limits: Limits,
    dirty: list[int],
    stored: dict[int, str],
) -> CounterRun:
    kind = CounterRun
    if limits.is_power:
        kind = PowerRun
    return kind(rows, key, limits, dirty, stored)


def judge_archive(
    connection: duckdb.DuckDBPyConnection,
    limits: Mapping[Key, Limits],
    changed: Sequence[date] | None,
    judged_table: str,
) -> tuple[duckdb.DuckDBPyRelation, list[Span]]:
    """The rows of the days that must be judged, and the spans of days that they replace.

    The rows come from a temporary table, sorted by time, so that a later scan of a few days can
    skip the others. `changed` are local days whose readings changed. None judges all.
    `judged_table` has the rows as they are.
    """
    create_table(connection)
    rows = Rows(connection)
    runs = _counter_runs(rows, limits, changed, judged_table)
    kept: list[CounterRun] = []
    while runs:
        _run(rows, runs)
        kept += [run for run in runs if not run.is_flipped]
        runs = [run.flipped() for run in runs if run.is_flipped]
    spans = [span for run in kept for span in run.spans]
    return connection.sql(f"FROM {TABLE} ORDER BY judged_utc"), spans


def _counter_runs(
    rows: Rows,
    limits: Mapping[Key, Limits],
    changed: Sequence[date] | None,
    judged_table: str,
) -> list[CounterRun]:
    if changed is None:
        return [_new_run(rows, key, own, [ALWAYS], {}) for key, own in limits.items()]
    # local time is less than a day from UTC
    dirty = sorted({(day - EPOCH).days + n for day in changed for n in (-1, 0, 1)})
    if not dirty:
        return []
    stored = _stored_states(rows.connection, judged_table, EPOCH + timedelta(days=dirty[0]))
    return [
        _new_run(rows, key, own, list(dirty), stored.get(key, {})) for key, own in limits.items()
    ]


def _stored_states(
    connection: duckdb.DuckDBPyConnection, judged_table: str, first: date
) -> dict[Key, dict[int, str]]:
    """The states from the first day on, and the last one before it, by counter and day."""
    rows = connection.execute(
        f"""
        WITH former AS (
            SELECT source, counter, register, max(judged_utc) AS judged_utc FROM {judged_table}
            WHERE row_kind = 'state' AND judged_utc < $first GROUP BY ALL
        )
        SELECT source, counter, register, judged_utc, state FROM {judged_table}
        WHERE row_kind = 'state'
            AND judged_utc >= least((SELECT min(judged_utc) FROM former), $first)
            AND (judged_utc >= $first OR (source, counter, register, judged_utc) IN (FROM former))
        """,
        {"first": first},
    ).fetchall()
    found: dict[Key, dict[int, str]] = {}
    for *key, day, state in rows:
        found.setdefault(Key(*key), {})[(day - EPOCH).days] = state
    return found


def _run(rows: Rows, runs: list[CounterRun]) -> None:
    by_key = {run.key: run for run in runs}
    for days in _windows(rows.connection, by_key):
        for readings in days:
            run = by_key.get(Key(readings.source, readings.counter, readings.register))
            if run and not run.is_flipped:
                _try(run, partial(run.take, readings))
    for run in runs:
        if not run.is_flipped:
            _try(run, run.finish)
    rows.flush()


def _windows(
    connection: duckdb.DuckDBPyConnection, by_key: Mapping[Key, CounterRun]
) -> Iterator[Iterator[DayReadings]]:
    """The days to be judged, a month at a time, or less of many readings."""
    runs = list(by_key.values())
    if all(run.dirty == [ALWAYS] for run in runs):
        yield from _read_ahead(connection, by_key)
        return
    for first, end in _changed_spans(connection, runs):
        yield _days(connection, first, end, by_key)


def _read_ahead(
    connection: duckdb.DuckDBPyConnection, by_key: Mapping[Key, CounterRun]
) -> Iterator[Iterator[DayReadings]]:
    """All days. While those of a window are judged, a thread reads the next ones."""
    oldest, newest = _bounds(connection, 0)
    # the thread ends before its cursor is closed
    with contextlib.closing(connection.cursor()) as cursor, ThreadPoolExecutor(1) as executor:
        # a cursor begins with the default path
        [[path]] = connection.execute("SELECT current_setting('search_path')").fetchall()
        cursor.execute(f"SET search_path = {literal(path)}")
        waiting = None
        start = oldest
        while start <= newest:
            end = _end_of_window(connection, start, newest, MOST_READINGS // 2)
            following = executor.submit(_days, cursor, _instant(start), _instant(end), by_key)
            if waiting:
                yield waiting.result()
            waiting = following
            start = end
        if waiting:
            yield waiting.result()


def _days(
    connection: duckdb.DuckDBPyConnection,
    first: datetime,
    end: datetime,
    by_key: Mapping[Key, CounterRun],
) -> Iterator[DayReadings]:
    """The days of counters, and of the power of meters without."""
    powers = [key for key, run in by_key.items() if run.limits.is_power]
    sources = {key.source for key in by_key} - {key.source for key in powers}
    found = []
    if sources:
        found.append(days_of(connection, first, end, sources))
    if powers:
        counters = {(key.source, key.register): key.counter for key in powers}
        found.append(power_days_of(connection, first, end, counters))
    return chain(*found)


def _try(run: CounterRun, judge: Callable[[], None]) -> None:
    try:
        judge()
    except ZerosWereHoles:
        run.is_flipped = True


def _changed_spans(
    connection: duckdb.DuckDBPyConnection, runs: list[CounterRun]
) -> Iterator[tuple[datetime, datetime]]:
    """Spans of time that hold days to be judged. From one to the next the counters move on."""
    first = min((run.dirty[0] for run in runs if run.dirty), default=0)
    start, newest = _bounds(connection, first)
    while start <= newest:
        running = [run for run in runs if not run.is_flipped]
        if not any(run.active_from is not None for run in running):
            ahead = [run.dirty[0] for run in running if run.dirty]
            if not ahead:
                return
            start = max(start, min(ahead))
        end = _end_of_window(connection, start, newest, MOST_READINGS)
        yield _instant(start), _instant(end)
        start = end


def _end_of_window(
    connection: duckdb.DuckDBPyConnection, start: int, newest: int, most: int
) -> int:
    """The day before which to stop reading, so that about so many readings are read."""
    end = min(start + WINDOW, newest + 1)
    readings = count_of(connection, _instant(start), _instant(end))
    return min(end, start + max(1, (end - start) * most // max(1, readings)))


def _bounds(connection: duckdb.DuckDBPyConnection, first: int) -> tuple[int, int]:
    """The oldest and the newest day with readings, from `first` on. Without any 0 and -1."""
    [(oldest, newest)] = connection.execute(
        "SELECT min(ts_utc), max(ts_utc) FROM stg_meter_readings WHERE ts_utc >= $first",
        {"first": _instant(max(first, 0))},
    ).fetchall()
    if oldest is None:
        return 0, -1
    return (oldest.date() - EPOCH).days, (newest.date() - EPOCH).days


def _instant(day: int) -> datetime:
    return datetime(1970, 1, 1) + timedelta(days=day)  # noqa: DTZ001 - UTC, as the table has it
