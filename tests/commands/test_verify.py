"""Proving an archive: what the proof finds, and that it changes nothing."""

import json
import shutil
from collections.abc import Callable

import duckdb
import pytest

from tests.fast_set import few
from tests.house import Checkout, Outcome
from tests.workflow import drills
from tests.workflow.drills import DATASET, FIRST, LAST, MIDDLE, UNTIL_LOAD, V1, span

NOW = ("--config", "now=2026-11-12T01:00:00+09:00")


@pytest.fixture
def verified(checkout: Checkout) -> Checkout:
    """A checkout with three loaded days, all of which agree."""
    drills.feed(checkout, V1)
    assert checkout.snakemake(*UNTIL_LOAD, *span()).code == 0
    outcome = verify(checkout)
    export = checkout.environment["INFLUX_URL"]
    assert (outcome.code, outcome.stderr.splitlines()) == (
        0,
        [
            f"note: no day was compared with the source: INFLUX_URL={export!r} is an export",
            f"3 days verified, {len(checkout.rows())} rows, 0 with problems",
        ],
    )
    return checkout


def verify(house: Checkout, *arguments: str) -> Outcome:
    """Run the proof."""
    return house.python("homeiot_batch", "verify", *NOW, *arguments)


@pytest.mark.slow
def test_a_source_that_is_not_there_is_said(verified: Checkout) -> None:
    """What is archived agrees all the same. The note is the one that a run would fail with."""
    verified.environment["INFLUX_URL"] = "/srv/exports/gone.lp"
    outcome = verify(verified)
    said = (
        "INFLUX_URL='/srv/exports/gone.lp': there is no file or folder /srv/exports/gone.lp; give "
        "an existing export"
    )
    assert outcome.code == 0
    assert outcome.stderr.startswith(f"note: no day was compared with the source: {said}")


def flip_a_byte(place: int) -> Callable[[Checkout], None]:
    """In the data, at the file's beginning, or in what describes them, at its end."""
    return lambda house: drills.flip_byte(house.day(MIDDLE) / "part-0.parquet", place)


def change(sql: str) -> Callable[[Checkout], None]:
    """Something done to the middle day in DuckDB."""

    def apply(house: Checkout) -> None:
        with duckdb.connect(house.database) as connection:
            connection.execute(sql.format(day=f"ts_jst::DATE = DATE '{MIDDLE}'"))

    return apply


def lose(house: Checkout) -> None:
    """The day's folder."""
    shutil.rmtree(house.day(MIDDLE))


def double(house: Checkout) -> None:
    """The day's file."""
    shutil.copy(house.day(MIDDLE) / "part-0.parquet", house.day(MIDDLE) / "copy.parquet")


DAMAGE: dict[str, tuple[Callable[[Checkout], None], str]] = {
    "a byte of the file's end flipped": (flip_a_byte(-5), "is damaged or not of this archive"),
    "a byte of the data flipped": (
        flip_a_byte(60),
        "the file is not the one that was loaded: its checksum differs from the marker's",
    ),
    "a row deleted": (
        change(
            "DELETE FROM raw_meter_readings WHERE ts_utc = (SELECT max(ts_utc) FROM "
            "raw_meter_readings WHERE {day})"
        ),
        "1 of the file's rows are not in DuckDB, 0 of DuckDB's are not in the file",
    ),
    "a value changed": (
        change(
            "UPDATE raw_meter_readings SET energy_import_kwh = energy_import_kwh + 1e-9 WHERE {day}"
        ),
        "3 of the file's rows are not in DuckDB, 3 of DuckDB's are not in the file",
    ),
    "a day deleted in DuckDB": (
        change("DELETE FROM raw_meter_readings WHERE {day}"),
        "3 of the file's rows are not in DuckDB, 0 of DuckDB's",
    ),
    "a day doubled in DuckDB": (
        change("INSERT INTO raw_meter_readings SELECT * FROM raw_meter_readings WHERE {day}"),
        "0 of the file's rows are not in DuckDB, 3 of DuckDB's are not in the file",
    ),
    "a day missing": (lose, "the day is not archived"),
    "a day doubled": (double, "holds copy.parquet beside part-0.parquet"),
    "a marker missing": (
        lambda house: house.marker(MIDDLE).unlink(),
        "there is no marker: the day is not loaded",
    ),
}


@pytest.mark.parametrize(
    "name", few(DAMAGE, "a byte of the data flipped", "a row deleted", "a value changed")
)
def test_damage_is_found(name: str, verified: Checkout) -> None:
    """The day and what is wrong with it are named, exit code 1. The other days agree.

    Nothing is changed.
    """
    damage, said = DAMAGE[name]
    damage(verified)
    before = (verified.snapshot(), verified.rows())
    outcome = verify(verified)
    problems = [line for line in outcome.stderr.splitlines() if line.startswith(DATASET)]
    assert outcome.code == 1
    assert all(line.startswith(f"{DATASET} {MIDDLE}: ") for line in problems), problems
    assert any(said in line for line in problems), problems
    assert (verified.snapshot(), verified.rows()) == before


def test_a_range_and_json(verified: Checkout) -> None:
    """Only the days asked for, each with what the file and DuckDB hold, for programs."""
    lose(verified)
    assert verify(verified, "--from", FIRST, "--to", FIRST).code == 0
    outcome = verify(verified, "--json", "--from", LAST, "--to", LAST)
    day = json.loads(outcome.stderr)[0]
    assert (outcome.code, day["dt"], day["problems"], day["parquet"]["rows"]) == (0, LAST, [], 3)
    assert day["duckdb"]["sum_energy_import_kwh"] == pytest.approx(
        sum(row[4] for row in drills.rows(LAST, 1))
    )
