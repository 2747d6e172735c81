"""A database that is gone, damaged, outdated or open elsewhere.

The archive is enough to build it again, and no run waits for ever.
"""

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from tests.fast_set import few
from tests.house import Checkout, House
from tests.workflow import drills
from tests.workflow.drills import (
    DAYS,
    FIRST,
    FORCED,
    LAST,
    MIDDLE,
    NEXT,
    UNTIL_LOAD,
    V1,
    jobs,
    span,
)


def change(sql: str) -> Callable[[House], None]:
    """Something that an older version had otherwise."""

    def apply(house: House) -> None:
        with duckdb.connect(house.database) as connection:
            connection.execute(sql)

    return apply


def truncate(share: float) -> Callable[[House], None]:
    """The file cut off after a share of its length."""
    return lambda house: os.truncate(house.database, int(house.database.stat().st_size * share))


def flip(house: House, place: int) -> None:
    """Some bytes of the file changed."""
    with house.database.open("r+b") as file:
        file.seek(place)
        content = file.read(64)
        file.seek(place)
        file.write(bytes(byte ^ 255 for byte in content))


def scribble(house: House) -> None:
    """Something else in the file's place."""
    house.database.write_text("no database" * 1000)


UNUSABLE: dict[str, tuple[Callable[[House], None], str]] = {
    "empty": (truncate(0), "is damaged"),
    "cut short": (truncate(0.4), "is damaged"),
    "no database": (scribble, "is damaged"),
    "header damaged": (lambda house: flip(house, 8200), "is damaged"),
    "older records": (
        change("ALTER TABLE archive.loads DROP COLUMN sha256"),
        "its table archive.loads has the columns",
    ),
    "older raw table": (
        change("ALTER TABLE raw_meter_readings ALTER ts_jst TYPE TIMESTAMPTZ"),
        'raw_meter_readings" has the columns',
    ),
}


@pytest.mark.parametrize("name", few(UNUSABLE, "cut short"))
def test_an_unusable_database_is_set_aside_and_built_again(name: str, archived: House) -> None:
    """By the next run, from the archive alone: the source is gone.

    The tables are the same. The old file is kept and named.
    """
    damage, reason = UNUSABLE[name]
    damage(archived)
    left = archived.database.read_bytes()
    drills.without_source(archived)
    outcome = archived.snakemake("yesterday", *span(), "now=2026-11-12T00:10:00+09:00")
    assert (outcome.code, outcome.jobs) == (0, jobs("load", *DAYS, tables=True)), outcome.stderr
    drills.assert_archived(archived, V1)
    assert archived.energy() == drills.energy_rows(V1)
    [aside] = archived.database.parent.glob("*.duckdb.set-aside-*Z")
    assert aside.read_bytes() == left
    [warning] = [
        line
        for line in outcome.stderr.splitlines()
        if line.startswith("warning: data/duckdb/home_energy.duckdb is set aside as")
    ]
    assert f"{aside.name} and built again from the archive: " in warning
    assert reason in warning


@pytest.mark.parametrize(
    "target",
    few(
        ["yesterday", f"data/markers/{drills.DATASET}/dt={LAST}.json", "data/markers/dbt.json"],
        "yesterday",
    ),
)
def test_tables_are_never_built_from_a_part_of_the_archive(target: str, archived: House) -> None:
    """Database deleted, only a day or the tables asked for.

    Every archived day is loaded before the tables are built.
    """
    drills.remove_database(archived)
    drills.without_source(archived)
    outcome = archived.snakemake(
        target,
        "data/markers/read_copy.json",
        "data/markers/report.json",
        *span(LAST, LAST),
        "now=2026-11-12T00:10:00+09:00",
    )
    assert (outcome.code, outcome.jobs) == (0, jobs("load", *DAYS, tables=True)), outcome.stderr
    assert archived.energy() == drills.energy_rows(V1)


def damage_readings(house: House) -> None:
    """The blocks of the raw table changed: the file opens, and its records can be read."""
    with duckdb.connect(house.database) as connection:
        connection.execute("CREATE TABLE ballast AS SELECT uuid() FROM range(200000)")
        blocks = connection.execute(
            "SELECT block_id FROM pragma_storage_info('raw_meter_readings') WHERE block_id >= 0"
        ).fetchall()
    for (block,) in set(blocks):
        flip(house, 3 * 4096 + block * 262_144 + 100)


@pytest.mark.slow
def test_damage_that_shows_in_the_middle_of_a_run(archived: House) -> None:
    """The run fails with a line that names it. The next one sets the file aside and recovers."""
    damage_readings(archived)
    drills.feed(archived, {LAST: 2})
    drills.without_source(archived)
    archived.marker(MIDDLE).unlink()
    said = archived.snakemake(*span())
    assert said.code != 0
    assert any("home_energy.duckdb is damaged" in line for line in said.failures), said.stderr
    assert archived.snakemake(*span()).code == 0
    drills.assert_archived(archived, V1)
    assert archived.energy() == drills.energy_rows(V1)


@pytest.mark.slow
def test_the_night_heals_damage_that_shows_in_the_middle_of_it(archived_checkout: Checkout) -> None:
    """It goes over its work once more, with a new database.

    Exit code 0, and everything is there.
    """
    damage_readings(archived_checkout)
    archived_checkout.marker(MIDDLE).unlink()
    drills.without_source(archived_checkout)
    night = archived_checkout.night("2026-11-12")
    assert night.code == 0, night.stderr
    assert "home_energy.duckdb is damaged" in night.failures[0]
    drills.assert_archived(archived_checkout, V1)
    assert archived_checkout.energy() == drills.energy_rows(V1)


@pytest.mark.slow
def test_a_field_that_is_declared_later(checkout: Checkout) -> None:
    """The table gets the column from the archive alone.

    Filled as for points without it in older days, read in newer ones.
    """
    checkout.export(
        *(
            f"power,source=a energy_import_kwh={n},voltage_v=10{n} "
            f"{1794193200 + n * 86400}000000000"
            for n in range(3)
        )
    )
    assert checkout.snakemake(*UNTIL_LOAD, *span(FIRST, MIDDLE)).code == 0
    config = checkout.folder / "config.yaml"
    config.write_text(
        config.read_text().replace(
            "energy_export_kwh: double", "energy_export_kwh: double\n      voltage_v: double"
        )
    )
    assert checkout.snakemake(*span()).code == 0
    assert checkout.query(
        "SELECT energy_import_kwh, voltage_v FROM raw_meter_readings ORDER BY ts_utc"
    ) == [(0.0, 0.0), (1.0, 0.0), (2.0, 102.0)]
    assert checkout.snakemake("--forcerun", "extract", *span()).code == 0
    assert checkout.query(
        "SELECT energy_import_kwh, voltage_v FROM raw_meter_readings ORDER BY ts_utc"
    ) == [(0.0, 100.0), (1.0, 101.0), (2.0, 102.0)]


@pytest.mark.slow
def test_another_order_in_config_yaml_changes_nothing(checkout: Checkout) -> None:
    """Keys and fields in another order: no database is set aside, and there is nothing to do.

    A day that is read again then is the same in every table, and in the read copy.
    """
    drills.feed(checkout, V1)
    assert checkout.snakemake(*span()).code == 0
    config = checkout.folder / "config.yaml"
    declared = yaml.safe_load(config.read_text())
    dataset = declared["datasets"][drills.DATASET]
    dataset["fields"] = dict(reversed(dataset["fields"].items()))
    declared["datasets"][drills.DATASET] = dict(reversed(dataset.items()))
    config.write_text(yaml.safe_dump(declared, sort_keys=False))
    outcome = checkout.snakemake(*span())
    assert (outcome.code, outcome.jobs, outcome.failures) == (0, [], [])
    drills.feed(checkout, {MIDDLE: 2})
    outcome = checkout.snakemake(*FORCED, *span(MIDDLE, MIDDLE))
    assert outcome.code == 0, outcome.stderr
    assert list(checkout.database.parent.glob("*set-aside*")) == []
    versions = V1 | {MIDDLE: 2}
    expected = [row for day, version in versions.items() for row in drills.rows(day, version)]
    assert checkout.rows() == expected
    assert checkout.energy() == drills.energy_rows(versions)
    assert published_rows(checkout) == expected


def published_rows(house: House) -> list[Any]:
    """The raw readings in the read copy, in the order of columns that is shipped."""
    return house.published(
        "SELECT ts_utc, ts_jst, source, instant_power_w, energy_import_kwh, energy_export_kwh "
        "FROM raw_meter_readings ORDER BY ts_utc"
    )


@pytest.mark.slow
def test_what_is_not_damaged_is_not_set_aside(archived: House) -> None:
    """A folder where the file should be: one line, exit not 0, nothing changed."""
    archived.database.rename(archived.folder / "kept.duckdb")
    archived.database.mkdir()
    said = drills.said(archived.snakemake(*span()))
    assert said.startswith("error: data/duckdb/home_energy.duckdb cannot be opened (")
    assert "Is a directory" in said
    assert sorted(path.name for path in archived.database.parent.iterdir()) == [
        ".home_energy.duckdb.read",
        "home_energy.duckdb",
        "home_energy.read.duckdb",
    ]


# open elsewhere


def test_open_elsewhere_to_the_end(archived: House) -> None:
    """New days are still archived, the load fails by the holder's process after DUCKDB_WAIT_S.

    It is done when the holder has let go.
    """
    drills.feed(archived, {NEXT: 1})
    with archived.held() as holder:
        outcome = archived.snakemake(*UNTIL_LOAD, *span(FIRST, NEXT), DUCKDB_WAIT_S="0.5")
    assert "data/duckdb/home_energy.duckdb is open in another process (" in drills.said(outcome)
    assert f"(PID {holder})" in drills.said(outcome)
    assert outcome.jobs == jobs("fetch extract", NEXT)
    assert archived.snakemake(*UNTIL_LOAD, *span(FIRST, NEXT)).jobs == jobs("load", NEXT)
    drills.assert_archived(archived, V1 | {NEXT: 1})


@pytest.mark.slow
def test_open_elsewhere_for_a_while(archived: House) -> None:
    """The run waits, says for whom, and goes on as soon as the database is free."""
    drills.feed(archived, {NEXT: 1})
    with archived.held() as holder:
        process = archived.start(*span(FIRST, NEXT))
        assert process.stdout is not None
        said = ""
        while "the database is open elsewhere, waiting" not in said:
            said = process.stdout.readline()
            assert said, "it ended"
    assert f"(PID {holder})" in said
    [outcome] = drills.together([process])
    assert (outcome.code, outcome.jobs) == (0, jobs("fetch extract load", NEXT, tables=True))
    drills.assert_archived(archived, V1 | {NEXT: 1})


# damaged files


def flip_in_data(part: Path) -> None:
    """A byte of the first column's pages changed: the file's own description stays readable."""
    drills.flip_byte(part, 40)


def cut(part: Path) -> None:
    """The file's end, where it describes itself, cut off."""
    part.write_bytes(part.read_bytes()[:-20])


@pytest.mark.parametrize("damage", few([flip_in_data, cut], flip_in_data))
def test_a_damaged_file_is_not_loaded(damage: Callable[[Path], None], archived: House) -> None:
    """With the database gone.

    The file is named, its day is not in the table, and the tables are not built without it.
    """
    damage(archived.day(MIDDLE) / "part-0.parquet")
    drills.remove_database(archived)
    drills.without_source(archived)
    outcome = archived.snakemake(*span())
    assert outcome.jobs == jobs("load", FIRST, LAST)
    assert drills.said(outcome).startswith(
        f"failed: load {drills.DATASET} {MIDDLE}: "
        f"data/parquet/{drills.DATASET}/dt={MIDDLE}/part-0.parquet is damaged"
    )
    assert f"`python -m homeiot_batch.run_archive --date {MIDDLE} --force`" in drills.said(outcome)


@pytest.mark.parametrize("damage", few([flip_in_data, cut], flip_in_data))
@pytest.mark.parametrize("source", few(["as much", "less", "gone"], "as much"))
def test_a_damaged_file_is_read_again_by_the_night_only_if_the_source_holds_as_much(
    source: str, damage: Callable[[Path], None], archived_checkout: Checkout
) -> None:
    """In the window of the look-back. Else it is named and left as it is."""
    damage(archived_checkout.day(MIDDLE) / "part-0.parquet")
    before = archived_checkout.snapshot()
    if source == "less":
        archived_checkout.export(*drills.lines(MIDDLE, 1)[:-1], *drills.lines(LAST, 1))
    if source == "gone":
        drills.without_source(archived_checkout)
    night = archived_checkout.night("2026-11-12")
    warnings = [
        line
        for line in night.stderr.splitlines()
        if line.startswith(f"warning: {drills.DATASET} {MIDDLE}: ")
    ]
    assert warnings != []
    assert all("part-0.parquet is damaged" in warning for warning in warnings)
    if source == "as much":
        assert (night.code, night.jobs) == (0, jobs("fetch extract load", MIDDLE, tables=True)), (
            night.stderr
        )
        drills.assert_archived(archived_checkout, V1)
    else:
        assert (night.code, night.jobs, len(night.failures)) == (1, [], 1)
        assert (
            "would shrink" if source == "less" else "there is no file or folder"
        ) in night.failures[0]
        assert archived_checkout.snapshot() == before


def test_damage_is_found_by_page_checksums(archived: House) -> None:
    """A changed byte in data that is not compressed would be a changed value.

    No reader of the workflow takes it for one.
    """
    archived.environment["PARQUET_COMPRESSION"] = "none"
    drills.feed(archived, {NEXT: 1})
    assert archived.snakemake(*UNTIL_LOAD, *span(NEXT, NEXT)).code == 0
    part = archived.day(NEXT) / "part-0.parquet"
    content = part.read_bytes()
    value, following = (row[3] for row in drills.rows(NEXT, 1)[1:3])
    place = content.index(struct.pack("<2d", value, following))  # so in the data alone
    part.write_bytes(content[:place] + b"\x01" + content[place + 1 :])
    with duckdb.connect() as reader:
        trusting = reader.execute(
            "SELECT count(*) FROM read_parquet(?) WHERE instant_power_w = ?", [str(part), value]
        ).fetchall()
    assert trusting == [(0,)], "DuckDB alone takes it as it stands"
    archived.marker(NEXT).unlink()
    archived.database.unlink()  # neither knows the file's checksum
    assert "part-0.parquet is damaged" in drills.said(
        archived.snakemake(*UNTIL_LOAD, *span(NEXT, NEXT))
    )
