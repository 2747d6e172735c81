"""What the doctor finds in the database, or of one that cannot be opened."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from homeiot_batch.config import Settings
from homeiot_batch.core.layout import Layout
from homeiot_batch.doctor.database import check_database
from homeiot_batch.doctor.finding import Finding, ok, problem, warning
from tests.doctor.findings import DATASET, given, holding


def test_a_database_that_is_free_is_well(
    settings: Settings, layout: Layout, house: Callable[..., None]
) -> None:
    """It opens, nobody holds it, and it is not written to."""
    house(23)
    before = settings.duckdb_path.read_bytes()
    assert list(check_database(settings, layout)) == [
        ok("file", f"{settings.duckdb_path}, {len(before) / 1e6:.1f} MB, opens, nobody has it open")
    ]
    assert settings.duckdb_path.read_bytes() == before
    settings.duckdb_path.unlink()
    assert list(check_database(settings, layout)) == [
        ok(
            "file",
            f"{settings.duckdb_path} is not there, and the next run builds it from the archive",
        )
    ]
    assert not settings.duckdb_path.exists()


@pytest.mark.parametrize("read_only", [True, False])
def test_who_holds_the_database_is_named(
    settings: Settings, layout: Layout, house: Callable[..., None], read_only: bool
) -> None:
    """Another process with the file open, be it only to read, would make the next load fail.

    Its id and name, as a warning.
    """
    house(23)
    with holding(
        f"import duckdb; connection = duckdb.connect(sys.argv[1], read_only={read_only})",
        settings.duckdb_path,
    ) as process:
        name = Path(f"/proc/{process.pid}/comm").read_text().strip()
        [found] = check_database(settings, layout)
        process.kill()
    size = f"{settings.duckdb_path.stat().st_size / 1e6:.1f}"
    if read_only:
        said = (
            f"{settings.duckdb_path}, {size} MB, opens; process {process.pid} ({name}) reads it, "
            "and no load can write until that ends"
        )
        assert found == warning("file", said, "close it there")
    else:
        program = Path(sys.executable).resolve()
        said = f"{settings.duckdb_path} is open in another process ({program} (PID {process.pid}))"
        assert found == Finding("file", "warning", said, "close it there and run again")


def test_a_damaged_database_is_named(
    settings: Settings, layout: Layout, house: Callable[..., None]
) -> None:
    """A file that is no DuckDB file is left alone: the next run is the one to replace it."""
    house(23)
    settings.duckdb_path.write_bytes(b"not a database" * 1000)
    [found] = check_database(settings, layout)
    assert (found.level, found.fix) == (
        "warning",
        "the next run sets it aside and builds it again from the archive",
    )
    assert found.found.startswith(f"{settings.duckdb_path} is damaged (")
    assert settings.duckdb_path.read_bytes().startswith(b"not a database")


def test_another_zone_and_days_not_loaded_are_found(
    settings: Settings, layout: Layout, house: Callable[..., None]
) -> None:
    """The database's own note of the zone, and archived days without a marker."""
    house(21, 22, 23)
    layout.marker(DATASET, "2026-11-22").unlink()
    size = f"{settings.duckdb_path.stat().st_size / 1e6:.1f}"
    assert list(check_database(given(settings, tz="Europe/Berlin"), layout)) == [
        problem(
            "file",
            f"{settings.duckdb_path}, {size} MB, opens, and holds days of Asia/Tokyo, TZ is "
            "Europe/Berlin",
            "set TZ=Asia/Tokyo, or another DUCKDB_PATH",
        ),
        warning(
            DATASET,
            "1 archived days are not loaded",
            "python -m homeiot_batch.run_archive loads them",
        ),
    ]


def test_a_link_to_a_database_that_is_not_there(
    settings: Settings, layout: Layout, tmp_path: Path
) -> None:
    """Its disk is not mounted: the next run would be refused."""
    settings.duckdb_path.parent.mkdir()
    target = tmp_path / "disk/house.duckdb"
    settings.duckdb_path.symlink_to(target)
    assert list(check_database(settings, layout)) == [
        problem(
            "file",
            f"{settings.duckdb_path} is a link to {target}, whose folder is not there",
            "mount or make it, or set DUCKDB_PATH",
        )
    ]


@pytest.mark.parametrize("name", ["a#b.duckdb", "a;b.duckdb", "a\nb.duckdb"])
def test_a_name_that_dbt_takes_for_another(name: str, settings: Settings, layout: Layout) -> None:
    """Days can be loaded, but no tables can be built."""
    odd = given(settings, duckdb_path=str(settings.duckdb_path.with_name(name)))
    found = list(check_database(odd, layout))
    assert found[0] == problem(
        "name",
        f"{name!r} holds #, ; or a line break, and dbt cannot open it",
        "rename the file, and set DUCKDB_PATH to its new name",
    )
