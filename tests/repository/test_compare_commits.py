"""make compare: what differs between the results of two commits is named."""

import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scripts import compare_commits

DAY = "raw_meter_readings/dt=2026-11-09"


def house(folder: Path, watts: float, *, rows: int = 2, read_at: str = "00:10") -> Path:
    """What a run leaves: a file, a marker and a database with two tables."""
    archive = folder / "data/parquet" / DAY
    markers = folder / "data/markers"
    databases = folder / "data/duckdb"
    for made in (archive, (markers / DAY).parent, databases):
        made.mkdir(parents=True)
    said = {"write_id": str(folder), "rows": 1, "read_at": read_at}
    table = pa.table({"instant_power_w": [watts]}).replace_schema_metadata(
        {"homeiot": json.dumps(said)}
    )
    pq.write_table(table, archive / "part-0.parquet")
    (markers / f"{DAY}.json").write_text(json.dumps(said))
    with duckdb.connect(databases / "home_energy.duckdb") as database:
        database.execute(f"CREATE TABLE fct AS SELECT {watts} AS peak_w FROM range({rows})")
        database.execute("CREATE TABLE built_loads AS SELECT uuid()::VARCHAR AS load_id")
    return folder


def compared(before: Path, after: Path) -> list[str]:
    """What differs."""
    return [
        *compare_commits.compare(
            "files", compare_commits.files(before), compare_commits.files(after)
        ),
        *compare_commits.compare(
            "markers", compare_commits.markers(before), compare_commits.markers(after)
        ),
        *compare_commits.compare_tables(before, after),
    ]


def test_equal_results_differ_in_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names that each run makes anew are no difference."""
    assert compared(house(tmp_path / "before", 1.5), house(tmp_path / "after", 1.5)) == []
    assert capsys.readouterr().out.splitlines() == [
        "files: 3 of 3 equal",
        "markers: 2 of 2 equal",
        "columns of tables: 2 of 2 equal",
        "rows of tables: 2 of 2 equal",
    ]


def test_each_difference_is_named(tmp_path: Path) -> None:
    """Another value in a file and in a table, another entry of file and marker."""
    before = house(tmp_path / "before", 1.5)
    after = house(tmp_path / "after", 1.25, read_at="00:11")
    assert compared(before, after) == [
        f"{DAY}/part-0.parquet",
        f"{DAY}/part-0.parquet: read_at",
        f"data/markers/{DAY}.json: read_at",
        "main.fct",
    ]


def test_a_row_more_is_named(tmp_path: Path) -> None:
    """Rows are compared with how often they are there."""
    before = house(tmp_path / "before", 1.5)
    after = house(tmp_path / "after", 1.5, rows=3)
    assert compared(before, after) == ["main.fct"]
