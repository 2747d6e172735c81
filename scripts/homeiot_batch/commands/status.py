"""What the archive holds, day by day: archived, loaded, rows, how complete, longest gap, size.

python -m homeiot_batch status [--json]
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path

import duckdb
import typer

from homeiot_batch.archive.day_file import check_day
from homeiot_batch.archive.early_reads import days_to_read_again
from homeiot_batch.archive.zone_record import check_zone
from homeiot_batch.config import ROOT, Settings, given_settings, load_settings
from homeiot_batch.core.datasets import Dataset, literal, quoted
from homeiot_batch.core.days import LocalDay, each_day, yesterday
from homeiot_batch.core.exit_codes import DONE, FAILED
from homeiot_batch.core.host_paths import explained
from homeiot_batch.core.layout import PART, Layout
from homeiot_batch.errors import ArchiveDamaged, HomeIotError

Measured = tuple[int, float | None, float | None]


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
    damaged: bool = False
    read_early: bool = False
    is_over: bool = True

    @property
    def is_missing(self) -> bool:
        """Whether the day still has to be archived or loaded, or restored."""
        if not self.is_over:
            return False
        return self.damaged or self.read_early or not (self.archived and self.loaded)

    @property
    def kind(self) -> str:
        """The day in a word or two."""
        if not self.is_over:
            return "not over"
        if self.damaged:
            return "damaged"
        if self.read_early:
            return "read early"
        if self.is_missing:
            return "not loaded" if self.archived else "missing"
        if not self.rows:
            return "empty"
        return "whole" if self.share is not None and self.share >= 0.99 else "partial"


def archive_status(settings: Settings, layout: Layout) -> Iterator[DayStatus]:
    """Every day from each dataset's first that files or markers know of to yesterday.

    Besides, archived days that are not over yet.
    """
    check_zone(layout, settings.tz)
    last = yesterday(settings.instant(), settings.zone)
    for dataset in settings.datasets.values():
        loaded = set(layout.loaded_days(dataset.name))
        parts = {
            day: layout.day(dataset.name, day) / PART for day in layout.archived_days(dataset.name)
        }
        sizes = {day: part.stat().st_size for day, part in parts.items() if part.exists()}
        first = settings.archive_start or layout.first_day(dataset.name) or last
        damaged, measured = _measured(settings, dataset, {day: parts[day] for day in sizes})
        early = days_to_read_again(layout, settings, dataset.name)
        not_over = [day for day in parts if day > last]
        for day in [*each_day(first, last), *not_over]:
            rows, share, gap = measured.get(day, (0, None, None))
            yield DayStatus(
                dataset.name,
                day,
                day in sizes,
                day in loaded,
                rows,
                share,
                gap,
                sizes.get(day, 0),
                day in damaged,
                day in early,
                day <= last,
            )


def _measured(
    settings: Settings, dataset: Dataset, parts: dict[date, Path]
) -> tuple[set[date], dict[date, Measured]]:
    """The days whose files are damaged, and what the others hold."""
    try:
        return set(), _by_day(_series(dataset, list(parts.values())), settings) if parts else {}
    except duckdb.Error:  # does not say which one; all are read through only now
        whole = {
            day: part
            for day, part in parts.items()
            if not _is_damaged(part, LocalDay(day, settings.zone))
        }
        if len(whole) == len(parts):
            raise
        return parts.keys() - whole.keys(), _measured(settings, dataset, whole)[1]


def _is_damaged(part: Path, day: LocalDay) -> bool:
    try:
        check_day(part.parent, day)
    except ArchiveDamaged:
        return True
    return False


def _series(dataset: Dataset, parts: list[Path]) -> list[tuple]:
    """What each series holds of each day: date, readings, first, last, longest gap, usual interval, series, the series' first day.

    What a series usually has is the day's length over its usual interval: the median over all its days. A day is expected to have that
    of every series that has been seen in it or earlier.
    """
    source = "read_parquet(?, hive_partitioning = true, hive_types_autocast = false, union_by_name = true)"
    with duckdb.connect() as connection:
        files = [str(part) for part in parts]
        there = {
            name
            for name, *_ in connection.execute(
                f"DESCRIBE SELECT * FROM {source}", [files]
            ).fetchall()
        }
        tags = [
            f"coalesce({quoted(tag) if tag in there else 'NULL'}, {literal(dataset.absent(tag))})"
            for tag in dataset.tags
        ]
        return connection.execute(
            f"""
            WITH readings AS (
                SELECT dt, row({", ".join(tags) or "NULL"}) AS series, ts_utc,
                    ts_utc - lag(ts_utc) OVER (PARTITION BY dt, series ORDER BY ts_utc) AS step
                FROM {source}),
            per_day AS (
                SELECT dt::DATE AS dt, series, count(*) AS n, min(ts_utc) AS first, max(ts_utc) AS last,
                    epoch(max(step)) AS gap, median(epoch(step)) FILTER (WHERE step > INTERVAL 0 SECOND) AS usual
                FROM readings GROUP BY ALL),
            usual AS (SELECT series, min(dt) AS since, median(usual) AS usual FROM per_day GROUP BY series)
            SELECT dt, per_day.n, epoch_us(first), epoch_us(last), per_day.gap, usual.usual, series, usual.since
            FROM per_day JOIN usual USING (series)
            """,
            [files],
        ).fetchall()


def _by_day(rows: list[tuple], settings: Settings) -> dict[date, Measured]:
    """Rows, share of the expected readings and longest gap of every day with readings."""
    usual = {series: (since, interval) for *_, interval, series, since in rows}
    measured = {}
    for dt, group in groupby(sorted(rows, key=lambda row: row[0]), key=lambda row: row[0]):
        day = LocalDay(dt, settings.zone)
        found = list(group)
        expected = sum(
            (day.end - day.start).total_seconds() / interval
            for since, interval in usual.values()
            if interval and since <= dt
        )
        count = sum(row[1] for row in found)
        gaps = [
            max(
                row[4] or 0,
                row[2] / 1e6 - day.start.timestamp(),
                day.end.timestamp() - row[3] / 1e6,
            )
            for row in found
        ]
        measured[dt] = (count, min(1.0, count / expected) if expected else None, max(gaps))
    return measured


def folded(days: Iterable[DayStatus]) -> Iterator[tuple[DayStatus, DayStatus, int, int]]:
    """Runs of days of one dataset and kind: first, last, rows and bytes of the run; a partial day stands for itself."""
    numbered = enumerate(days)
    for _, group in groupby(
        numbered,
        key=lambda pair: (
            pair[1].dataset,
            pair[1].kind,
            pair[0] if pair[1].kind == "partial" else None,
        ),
    ):
        run = [day for _, day in group]
        yield run[0], run[-1], sum(day.rows for day in run), sum(day.bytes for day in run)


def show_status(*, as_json: bool, config: Sequence[str]) -> None:
    """Print every day, and exit with 1 if one is missing."""
    os.chdir(ROOT)
    try:
        settings = load_settings(given_settings(config))
        layout = settings.layout
        days = list(archive_status(settings, layout))
    except (HomeIotError, OSError, duckdb.Error) as error:
        line = " ".join(str(error).split())
        raise SystemExit(explained(f"error: {line}")) from None
    for name, count in layout.undeclared(settings.datasets).items():
        typer.echo(
            f"note: {name} is not declared in config.yaml: {count} archived days of it are not listed",
            err=True,
        )
    typer.echo(
        json.dumps([asdict(day) | {"kind": day.kind} for day in days], default=str, indent=1)
        if as_json
        else _table(days)
    )
    raise SystemExit(FAILED if any(day.is_missing for day in days) else DONE)


def _table(days: list[DayStatus]) -> str:
    lines = [f"{'dataset':<24}{'days':<26}{'state':<12}{'rows':>12}{'share':>8}{'gap':>9}{'MB':>9}"]
    for first, last, rows, size in folded(days):
        span = str(first.dt) if first.dt == last.dt else f"{first.dt} to {last.dt}"
        share = f"{first.share:.1%}" if first.kind == "partial" and first.share is not None else ""
        gap = (
            str(timedelta(seconds=round(first.longest_gap_s)))
            if first.kind == "partial" and first.longest_gap_s
            else ""
        )
        lines.append(
            f"{first.dataset:<24}{span:<26}{first.kind:<12}{rows:>12}{share:>8}{gap:>9}{size / 1e6:>9.2f}"
        )
    missing = sum(day.is_missing for day in days)
    lines.append(
        f"{len(days)} days, {missing} missing"
        + ("; python -m homeiot_batch.run_archive brings them in" if missing else "")
    )
    if not_over := sum(not day.is_over for day in days):
        lines.append(
            f"{not_over} archived days are not over yet: they were read by a clock that was ahead, "
            "or this machine's is behind; each is read again when it is over"
        )
    return "\n".join(lines)
