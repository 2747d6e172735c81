"""Days that were cut by former zone rules, as every part of the batch takes them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from homeiot_batch.archive.day_bounds import DayBounds, bounded_day
from homeiot_batch.archive.early_reads import early_reads
from homeiot_batch.commands import night
from homeiot_batch.commands.night import plan_night
from homeiot_batch.commands.status import archive_status
from homeiot_batch.commands.verify import judge_days
from homeiot_batch.config import Settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.files import write_json
from homeiot_batch.core.layout import Layout
from homeiot_batch.core.marker_cache import MarkerCache
from homeiot_batch.doctor.archive import check_archive
from homeiot_batch.doctor.finding import Finding, problem, warning
from homeiot_batch.warehouse.database import open_database
from homeiot_batch.warehouse.duckdb_writer import load_day
from homeiot_batch.workflow.recovery import recover_staged_days

NAME = "raw_meter_readings"
HOUR, STEP = timedelta(hours=1), timedelta(minutes=30)
Archive = Callable[..., Path]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A house in Vancouver just after 11 November 2026, with an export."""
    now = datetime(2026, 11, 12, 7, 10, tzinfo=UTC)
    changes = {"tz": "America/Vancouver", "now": now, "influx_url": "/srv/exports/house.lp"}
    return settings.model_copy(update=changes)


@pytest.fixture
def layout(settings: Settings) -> Layout:
    """The places of the settings."""
    return settings.layout


@pytest.fixture
def archive(settings: Settings, layout: Layout, put_day: Callable[..., None]) -> Archive:
    """Archives a day with a reading every half hour, and returns its folder."""

    def make(day: LocalDay, *, staged: bool = False, watts: float = 1.0, **now: datetime) -> Path:
        place = layout.staged(NAME, day) if staged else layout.day(NAME, day)
        times = range(day.start_ns, day.end_ns, STEP // timedelta(microseconds=1) * 1000)
        points = [(time, "a", watts, 2.0, None) for time in times]
        then = settings.model_copy(update=now)
        put_day(points, day, then, place)
        return place

    return make


def rule(settings: Settings, number: int) -> LocalDay:
    """A day of November 2026 by the rules of now."""
    return LocalDay(date(2026, 11, number), settings.zone)


def former(settings: Settings, number: int) -> LocalDay:
    """The same by the rules before: an hour later."""
    day = rule(settings, number)
    return day.within(day.start + HOUR, day.end + HOUR)


def load(settings: Settings, dataset: Dataset, *numbers: int) -> None:
    """Load these days as a run does."""
    layout = settings.layout
    for number in numbers:
        bounds = DayBounds(layout, NAME, settings.zone)
        day = bounds.day(date(2026, 11, number))
        loaded = load_day(
            settings.duckdb_path,
            layout.day(NAME, day),
            dataset,
            day,
            allow_shrink=False,
            until=bounds.end_of_share(day),
        )
        write_json(layout.marker(NAME, day), loaded.marker.to_json())


def readings(settings: Settings) -> list[tuple[str, float]]:
    """Time (UTC) and watts of all readings in DuckDB."""
    with open_database(settings.duckdb_path) as connection:
        return connection.execute(
            f"SELECT strftime(ts_utc, '%d %H:%M'), instant_power_w FROM {NAME} ORDER BY ALL"
        ).fetchall()


def found(settings: Settings) -> list[Finding]:
    """What doctor says of the days, but for what is well."""
    findings = check_archive(settings, settings.layout)
    return [f for f in findings if f.name.startswith(NAME) and f.level != "ok"]


def test_an_archive_of_both_rules_is_well(
    settings: Settings, dataset: Dataset, archive: Archive
) -> None:
    """Two days by the former rules, one of 23 hours after them: nothing is to be done or said."""
    layout = settings.layout
    for number in (9, 10):
        archive(former(settings, number))
    seam = bounded_day(layout, NAME, date(2026, 11, 11), settings.zone)
    archive(seam)
    load(settings, dataset, 9, 10, 11)
    assert [(day.rows, day.kind, day.share) for day in archive_status(settings, layout)] == [
        (48, "whole", 1.0),
        (48, "whole", 1.0),
        (46, "whole", 1.0),
    ]
    verdicts = list(judge_days(settings, layout, None, None))
    assert [(str(v.dt), v.problems, v.notes) for v in verdicts] == [
        (f"2026-11-{n:02}", [], []) for n in (9, 10, 11)
    ]
    plan = plan_night(settings, layout)
    assert (plan.targets, plan.forced, plan.warnings) == (["yesterday", str(layout.models)], [], [])
    assert early_reads(MarkerCache(layout), settings, NAME) == []
    assert found(settings) == []


@pytest.mark.parametrize("more", [0, 1])
def test_late_points_are_counted_within_the_recorded_bounds(
    more: int,
    settings: Settings,
    dataset: Dataset,
    archive: Archive,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server is asked for the time that the file holds. Only what came later is read again."""
    asked: list[LocalDay] = []

    class Reader:
        """A server that has `more` values of each day than are archived."""

        def __init__(self, _: Settings) -> None: ...

        def counts(self, dataset: Dataset, day: LocalDay) -> dict[str, int]:
            asked.append(day)
            rows = (day.end - day.start) // STEP
            counts = {"instant_power_w": rows + more, "energy_import_kwh": rows}
            return {"energy_export_kwh": 0} | counts

    days = [former(settings, number) for number in (9, 10)]
    for day in days:
        archive(day)
    days.append(bounded_day(settings.layout, NAME, date(2026, 11, 11), settings.zone))
    archive(days[2])
    load(settings, dataset, 9, 10, 11)
    monkeypatch.setattr(night, "InfluxReader", Reader)
    house = settings.model_copy(update={"influx_url": "http://127.0.0.1:1"})
    plan = plan_night(house, settings.layout)
    assert asked == days
    folders = [str(settings.layout.day(NAME, day)) for day in days]
    assert plan.forced == ([*folders, str(settings.layout.models)] if more else [])
    assert plan.warnings == []


def test_a_staged_day_by_former_rules_goes_in_place(settings: Settings, archive: Archive) -> None:
    """A run was killed, then the rules came: the day that it had read whole is kept."""
    layout = settings.layout
    archive(former(settings, 10), staged=True)
    recover_staged_days(layout, settings)
    assert bounded_day(layout, NAME, date(2026, 11, 10), settings.zone) == former(settings, 10)
    assert not layout.staged(NAME, "2026-11-10").exists()


@pytest.mark.parametrize("loaded", [True, False])
@pytest.mark.parametrize(
    ("shift", "after_the_rule_s_end", "is_early"), [(HOUR, STEP, True), (-HOUR, -STEP, False)]
)
def test_a_day_is_over_at_its_recorded_end(
    shift: timedelta,
    after_the_rule_s_end: timedelta,
    is_early: bool,
    loaded: bool,
    settings: Settings,
    dataset: Dataset,
    archive: Archive,
) -> None:
    """By file or marker: a read half an hour before or after that end, not the one of now."""
    day = rule(settings, 10)
    day = day.within(day.start + shift, day.end + shift)
    archive(day, now=rule(settings, 10).end + after_the_rule_s_end)
    if loaded:
        load(settings, dataset, 10)
    reads = early_reads(MarkerCache(settings.layout), settings, NAME)
    assert [read.day for read in reads] == ([day] if is_early else [])


@pytest.mark.parametrize("order", [(10, 11), (11, 10), (10, 11, 10)])
def test_of_what_two_files_hold_each_reading_is_loaded_once(
    order: tuple[int, ...], settings: Settings, dataset: Dataset, archive: Archive
) -> None:
    """An earlier program cut one day by former rules and the next by those of now."""
    archive(former(settings, 10), watts=10.0)
    archive(rule(settings, 11), watts=11.0)
    load(settings, dataset, *order)
    first = former(settings, 10).start
    assert readings(settings) == [
        (f"{first + n * STEP:%d %H:%M}", 10.0 if n < 46 else 11.0) for n in range(46 + 48)
    ]
    said = (
        "the files of 2026-11-10 and 2026-11-11 both hold 2026-11-11 07:00 to 2026-11-11 08:00 UTC"
    )
    advice = "the tables have each reading once, the files and the read copy's view of them twice"
    verdicts = list(judge_days(settings, settings.layout, None, None))
    assert [(v.problems, v.notes) for v in verdicts] == [([], []), ([], [f"{said}; {advice}"])]
    assert found(settings) == [warning(f"{NAME} 2026-11-11 overlap", said, advice)]


def test_a_hole_between_two_files_is_named_and_filled(
    settings: Settings, dataset: Dataset, archive: Archive
) -> None:
    """Verify and doctor name it. The day after it is read from its beginning on."""
    layout, day = settings.layout, rule(settings, 11)
    archive(rule(settings, 10))
    short = archive(day.within(day.start + HOUR, day.end))
    load(settings, dataset, 10, 11)
    said = (
        "no file holds 2026-11-11 07:00 to 2026-11-11 08:00 UTC, between 2026-11-10 and 2026-11-11"
    )
    advice = "homeiot run --date 2026-11-11 --force reads it, if the source still has it"
    verdicts = list(judge_days(settings, layout, None, None))
    assert [(v.problems, v.notes) for v in verdicts] == [([], []), ([f"{said}; {advice}"], [])]
    assert found(settings) == [problem(f"{NAME} 2026-11-11 hole", said, advice)]
    again = bounded_day(layout, NAME, day.date, settings.zone)
    assert again == day
    short.rename(short.with_name("old"))
    archive(again)
    load(settings, dataset, 11)
    assert len(readings(settings)) == 96
    assert [v.problems for v in judge_days(settings, layout, None, None)] == [[], []]
