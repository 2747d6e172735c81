"""What the archive holds, day by day: archived, loaded, rows, how complete, longest gap, size.

python -m homeiot_batch.status [--json]
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from itertools import groupby

import duckdb
import typer

from homeiot_batch.config import ROOT, Settings, given_settings, load_settings
from homeiot_batch.datasets import Dataset, quoted
from homeiot_batch.days import LocalDay, each_day, yesterday
from homeiot_batch.errors import HomeIotError
from homeiot_batch.exit_codes import DONE, FAILED
from homeiot_batch.layout import PART, Layout


@dataclass(frozen=True)
class DayStatus:
    """One day of one dataset; `share` of the readings that its series usually have, `longest_gap_s` within the day, edges included."""

    dataset: str
    dt: date
    archived: bool
    loaded: bool
    rows: int = 0
    share: float | None = None
    longest_gap_s: float | None = None
    bytes: int = 0

    @property
    def is_missing(self) -> bool:
        """Whether the day still has to be archived or loaded."""
        return not (self.archived and self.loaded)

    @property
    def kind(self) -> str:
        """The day in a word."""
        if self.is_missing:
            return "not loaded" if self.archived else "missing"
        if not self.rows:
            return "empty"
        return "whole" if self.share is not None and self.share >= 0.99 else "partial"


def archive_status(settings: Settings, layout: Layout) -> Iterator[DayStatus]:
    """Every day from each dataset's first to yesterday."""
    last = yesterday(settings.instant(), settings.zone)
    for dataset in settings.datasets.values():
        archived, loaded = set(layout.archived_days(dataset.name)), set(layout.loaded_days(dataset.name))
        first = settings.archive_start or min(archived, default=last)
        measured = _measured(settings, layout, dataset) if archived else {}
        for day in each_day(first, last):
            size = (layout.day(dataset.name, day) / PART).stat().st_size if day in archived else 0
            rows, share, gap = measured.get(day, (0, None, None))
            yield DayStatus(dataset.name, day, day in archived, day in loaded, rows, share, gap, size)


def _measured(settings: Settings, layout: Layout, dataset: Dataset) -> dict[date, tuple[int, float | None, float | None]]:
    """Rows, share and longest gap of every day with readings.

    What a series usually has is the day's length over its usual interval: the median over all its days. A day is expected to have that
    of every series that has been seen in it or earlier.
    """
    files = str(layout.parquet / dataset.name / f"dt=*/{PART}")
    series = ", ".join(["dt", *(quoted(tag) for tag in dataset.tags)])
    keys = f"row({', '.join(quoted(tag) for tag in dataset.tags) or 'NULL'})"
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"""
            WITH readings AS (
                SELECT {series}, ts_utc, ts_utc - lag(ts_utc) OVER (PARTITION BY {series} ORDER BY ts_utc) AS step
                FROM read_parquet(?, hive_partitioning = true, hive_types_autocast = false)),
            per_day AS (
                SELECT dt::DATE AS dt, {keys} AS series, count(*) AS n, min(ts_utc) AS first, max(ts_utc) AS last,
                    epoch(max(step)) AS gap, median(epoch(step)) FILTER (WHERE step > INTERVAL 0 SECOND) AS usual
                FROM readings GROUP BY ALL),
            usual AS (SELECT series, min(dt) AS since, median(usual) AS usual FROM per_day GROUP BY series)
            SELECT dt, per_day.n, epoch_us(first), epoch_us(last), per_day.gap, usual.usual, series, usual.since
            FROM per_day JOIN usual USING (series)
            """,
            [files],
        ).fetchall()
    return _by_day(rows, settings)


def _by_day(rows: list[tuple], settings: Settings) -> dict[date, tuple[int, float | None, float | None]]:
    usual = {series: (since, interval) for *_, interval, series, since in rows}
    measured = {}
    for dt, group in groupby(sorted(rows, key=lambda row: row[0]), key=lambda row: row[0]):
        day = LocalDay(dt, settings.zone)
        found = list(group)
        expected = sum((day.end - day.start).total_seconds() / interval for since, interval in usual.values() if interval and since <= dt)
        count = sum(row[1] for row in found)
        gaps = [max(row[4] or 0, row[2] / 1e6 - day.start.timestamp(), day.end.timestamp() - row[3] / 1e6) for row in found]
        measured[dt] = (count, min(1.0, count / expected) if expected else None, max(gaps))
    return measured


def folded(days: Iterable[DayStatus]) -> Iterator[tuple[DayStatus, DayStatus, int, int]]:
    """Runs of days of one dataset and kind: first, last, rows and bytes of the run; a partial day stands for itself."""
    numbered = enumerate(days)
    for _, group in groupby(numbered, key=lambda pair: (pair[1].dataset, pair[1].kind, pair[0] if pair[1].kind == "partial" else None)):
        run = [day for _, day in group]
        yield run[0], run[-1], sum(day.rows for day in run), sum(day.bytes for day in run)


def show_status(*, as_json: bool, config: Sequence[str]) -> None:
    """Print every day, and exit with 1 if one is missing."""
    os.chdir(ROOT)
    try:
        settings = load_settings(given_settings(config))
        days = list(archive_status(settings, Layout.of(settings)))
    except HomeIotError as error:
        raise SystemExit(f"error: {error}") from None
    typer.echo(json.dumps([asdict(day) | {"kind": day.kind} for day in days], default=str, indent=1) if as_json else _table(days))
    raise SystemExit(FAILED if any(day.is_missing for day in days) else DONE)


def _table(days: list[DayStatus]) -> str:
    lines = [f"{'dataset':<24}{'days':<26}{'state':<12}{'rows':>12}{'share':>8}{'gap':>9}{'MB':>9}"]
    for first, last, rows, size in folded(days):
        span = str(first.dt) if first.dt == last.dt else f"{first.dt} to {last.dt}"
        share = f"{first.share:.1%}" if first.kind == "partial" and first.share is not None else ""
        gap = str(timedelta(seconds=round(first.longest_gap_s))) if first.kind == "partial" and first.longest_gap_s else ""
        lines.append(f"{first.dataset:<24}{span:<26}{first.kind:<12}{rows:>12}{share:>8}{gap:>9}{size / 1e6:>9.2f}")
    missing = sum(day.is_missing for day in days)
    lines.append(f"{len(days)} days, {missing} missing" + ("; python -m homeiot_batch.run_archive brings them in" if missing else ""))
    return "\n".join(lines)


if __name__ == "__main__":
    from homeiot_batch.cli import status

    typer.run(status)
