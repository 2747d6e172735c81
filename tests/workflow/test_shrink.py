"""A day never shrinks by accident.

Fewer points, or fewer values of one field, are refused whatever else is missing.
"""

import json
import shutil
from collections.abc import Callable
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.fast_set import few
from tests.house import House
from tests.workflow import drills
from tests.workflow.drills import DATASET, FIRST, FORCED, LAST, MIDDLE, UNTIL_LOAD, V1, jobs, span

ONE_DAY = (*UNTIL_LOAD, *span(MIDDLE, MIDDLE))
ALLOWED = (*ONE_DAY, "allow_shrink=true")
METADATA = b"homeiot"

WHOLE = "3 rows (instant_power_w 2, energy_import_kwh 3, energy_export_kwh 2)"
SMALLER = {
    "fewer points": (
        drills.lines(MIDDLE, 1)[:-1],
        "2 rows (instant_power_w 1, energy_import_kwh 2, energy_export_kwh 1)",
    ),
    "fewer values": (
        [line.replace(",energy_export_kwh=1.0", "") for line in drills.lines(MIDDLE, 1)],
        "3 rows (instant_power_w 2, energy_import_kwh 3, energy_export_kwh 1)",
    ),
    "no points": (
        drills.lines(LAST, 1),
        "0 rows (instant_power_w 0, energy_import_kwh 0, energy_export_kwh 0)",
    ),
}
FIX = (
    ": the source may have forgotten it. What is archived is kept; "
    "if the new one is right, run this day alone again with --config allow_shrink=true"
)
NEVER = (
    " to nothing: the source has forgotten it, or is another one. What is archived is kept, "
    "whatever is allowed; "
    "restore the day's folder from a backup if it is missing"
)


def lose(house: House, *what: str) -> None:
    """Delete the middle day's directory or marker, or the database."""
    for thing in what:
        if thing == "day":
            shutil.rmtree(house.day(MIDDLE))
        elif thing == "marker":
            house.marker(MIDDLE).unlink()
        elif thing == "database":
            drills.remove_database(house)


def metadata(house: House) -> dict[str, Any]:
    """What the middle day's file says of itself."""
    return json.loads(pq.read_metadata(house.day(MIDDLE) / "part-0.parquet").metadata[METADATA])


LOST = {
    "nothing": (),
    "day": ("day",),
    "day and marker": ("day", "marker"),
    "day and database": ("day", "database"),
    "marker and database": ("marker", "database"),
}


@pytest.mark.parametrize(
    ("smaller", "lost"),
    few(
        [
            *(("fewer values", lost) for lost in LOST),
            ("fewer points", "nothing"),
            ("fewer points", "day"),
            ("no points", "day and database"),
        ],
        ("fewer values", "nothing"),
        ("fewer values", "marker and database"),
        ("fewer points", "day"),
        ("no points", "day and database"),
    ),
)
def test_refused(smaller: str, lost: str, archived: House) -> None:
    """The smaller day is refused with both counts and the fix.

    Files, markers and tables stay as they were.
    """
    points, found = SMALLER[smaller]
    archived.export(*points)
    lose(archived, *LOST[lost])
    before = drills.state(archived)
    if "database" in LOST[lost]:
        del before["markers/dbt.json"]  # removed where there is no database
    outcome = archived.snakemake(*FORCED, *ONE_DAY)
    subject = f"failed: fetch {DATASET} {MIDDLE}: {DATASET} {MIDDLE} would shrink from {WHOLE}"
    assert drills.said(outcome) == subject + (
        NEVER if smaller == "no points" else f" to {found}{FIX}"
    )
    assert outcome.jobs == []
    assert drills.state(archived) == before
    assert drills.leftovers(archived) == []


@pytest.mark.slow
def test_refused_again_and_again(archived: House) -> None:
    """With directory and database deleted, the marker's counts still guard the day.

    They do so in every later run, until it is read whole.
    """
    archived.export(*SMALLER["fewer points"][0])
    lose(archived, "day", "database")
    for _ in range(2):
        assert f"would shrink from {WHOLE}" in drills.said(archived.snakemake(*ONE_DAY))
    drills.feed(archived, V1)
    assert archived.snakemake(*UNTIL_LOAD, *span()).code == 0
    drills.assert_archived(archived, V1)


@pytest.mark.parametrize("lost", few(["nothing", "day"], "nothing"))
@pytest.mark.parametrize("smaller", few(["fewer points", "fewer values"], "fewer points"))
def test_permitted(smaller: str, lost: str, archived: House) -> None:
    """Permitted, the day is replaced, and its former counts are recorded.

    They are in the file, in the marker and in the database.
    """
    points, _ = SMALLER[smaller]
    archived.export(*points)
    lose(archived, *LOST[lost])
    assert archived.snakemake(*FORCED, *ALLOWED).jobs == jobs("fetch extract load", MIDDLE)
    expected = (
        drills.rows(MIDDLE, 1)[:2]
        if smaller == "fewer points"
        else [(*row[:5], min(row[5], 0.0)) for row in drills.rows(MIDDLE, 1)]
    )
    assert drills.parquet_rows(archived, MIDDLE) == expected
    assert [row for row in archived.rows() if str(row[1].date()) == MIDDLE] == expected
    assert_recorded(archived, metadata(archived))


@pytest.mark.parametrize("lost", few(["nothing", "day"], "day"))
def test_no_permission_empties_a_day(lost: str, archived: House) -> None:
    """What the source has forgotten altogether is kept, file or database, whatever is allowed.

    Nothing is changed.
    """
    archived.export(*SMALLER["no points"][0])
    lose(archived, *LOST[lost])
    before = drills.state(archived)
    assert NEVER in drills.said(archived.snakemake(*FORCED, *ALLOWED))
    assert drills.state(archived) == before


def test_a_permission_names_its_days(archived: House) -> None:
    """Without start and end it would hold for every day that the run happens to read.

    Refused, nothing is changed.
    """
    archived.export(*SMALLER["fewer points"][0])
    before = drills.state(archived)
    outcome = archived.snakemake(*FORCED, "--config", "allow_shrink=true")
    assert drills.said(outcome).startswith(
        "error: allow_shrink=true does not say for which days; give --date, or --from and --to"
    )
    assert drills.state(archived) == before


def test_a_permission_holds_for_its_days_alone(archived: House) -> None:
    """A forced run reads every day that is not loaded: one beside the permitted is refused."""
    archived.export(*drills.lines(FIRST, 1)[:-1], *SMALLER["fewer points"][0])
    lose(archived, "database")
    before = (archived.day(FIRST) / "part-0.parquet").read_bytes()
    outcome = archived.snakemake(*FORCED, *span(MIDDLE, MIDDLE, "allow_shrink=true"))
    assert outcome.code == 1
    assert [failure for failure in outcome.failures if FIRST in failure], outcome.stderr
    assert (archived.day(FIRST) / "part-0.parquet").read_bytes() == before
    assert drills.parquet_rows(archived, MIDDLE) == drills.rows(MIDDLE, 1)[:2]


def assert_recorded(house: House, *others: dict[str, Any]) -> None:
    """Marker, database and `others` say what the middle day was before it shrank."""
    [(recorded,)] = house.query(f"SELECT shrunk_from FROM archive.loads WHERE dt = '{MIDDLE}'")
    marker = json.loads(house.marker(MIDDLE).read_text())
    was = drills.counts(MIDDLE, 1)
    assert [
        json.loads(recorded),
        marker["shrunk_from"],
        *(other["shrunk_from"] for other in others),
    ] == [was] * (2 + len(others))


@pytest.mark.slow
def test_permission_outlives_a_kill(archived: House) -> None:
    """A permitted day whose run was killed before the load is loaded by the next run.

    It does not need the permission again.
    """
    archived.export(*SMALLER["fewer points"][0])
    drills.die(archived, "extract.renamed", *FORCED, *ALLOWED)
    assert archived.snakemake(*ONE_DAY).jobs == jobs("load", MIDDLE)
    assert [row for row in archived.rows() if str(row[1].date()) == MIDDLE] == drills.rows(
        MIDDLE, 1
    )[:2]
    assert_recorded(archived, metadata(archived))


@pytest.mark.slow
def test_permission_is_for_one_run(archived: House) -> None:
    """After a permitted replacement the new counts are what is guarded.

    The same again is fine, still less is refused.
    """
    archived.export(*SMALLER["fewer points"][0])
    archived.snakemake(*FORCED, *ALLOWED)
    assert archived.snakemake(*FORCED, *ONE_DAY).jobs == jobs("fetch extract load", MIDDLE)
    archived.export(*drills.lines(MIDDLE, 1)[:1])
    assert f"would shrink from {SMALLER['fewer points'][1]} to 1 rows" in drills.said(
        archived.snakemake(*FORCED, *ONE_DAY)
    )


def fewer_points(house: House) -> None:
    """Write the day's file again with two of its three rows, and say so in it."""
    rewrite(
        house,
        lambda said: (
            said
            | {"rows": 2, "values": dict.fromkeys(said["values"], 1) | {"energy_import_kwh": 2}}
        ),
        rows=2,
    )


def fewer_values(house: House) -> None:
    """Write the day's file again with as many rows, of which one value less was a reading."""
    rewrite(
        house, lambda said: said | {"values": said["values"] | {"energy_export_kwh": 1}}, rows=3
    )


def rewrite(house: House, change: Callable[[dict[str, Any]], dict[str, Any]], rows: int) -> None:
    """Replace the middle day's file by hand."""
    content = json.dumps(change(metadata(house)) | {"write_id": "of another read"})
    table = pq.ParquetFile(house.day(MIDDLE) / "part-0.parquet").read().slice(0, rows)
    with pq.ParquetWriter(house.day(MIDDLE) / "part-0.parquet", table.schema) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({METADATA: content})


@pytest.mark.parametrize("replace", few([fewer_points, fewer_values], fewer_values))
def test_refused_at_load(replace: Callable[[House], None], archived: House) -> None:
    """A dt= file that was replaced by a smaller one is not loaded: the table keeps the day.

    Permitted, it is loaded and recorded.
    """
    replace(archived)
    lose(archived, "marker")
    before = drills.state(archived)
    outcome = archived.snakemake(*ONE_DAY)
    line = drills.said(outcome)
    assert line.startswith(
        f"failed: load {DATASET} {MIDDLE}: {DATASET} {MIDDLE} in DuckDB would shrink from {WHOLE} "
        "to "
    )
    assert line.endswith(
        f"{FIX} (the database holds more than the file: a newer backup of the file may hold it too)"
    )
    assert drills.state(archived) == before
    assert archived.snakemake(*ALLOWED).jobs == jobs("load", MIDDLE)
    assert_recorded(archived)
    assert [row for row in archived.rows() if str(row[1].date()) == MIDDLE] == drills.parquet_rows(
        archived, MIDDLE
    )
