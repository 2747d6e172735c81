"""What failed in a dbt build, in one line each, from what dbt writes down."""

import json
from pathlib import Path

import pytest

from homeiot_batch.warehouse.dbt_failures import FAILED, WARNED, Row, describe, lacking_columns
from homeiot_batch.warehouse.dbt_results import (
    Manifest,
    Node,
    Result,
    delete_results,
    read_manifest,
    read_results,
)

UNIQUE = Node.model_validate(
    {
        "name": "unique_row_fct_daily_energy_date_jst__source",
        "resource_type": "test",
        "attached_node": "model.homeiot.fct_daily_energy",
        "test_metadata": {"name": "unique_row", "kwargs": {"grain": ["date_jst", "source"]}},
    }
)
OWN = Node.model_validate(
    {
        "name": "my_test",
        "resource_type": "test",
        "config": {"meta": {"what_to_do": "look at the meter"}},
    }
)


def described(node: Node, *rows: Row, statuses: set[str] = FAILED, **result: object) -> list[str]:
    """The lines for one result of the node, whose query finds these rows."""
    given = {"unique_id": "test.x", "status": "fail", "compiled_code": "the query"} | result
    asked = []

    def find(query: str) -> list[Row]:
        asked.append(query)
        return list(rows)

    lines = describe(
        [Result.model_validate(given)], Manifest(nodes={"test.x": node}), statuses, find
    )
    assert asked in ([], ["the query"])
    return lines


def test_a_test_names_its_table_and_rows() -> None:
    """A few of them, and how many more. The advice is that of the project's own tests."""
    rows: list[Row] = [{"date_jst": f"2026-11-0{n}", "source": "a"} for n in range(1, 4)]
    assert described(UNIQUE, *rows, failures=12) == [
        (
            "test unique_row of fct_daily_energy found 12 rows: date_jst=2026-11-01 source=a, "
            "date_jst=2026-11-02 source=a, date_jst=2026-11-03 source=a, and 9 more; "
            "undo what was changed in dbt, or report it"
        )
    ]


def test_a_test_of_ones_own_says_what_to_do() -> None:
    """By `what_to_do` in its meta. One row is one row."""
    assert described(OWN, {"x": 1}, failures=1) == [
        "test my_test found 1 row: x=1; look at the meter"
    ]


def test_rows_that_cannot_be_asked_for_are_left_out() -> None:
    """Another process has the database, say: the rest of the line stays."""
    assert described(OWN, failures=2) == ["test my_test found 2 rows; look at the meter"]
    assert described(OWN, failures=2, compiled_code=None) == [
        "test my_test found 2 rows; look at the meter"
    ]


def test_a_wide_row_is_cut_to_what_the_test_is_about() -> None:
    """Its first two columns, and the test's. Long values and line ends too."""
    node = UNIQUE.model_copy(update={"column_name": "x"})
    row: Row = {"a": 1, "b": "two\nlines", "source": "s" * 50} | dict.fromkeys("cdefgh", 0)
    assert described(node, row, failures=1) == [
        (
            f"test unique_row of fct_daily_energy.x found 1 row: a=1 b=two lines "
            f"source={'s' * 40}...; "
            "undo what was changed in dbt, or report it"
        )
    ]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            'Runtime Error in model m (models/m.sql)\n  Binder Error: no "x"\n  Candidates: "y"',
            (
                'Binder Error: no "x" Candidates: "y"; correct dbt/models/m.sql, or report it if '
                "it is "
                "as it came"
            ),
        ),
        (
            "Runtime Error in model m (models/m.sql)\n  Out of Memory Error: 2GB used",
            (
                "Out of Memory Error: 2GB used; set DUCKDB_MEMORY_LIMIT higher, or give the "
                "machine "
                "more memory"
            ),
        ),
        (
            "Runtime Error in model m (models/m.sql)\n  IO Error: No space left on device",
            "IO Error: No space left on device; make room on the disk",
        ),
        (None, "no reason given; correct dbt/models/m.sql, or report it if it is as it came"),
        ("x" * 999, f"{'x' * 300}; correct dbt/models/m.sql, or report it if it is as it came"),
    ],
)
def test_a_model_names_the_reason_and_its_file(message: str | None, expected: str) -> None:
    """In one line, whatever DuckDB said."""
    node = Node(name="m", resource_type="model", original_file_path="models/m.sql")
    assert described(node, status="error", message=message) == [f"model m failed: {expected}"]


def test_what_the_manifest_does_not_have_is_named_by_its_id() -> None:
    """A hook, or a manifest that dbt did not write."""
    result = Result(unique_id="operation.homeiot.on-run-start-0", status="error", message="a\nb")
    assert describe([result], Manifest(), FAILED, lambda _: []) == [
        "operation homeiot.on-run-start-0 failed: b; correct dbt, or report it if it is as it came"
    ]


def test_only_the_statuses_that_are_asked_for() -> None:
    """What passed or was skipped after a failure says nothing. What warns is no failure."""
    for status in ("success", "pass", "skipped", "no-op"):
        assert described(OWN, status=status, failures=1) == []
    assert described(OWN, status="warn", failures=1) == []
    assert described(OWN, {"x": 1}, statuses=WARNED, status="warn", failures=1) == [
        "test my_test found 1 row: x=1; look at the meter"
    ]


def test_columns_that_the_models_need() -> None:
    """As the project declares its source. Other sources do not matter."""
    manifest = Manifest.model_validate(
        {
            "sources": {
                "1": {"name": "raw", "columns": {"ts_utc": {}, "x": {}, "y": {}}},
                "2": {"name": "loads", "columns": {"z": {}}},
            }
        }
    )
    assert lacking_columns(manifest, "raw", {"ts_utc": "TIMESTAMP", "y": "DOUBLE"}) == ["x"]
    assert lacking_columns(manifest, "raw", ["ts_utc", "x", "y", "more"]) == []
    assert lacking_columns(Manifest(), "raw", []) == []


@pytest.mark.parametrize("content", [None, "", "no JSON", "[]", '{"results": [{"status": 1}]}'])
def test_files_that_dbt_did_not_write_whole(content: str | None, tmp_path: Path) -> None:
    """They have no results: a build that was killed, or a dbt that writes otherwise."""
    for name in ("run_results.json", "manifest.json"):
        if content is not None:
            (tmp_path / name).write_text(content)
    assert read_results(tmp_path) == []
    assert read_manifest(tmp_path).sources == {}


def test_results_of_a_former_build_are_forgotten(tmp_path: Path) -> None:
    """They would pass for those of a build that ended before it wrote any."""
    delete_results(tmp_path / "not there yet")
    result = {"unique_id": "test.x", "status": "pass"}
    (tmp_path / "run_results.json").write_text(json.dumps({"results": [result]}))
    assert [result.unique_id for result in read_results(tmp_path)] == ["test.x"]
    delete_results(tmp_path)
    assert read_results(tmp_path) == []
