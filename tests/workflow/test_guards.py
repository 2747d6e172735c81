"""What would lose or falsify archived days without a crash.

Options, settings, damage and a database that is not to be had.
"""

import shutil
from collections.abc import Callable

import pytest

from tests.house import House
from tests.workflow import drills
from tests.workflow.drills import DATASET, FIRST, FORCED, MIDDLE, UNTIL_LOAD, V1, jobs, span

NOON = 1794193200  # of the first day


@pytest.mark.parametrize(
    "arguments",
    [("--delete-all-output",), ("--delete-all",), ("all", "--all-temp", "--forcerun", "load")],
    ids=lambda a: a[-1],
)
def test_options_that_delete_outputs_are_refused(
    arguments: tuple[str, ...], archived: House
) -> None:
    """The archive is no build product: one line, exit not 0, everything as it was."""
    before = drills.state(archived)
    drills.without_source(archived)
    outcome = archived.snakemake(*arguments, *span())
    assert outcome.code != 0
    assert "would delete archived days; remove what you do not want to keep by hand" in drills.said(
        outcome
    )
    assert drills.state(archived) == before


def test_a_dry_run_changes_nothing(archived: House) -> None:
    """Not even markers that would not be believed: here the database is another one."""
    before = drills.state(archived)
    assert archived.snakemake("-n", *span(), DUCKDB_PATH="data/other.duckdb").code == 0
    assert drills.state(archived) == before


def test_days_of_another_zone_do_not_enter_the_database(archived: House) -> None:
    """Another archive of another zone with the same database.

    Its day would cut into the neighbours' rows.
    """
    table = archived.rows()
    elsewhere = {
        "TZ": "Europe/Berlin",
        "PARQUET_BASE_DIR": "data/berlin",
        "MARKER_DIR": "data/berlin-markers",
    }
    (archived.folder / "data/berlin").mkdir()
    (archived.folder / "data/berlin/.archive.json").write_text('{"tz": "Europe/Berlin"}')
    outcome = archived.snakemake(*UNTIL_LOAD, *span(MIDDLE, MIDDLE), **elsewhere)
    assert outcome.code != 0
    assert (
        "holds days of Asia/Tokyo, those of Europe/Berlin would cut into them; set TZ=Asia/Tokyo, "
        "or another DUCKDB_PATH" in drills.said(outcome)
    )
    assert archived.rows() == table


def test_a_denser_day_does_not_replace_a_longer_one(archived: House) -> None:
    """More readings than archived, but of another time of the day: refused with their number.

    Permitted, it is replaced and named.
    """
    before = drills.state(archived)
    archived.export(
        *(
            f"power,source=a instant_power_w=1,energy_import_kwh=1,energy_export_kwh=1 "
            f"{NOON + n}000000000"
            for n in range(100)
        )
    )
    outcome = archived.snakemake(*UNTIL_LOAD, *FORCED, *span(FIRST, FIRST))
    held = drills.counts(FIRST, 1)["rows"]
    assert (
        f"{DATASET} {FIRST} would lose {held} archived readings that the source no longer has"
        in drills.said(outcome)
    )
    assert (outcome.code != 0, drills.state(archived)) == (True, before)
    permitted = archived.snakemake(*UNTIL_LOAD, *FORCED, *span(FIRST, FIRST, "allow_shrink=true"))
    assert permitted.code == 0
    assert (
        f"warning: {DATASET} {FIRST}: shrinks as permitted by allow_shrink: {held} archived "
        "readings are not in it" in permitted.stderr
    )
    assert len(archived.archived(FIRST)) == 100


def _garbage(house: House) -> None:
    (house.day(FIRST) / "part-0.parquet").write_bytes(b"PAR1 no more")


def _second_file(house: House) -> None:
    shutil.copy(house.day(FIRST) / "part-0.parquet", house.day(FIRST) / "part-1.parquet")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_garbage, "is damaged or not of this archive"),
        (_second_file, "holds part-1.parquet beside"),
    ],
)
def test_a_damaged_day_without_a_witness_is_not_replaced(
    damage: Callable[[House], None], said: str, archived: House
) -> None:
    """Nothing says how much the day held: its file may be worth mending, and is left alone."""
    damage(archived)
    shutil.rmtree(archived.markers)
    archived.database.unlink()
    files = archived.snapshot()
    outcome = archived.snakemake(*UNTIL_LOAD, *FORCED, *span(FIRST, FIRST))
    assert outcome.code != 0
    assert said in drills.said(outcome)
    assert archived.snapshot() == files


def test_a_day_folder_without_its_file_is_read_again(archived: House) -> None:
    """It would pass for archived. The database need not know."""
    (archived.day(FIRST) / "part-0.parquet").unlink()
    outcome = archived.snakemake(*UNTIL_LOAD, *span())
    assert (outcome.code, outcome.jobs) == (0, jobs("fetch extract load", FIRST))
    drills.assert_archived(archived, V1)


def test_a_lost_day_is_not_read_again_while_the_database_cannot_be_asked(archived: House) -> None:
    """Only the database knows how much it held.

    Once it is free, a smaller source is refused, and the whole one recovers.
    """
    shutil.rmtree(archived.day(FIRST))
    archived.marker(FIRST).unlink()
    drills.feed(archived, {**V1, FIRST: 0})
    with archived.held():
        busy = archived.snakemake(*UNTIL_LOAD, *span(), DUCKDB_WAIT_S="0.2")
    assert (
        busy.code != 0,
        archived.day(FIRST).exists(),
        "is open in another process" in drills.said(busy),
    ) == (True, False, True)
    assert "would shrink from" in drills.said(archived.snakemake(*UNTIL_LOAD, *span()))
    drills.feed(archived, V1)
    assert archived.snakemake(*UNTIL_LOAD, *span()).code == 0
    drills.assert_archived(archived, V1)


def test_a_day_that_was_moved_is_not_loaded(archived: House) -> None:
    """A file in another day's folder says so itself."""
    table = archived.rows()
    shutil.rmtree(archived.day(FIRST))
    shutil.copytree(archived.day(MIDDLE), archived.day(FIRST))
    outcome = archived.snakemake(*UNTIL_LOAD, *span())
    assert outcome.code != 0
    assert f"says that it holds {{'dataset': '{DATASET}', 'dt': '{MIDDLE}'" in drills.said(outcome)
    assert archived.rows() == table


def test_readings_that_only_an_undeclared_tag_tells_apart_are_named(house: House) -> None:
    """Two phases under one source: a warning, and no energy instead of their difference."""
    points = [(phase, 5000 * phase + hour) for hour in range(3) for phase in (0, 1)]
    house.export(
        *(
            f"power,source=a,phase=L{phase} energy_import_kwh={100 + value} "
            f"{NOON + value % 5000}000000000"
            for phase, value in points
        )
    )
    outcome = house.snakemake(*span(FIRST, FIRST))
    assert outcome.code == 0
    assert (
        f"warning: {DATASET} {FIRST}: 3 readings share their time and tags with another; a tag "
        "that is not declared keeps them" in outcome.stderr
    )
    assert [row[:3] for row in house.energy()] == [(*house.energy()[0][:2], None)]
