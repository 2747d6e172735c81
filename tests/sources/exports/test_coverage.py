"""Whether an export holds a day whole: by its headers, its files and its readings."""

import os
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.errors import SourceError
from homeiot_batch.sources.export_reader import ExportReader
from tests.sources.meter_export import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    START,
    Read,
    at,
    header,
    hours,
    meter,
    write,
)

Open = Callable[..., ExportReader]
WHOLE = list(range(24))
FIRST_BOUND, LAST_BOUND = "1677-09-21T00:12:43Z", "2262-04-11T23:47:16Z"


def wall(hour: int, minute: int = 0, second: int = 0) -> str:
    """A bound as the tool writes it, on the day. 24 is the midnight after it."""
    day = 9 + hour // 24
    return f"2026-11-{day:02}T{hour % 24:02}:{minute:02}:{second:02}+09:00"


def part(first: int, last: int, *, database: str = "home_energy") -> list[str]:
    """An export of some hours of the day."""
    return [
        *header(wall(first), wall(last), database=database),
        *meter(first * HOUR, last * HOUR),
    ]


def refused(read: Read, **changes: object) -> str:
    """Why the day is refused."""
    with pytest.raises(SourceError) as error:
        read(**changes)
    return str(error.value)


# several exports


def test_a_hole_between_two_exports_is_refused(folder: Path, read: Read) -> None:
    """Times are those of the house's zone, and say so."""
    write(folder / "a.lp", *part(0, 12))
    write(folder / "b.lp", *part(18, 24))
    assert refused(read) == (
        f"{folder} does not cover 2026-11-09 from 2026-11-09 12:00:01 (Asia/Tokyo) "
        "to 2026-11-09 18:00:00 (Asia/Tokyo): "
        "a.lp is an export of 2026-11-09 00:00:00 (Asia/Tokyo) "
        "to 2026-11-09 12:00:01 (Asia/Tokyo), "
        "b.lp is an export of 2026-11-09 18:00:00 (Asia/Tokyo) "
        "to 2026-11-10 00:00:01 (Asia/Tokyo); export the whole day, or give other days"
    )


def test_a_hole_between_two_headers_of_one_file_is_refused(folder: Path, read: Read) -> None:
    """As `cat a b` makes it, also packed."""
    write(folder / "ab.lp.gz", *part(0, 12), *part(18, 24))
    assert "does not cover 2026-11-09 from 2026-11-09 12:00:01" in refused(read)


@pytest.mark.parametrize(
    "bounds",
    [
        [(wall(0), wall(12)), (wall(12), wall(24))],
        [(wall(0), wall(11, 59, 59)), (wall(12), wall(23, 59, 59))],
        [(wall(0), wall(24)), (wall(0), wall(24))],
        [(wall(12), wall(24)), (wall(0), wall(13))],
        [("2026-11-08T15:00:00Z", "2026-11-09T03:00:00Z"), (wall(12), LAST_BOUND)],
        [(FIRST_BOUND, wall(12)), (wall(12), "2262-04-12T08:47:16+09:00")],
    ],
)
def test_exports_that_cover_the_day_together_are_taken(
    folder: Path, read: Read, bounds: list[tuple[str, str]]
) -> None:
    """In any order, twice, with bounds cut to whole seconds, in any zone, or with open ends."""
    for number, (begin, end) in enumerate(bounds):
        write(folder / f"{number}.lp", *header(begin, end), *meter(0, DAY))
    assert hours(read()) == WHOLE


def test_a_second_that_no_export_covers_is_a_hole(folder: Path, read: Read) -> None:
    """A bound in whole seconds covers the second that it stands for, and no more."""
    write(folder / "a.lp", *header(wall(0), wall(12)), *meter(0, DAY))
    write(folder / "b.lp", *header(wall(12, 0, 2), wall(24)), *meter(0, DAY))
    assert "from 2026-11-09 12:00:01 (Asia/Tokyo) to 2026-11-09 12:00:02" in refused(read)


@pytest.mark.parametrize(
    "other",
    [
        part(12, 18, database="cabin"),
        [
            line.replace("POLICY:autogen", "POLICY:week")
            for line in [*header(wall(12), wall(18)), f"climate t=1 {at(13 * HOUR)}"]
        ],
        [*header(wall(12), wall(18)), f"climate t=1 {at(13 * HOUR)}"],
    ],
    ids=["another database", "another policy", "another measurement"],
)
def test_the_span_of_other_data_covers_nothing(folder: Path, read: Read, other: list[str]) -> None:
    """Its header is no promise for the readings that are wanted."""
    write(folder / "a.lp", *part(0, 12))
    write(folder / "b.lp", *other)
    write(folder / "c.lp", *part(18, 24))
    assert "does not cover 2026-11-09 from 2026-11-09 12:00:01" in refused(read)


def test_an_open_end_reaches_no_further_than_its_file(folder: Path, read: Read) -> None:
    """An export of everything, made days before the next one begins: days between are missing."""
    write(folder / "a.lp", *header(FIRST_BOUND, LAST_BOUND), *meter(-3 * DAY, -DAY))
    write(folder / "b.lp", *header(wall(48), LAST_BOUND), *meter(2 * DAY, 3 * DAY))
    said = "from 2026-11-09 00:00:00 (Asia/Tokyo) to 2026-11-10 00:00:00"
    assert said in refused(read)
    os.utime(folder / "a.lp", ((START - DAY) / 1e9, (START - DAY) / 1e9))
    assert said in refused(read)


def test_a_file_without_header_fills_a_hole_only_with_readings(folder: Path, read: Read) -> None:
    """A part of a split export says nothing of its own. One from `export-lp` lies in the hole."""
    write(folder / "a.lp", *part(0, 12))
    write(folder / "b.lp", *part(18, 24))
    write(folder / "c.lp", *meter(3 * HOUR, 5 * HOUR, "b"))
    assert "from 2026-11-09 12:00:01" in refused(read)
    write(folder / "c.lp", *meter(13 * HOUR, 14 * HOUR, "b"))
    assert "from 2026-11-09 14:50:00" in refused(read)
    write(folder / "c.lp", *meter(12 * HOUR, 18 * HOUR))
    assert hours(read()) == WHOLE


def test_a_split_export_is_one_export(folder: Path, read: Read) -> None:
    """Its second part has no header, whichever lines the first one ends with."""
    lines = [*header(wall(0), wall(24)), f"climate t=1 {at(1)}", *meter(0, DAY)]
    for cut in (7, 8, 9, 20, len(lines) - 1):
        write(folder / "xaa", *lines[:cut])
        write(folder / "xab", *lines[cut:])
        assert hours(read()) == WHOLE


def test_the_rest_of_another_database_is_refused(folder: Path, read: Read) -> None:
    """The second part of a split export says no database: its points may be another house's."""
    write(folder / "xaa", *part(0, 24), *part(0, 12, database="cabin"))
    write(folder / "xab", *meter(12 * HOUR, DAY))
    assert refused(read) == (
        f"{folder / 'xab'} does not say which database its points of 'power' are of, and beside it "
        "lies an export of cabin.autogen; join the parts of a split export (cat), put files of "
        "another database elsewhere, or add the line '# CONTEXT-DATABASE:home_energy' at its "
        "beginning"
    )
    write(folder / "xab", "# CONTEXT-DATABASE:home_energy", *meter(12 * HOUR, DAY))
    assert hours(read()) == WHOLE


def test_another_database_is_named_with_what_it_holds(folder: Path, read: Read) -> None:
    """With every database of the export."""
    write(folder / "a.lp", *part(0, 24, database="homeassistant"), f"W value=1 {at(1)}")
    write(folder / "b.lp", *part(0, 24, database="cabin"))
    assert refused(read) == (
        f"{folder} holds no point of measurement 'power' in database 'home_energy' (it holds no "
        "measurement, and of other databases it holds cabin.autogen (power), homeassistant.autogen "
        "(W, power)); check INFLUX_MEASUREMENT, INFLUX_BUCKET and INFLUX_RETENTION_POLICY. "
        "If your house has no such measurement, `homeiot init` declares those that it has"
    )


# the end of the export


def warnings(reader: ExportReader, dataset: Dataset, day: LocalDay) -> list[str]:
    """What speaks against the day, which is read."""
    assert list(reader.read(dataset, day))
    return reader.warnings(dataset, day)


@pytest.mark.parametrize("last", [82_799, 82_801])
def test_an_end_in_the_day_is_doubted(
    folder: Path, export: Open, dataset: Dataset, day: LocalDay, last: int
) -> None:
    """More than an hour before midnight: it may have been made while the day went on."""
    lines = meter(-DAY, 22 * HOUR)
    write(folder / "a", *lines, f"power,source=a instant_power_w=1 {at(last * 10**9)}")
    said = (
        "the export's last reading is at 2026-11-09 22:59:59 (Asia/Tokyo); if it was made before "
        "the day was over, run with a later one and --date 2026-11-09 --force"
    )
    assert warnings(export(), dataset, day) == ([said] if last == 82_799 else [])


@pytest.mark.parametrize(("step", "quiet"), [(SECOND, 60), (MINUTE, 360), (15 * MINUTE, 3600)])
def test_an_end_is_doubted_by_the_meter_s_own_interval(
    folder: Path, export: Open, dataset: Dataset, day: LocalDay, step: int, quiet: int
) -> None:
    """Six times its usual interval before midnight: a minute at least, an hour at most."""
    for ends_early in (False, True):
        last = DAY - (quiet + ends_early) * SECOND
        lines = meter(DAY - 6 * HOUR, last, step=step)
        # a point a line for each field, as influx_inspect writes it
        more = [line.replace("instant_power_w", "energy_import_kwh") for line in lines]
        write(folder / "a", *lines, *more, _one(last))
        [said] = warnings(export(), dataset, day)
        assert said.startswith("the export's first reading is at 2026-11-09 18:00:00 (Asia/Tokyo)")
        assert ("; and the export's last reading is at" in said) == ends_early


def _one(offset: int) -> str:
    return f"power,source=a instant_power_w=1 {at(offset)}"


def test_a_hole_beside_a_file_without_header_is_refused_by_its_interval(
    folder: Path, read: Read
) -> None:
    """Its meter is read every minute, and 20 minutes are missing after the header's end."""
    write(folder / "a.lp", *header(wall(0), wall(12)), *meter(0, 12 * HOUR, step=MINUTE))
    write(folder / "b.lp", *meter(12 * HOUR + 20 * MINUTE, 2 * DAY, step=MINUTE))
    said = "from 2026-11-09 12:00:01 (Asia/Tokyo) to 2026-11-09 12:14:00 (Asia/Tokyo)"
    assert said in refused(read)
    write(folder / "b.lp", *meter(12 * HOUR, 2 * DAY, step=MINUTE))
    assert len(read()) == 1440


def test_a_begin_in_the_day_is_doubted(
    folder: Path, export: Open, dataset: Dataset, day: LocalDay
) -> None:
    """Unless the file has earlier readings of other sources: then the meter is new."""
    write(folder / "a", *meter(12 * HOUR, DAY))
    assert warnings(export(), dataset, day) == [
        (
            "the export's first reading is at 2026-11-09 12:00:00 (Asia/Tokyo); if it begins in "
            "the day, run with one that has all of it and --date 2026-11-09 --force"
        )
    ]
    write(folder / "a", *meter(12 * HOUR, DAY), *meter(-DAY, DAY, "b"))
    assert warnings(export(), dataset, day) == []


def test_a_begin_and_an_end_in_the_day_are_one_doubt(
    folder: Path, export: Open, dataset: Dataset, day: LocalDay
) -> None:
    """A meter has one warning for a day."""
    write(folder / "a", *meter(12 * HOUR, 13 * HOUR))
    [said] = warnings(export(), dataset, day)
    assert said.startswith("the export's first reading is at 2026-11-09 12:00:00 (Asia/Tokyo); if")
    assert "; and the export's last reading is at 2026-11-09 12:50:00 (Asia/Tokyo); if" in said


def test_a_hole_between_files_without_headers_is_doubted(
    folder: Path, export: Open, dataset: Dataset, day: LocalDay
) -> None:
    """Nothing tells it from a meter that was off, but that files end and begin there."""
    write(folder / "a", *meter(-DAY, 12 * HOUR))
    write(folder / "b", *meter(18 * HOUR, 2 * DAY))
    assert warnings(export(), dataset, day) == [
        (
            "the export has no reading between 2026-11-09 11:50:00 (Asia/Tokyo) and 2026-11-09 "
            "18:00:00 (Asia/Tokyo), where a file ends and another begins; if the files have a hole "
            "there, "
            "run with one that has all of it and --date 2026-11-09 --force"
        )
    ]
    write(folder / "a", *meter(-DAY, 12 * HOUR), *meter(18 * HOUR, 2 * DAY))
    (folder / "b").unlink()
    assert warnings(export(), dataset, day) == []


def test_no_day_is_doubted_that_headers_cover(
    folder: Path, export: Open, dataset: Dataset, day: LocalDay
) -> None:
    """Solar panels are dark in the evening."""
    write(folder / "a", *header(wall(0), wall(24)), *meter(7 * HOUR, 16 * HOUR))
    assert warnings(export(), dataset, day) == []


@pytest.mark.parametrize("ahead", [DAY, 2 * DAY, 3 * DAY, 40 * DAY, 400 * DAY, 11 * 365 * DAY])
@pytest.mark.parametrize("source", ["a", "broken"])
def test_one_point_of_a_wrong_clock_proves_nothing(
    folder: Path, export: Open, dataset: Dataset, day: LocalDay, ahead: int, source: str
) -> None:
    """The meter that ends in the day is doubted as without it, and the days after are refused."""
    write(
        folder / "a",
        *meter(-20 * DAY, 10 * HOUR),
        f"power,source={source} instant_power_w=1 {at(10 * HOUR + ahead)}",
    )
    reader = export([day.date, day.date + timedelta(days=4)])
    said = (
        "the export's last reading is at 2026-11-09 09:50:00 (Asia/Tokyo); if it was made "
        "before the day was over, run with a later one and --date 2026-11-09 --force"
    )
    if source == "broken" or ahead > DAY:
        assert warnings(reader, dataset, day) == [said]
    later = LocalDay(day.date + timedelta(days=4), day.zone)
    with pytest.raises(SourceError, match=r"2026-11-13 is not in it; give an earlier end"):
        list(reader.read(dataset, later))


def test_the_day_of_a_wrong_clock_is_refused(
    folder: Path, export: Open, dataset: Dataset, day: LocalDay
) -> None:
    """The meter ended the day before. A new meter, which has readings enough, goes on for it."""
    one = f"power,source=broken instant_power_w=1 {at(DAY + 10 * HOUR)}"
    write(folder / "a", *meter(-20 * DAY, 10 * HOUR), one)
    tomorrow = LocalDay(day.date + timedelta(days=1), day.zone)
    reader = export([day.date, tomorrow.date])
    with pytest.raises(SourceError) as error:
        list(reader.read(dataset, tomorrow))
    assert str(error.value) == (
        f"{folder} has no point of 'power' after 2026-11-09 09:50:00 (Asia/Tokyo) (1 later ones "
        "may come from a wrong clock): 2026-11-10 is not in it; give an earlier end"
    )
    write(folder / "a", *meter(-20 * DAY, 10 * HOUR), *meter(DAY + 10 * HOUR, 2 * DAY, "b"))
    assert sum(len(batch) for batch in export([tomorrow.date]).read(dataset, tomorrow)) == 84


def test_readings_after_their_file_was_written_are_named(
    folder: Path, export: Open, dataset: Dataset, day: LocalDay
) -> None:
    """Once for the run, with their source."""
    write(folder / "a", *meter(-DAY, DAY), *meter(9000 * DAY, 9001 * DAY, "broken"))
    reader = export()
    assert warnings(reader, dataset, day) == []
    assert reader.notices() == [
        (
            "raw_meter_readings: 144 readings of source=broken are dated after their file was "
            "written. A clock may have been wrong, so they do not count as proof that the export "
            "goes "
            "on"
        )
    ]


def test_a_night_of_a_wrong_clock_proves_nothing_if_others_are_silent(
    folder: Path, export: Open, dataset: Dataset, day: LocalDay
) -> None:
    """One of three meters is a month ahead for a night."""
    normal = [line for source in "abc" for line in meter(-20 * DAY, 10 * HOUR, source)]
    write(folder / "a", *normal, *meter(12 * DAY, 12 * DAY + 8 * HOUR, "a"))
    reader = export([day.date, day.date + timedelta(days=5)])
    assert [line[:39] for line in warnings(reader, dataset, day)] == [
        f"the export's last reading of source={source} i"[:39] for source in "abc"
    ]
    with pytest.raises(SourceError, match="has no point of 'power' after 2026-11-09 09:50:00"):
        list(reader.read(dataset, LocalDay(day.date + timedelta(days=5), day.zone)))


def test_a_long_silence_that_ends_for_good_is_no_wrong_clock(
    folder: Path, export: Open, dataset: Dataset, day: LocalDay
) -> None:
    """A week without readings inside of an export is a week without, and so are sparse ones."""
    write(folder / "a", *meter(-20 * DAY, -DAY), *meter(7 * DAY, 12 * DAY))
    assert list(export().read(dataset, day)) == []
    write(folder / "a", *meter(-20 * DAY, -DAY, step=DAY), *meter(7 * DAY, 8 * DAY, step=DAY))
    assert list(export().read(dataset, day)) == []


def test_a_meter_that_ends_before_the_others_is_named(
    folder: Path, export: Open, dataset: Dataset, day: LocalDay
) -> None:
    """On the day itself, and once for the days after it, also with a file for each meter."""
    write(folder / "a", *meter(-DAY, 10 * HOUR))
    write(folder / "b", *meter(-DAY, 3 * DAY, "b"))
    reader = export([day.date, day.date + timedelta(days=1)])
    assert warnings(reader, dataset, day) == [
        (
            "the export's last reading of source=a is at 2026-11-09 09:50:00 (Asia/Tokyo); if it "
            "was made before the day was over, run with a later one and --date 2026-11-09 --force"
        )
    ]
    assert reader.notices() == [
        (
            "raw_meter_readings: the export has no reading of source=a after 2026-11-09 09:50:00 "
            "(Asia/Tokyo), and the days after it are archived without"
        )
    ]


# other units


@pytest.mark.parametrize(
    ("divisor", "unit", "advice"),
    [
        (10**3, "microseconds", "append 000 to each time"),
        (10**6, "milliseconds", "append 000000 to each time"),
        (10**9, "seconds", "append 000000000 to each time"),
        (60 * 10**9, "minutes", "multiply each time by 60000000000"),
        (3600 * 10**9, "hours", "multiply each time by 3600000000000"),
    ],
)
def test_times_in_another_unit_are_named_by_file_and_unit(
    folder: Path, read: Read, divisor: int, unit: str, advice: str
) -> None:
    """Beside a good file, of another meter or the same one: its day would be short."""
    write(folder / "a.lp", *meter(0, DAY))
    times = [at(offset) // divisor for offset in range(0, DAY, HOUR)]
    for source in ("a", "b"):
        lines = [f"power,source={source} instant_power_w=1 {time}" for time in times]
        write(folder / "b.lp", *lines)
        assert refused(read) == (
            f"{folder / 'b.lp'} line 1: the time {times[0]} lies in 2026-11-09 if it is in {unit} "
            f"(24 such lines of this day), but exports have nanoseconds; {advice} in a copy of the "
            "file and use that, or take the file away"
        )


def test_other_units_are_refused_wherever_the_lines_stand(folder: Path, read: Read) -> None:
    """Alone, and joined to good lines (`cat`)."""
    good, other = meter(0, DAY), [line.removesuffix("0" * 6) for line in meter(0, DAY)]
    for lines in (other, [*good, *other], [*other, *good]):
        write(folder / "a.lp", *lines)
        assert "if it is in milliseconds (144 such lines" in refused(read)


def test_one_odd_line_in_a_good_file_is_left_out_with_a_word(
    folder: Path, export: Open, dataset: Dataset, day: LocalDay
) -> None:
    """A device whose clock began in 1970. If a source has no other line, it is refused."""
    odd = f"power,source=a instant_power_w=9 {at(13 * HOUR) // 10**6}"
    write(folder / "a.lp", *meter(0, DAY), odd)
    reader = export()
    assert sum(len(batch) for batch in reader.read(dataset, day)) == 144
    assert reader.warnings(dataset, day) == [
        (
            f"{folder / 'a.lp'} line 145: the time {at(13 * HOUR) // 10**6} lies in 2026-11-09 if "
            "it "
            "is in milliseconds (1 such lines of this day); it is left out"
        )
    ]
    write(folder / "a.lp", *meter(0, DAY), odd.replace("=a", "=b"))
    with pytest.raises(SourceError, match="but exports have nanoseconds"):
        list(export().read(dataset, day))


@pytest.mark.parametrize("time", [0, -1, -(2**63) + 2, 1, 300 * 10**9, 10**15, 10**17])
def test_ancient_times_are_of_other_days(folder: Path, read: Read, time: int) -> None:
    """Before 1970, in 1970, before this century."""
    write(folder / "a.lp", *meter(0, DAY), f"power,source=a instant_power_w=9 {time}")
    assert hours(read()) == WHOLE


def test_a_day_of_another_length_is_held_to_its_own_bounds(
    settings: object, folder: Path, export: Open, dataset: Dataset
) -> None:
    """25 hours in Berlin: an export of 24 of them does not cover it."""
    zone = "Europe/Berlin"
    write(
        folder / "a.lp",
        *header("2026-10-25T00:00:00+02:00", "2026-10-25T23:00:00+01:00"),
        *meter(-16 * DAY, -14 * DAY, step=30 * MINUTE),
    )
    reader = export([date(2026, 10, 25)], tz=zone)
    autumn = LocalDay(date(2026, 10, 25), reader._settings.zone)
    with pytest.raises(
        SourceError,
        match=r"from 2026-10-25 23:00:01 \(Europe/Berlin\) to 2026-10-26 00:00:00 \(Europe/Berlin",
    ):
        list(reader.read(dataset, autumn))


def test_times_of_an_hour_that_comes_twice_are_told_apart(
    settings: object, folder: Path, export: Open, dataset: Dataset
) -> None:
    """The hole from 2:30 in summer time to 2:30 in winter time is named with both offsets."""
    spans = [
        ("2026-10-25T00:00:00+02:00", "2026-10-25T02:30:00+02:00"),
        ("2026-10-25T02:30:00+01:00", "2026-10-26T00:00:00+01:00"),
    ]
    for number, (begin, end) in enumerate(spans):
        lines = meter(-16 * DAY, -14 * DAY, step=30 * MINUTE)
        write(folder / f"{number}.lp", *header(begin, end), *lines)
    reader = export([date(2026, 10, 25)], tz="Europe/Berlin")
    autumn = LocalDay(date(2026, 10, 25), reader._settings.zone)
    with pytest.raises(SourceError) as error:
        list(reader.read(dataset, autumn))
    assert (
        "from 2026-10-25 02:30:01+02:00 (Europe/Berlin) "
        "to 2026-10-25 02:30:00+01:00 (Europe/Berlin): 0.lp"
    ) in str(error.value)
