"""Which file of tariffs is read, what doctor says of it, and when the tables are built again."""

from pathlib import Path

import duckdb
import pytest

from homeiot_batch.config import Settings, load_settings
from homeiot_batch.core.files import write_json
from homeiot_batch.doctor.finding import ok, problem, warning
from homeiot_batch.doctor.house import check_house
from homeiot_batch.errors import SettingsError
from homeiot_batch.warehouse import build_inputs
from homeiot_batch.warehouse.build_inputs import changed_inputs, fingerprints
from homeiot_batch.warehouse.tariff_file import HEADER
from homeiot_batch.warehouse.tariffs import examine_tariffs, put_tariffs, read_tariffs

ROW = "a,2026-03-01,,1234567,00:00,24:00,0.30,0.05,EUR"


@pytest.fixture
def own(settings: Settings) -> Path:
    """The house's file, which is not there yet."""
    return settings.layout.house / "tariffs.csv"


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The checkout's file with one line, as where there was no folder for it yet."""
    file = tmp_path / "tariffs.csv"
    file.write_text(f"{HEADER}\n{ROW}\n")
    for module in ("warehouse.tariffs", "doctor.house"):
        monkeypatch.setattr(f"homeiot_batch.{module}.SHIPPED", file)
    return file


def test_the_checkouts_file_is_read_where_the_house_has_none(
    settings: Settings, own: Path, shipped: Path
) -> None:
    """Prices that were entered there go on to count. The house's file takes the place of it."""
    assert [tariff.source for tariff in read_tariffs(settings)] == ["a"]
    before = fingerprints(settings)
    own.write_bytes(shipped.read_bytes())
    assert changed_inputs(settings, {"inputs": before}) == []
    own.write_text(f"{HEADER}\n{ROW.replace('a,', 'b,')}\n")
    assert [tariff.source for tariff in read_tariffs(settings)] == ["b"]
    own.unlink()
    shipped.unlink()
    assert read_tariffs(settings) == []


def test_the_tariffs_in_the_database_are_replaced(settings: Settings, own: Path) -> None:
    """Typed, all of them at once. Empty cells are NULL."""
    own.write_text(f"{HEADER}\n{ROW}\nb,2026-03-01,2026-03-31,67,22:00,6:00,,,\n")
    for _ in range(2):
        put_tariffs(settings.duckdb_path, read_tariffs(settings), 0)
    query = "SELECT COLUMNS(*)::VARCHAR FROM archive.tariffs ORDER BY ALL"
    with duckdb.connect(settings.duckdb_path, read_only=True) as connection:
        rows = connection.execute(query).fetchall()
    assert rows == [
        ("a", "2026-03-01", None, "1234567", "00:00", "24:00", "0.3", "0.05", "EUR"),
        ("b", "2026-03-01", "2026-03-31", "67", "22:00", "06:00", None, None, None),
    ]


def test_a_mistake_names_the_file(settings: Settings, own: Path) -> None:
    """The run's line has the first one and counts the others, the doctor has all."""
    own.write_text(f"{HEADER}\n{ROW.replace('2026-03-01', '1.3.26')}\n{ROW.replace('0.30', 'x')}\n")
    first = (
        f"{own} line 2, column valid_from: '1.3.26' is not a day as YYYY-MM-DD; "
        "write one like 2026-04-01"
    )
    with pytest.raises(SettingsError) as caught:
        read_tariffs(settings)
    assert str(caught.value) == f"{first}; 1 more mistakes: `homeiot doctor` names all"
    found = [f for f in check_house(settings, settings.layout) if f.name == "tariffs"]
    assert [finding.level for finding in found] == ["problem", "problem"]
    assert found[0] == problem("tariffs", *first.split("; "))


def test_lines_that_contradict_are_a_mistake(settings: Settings, own: Path) -> None:
    """Rules that span lines count where each line is well written."""
    own.write_text(f"{HEADER}\n{ROW}\n{ROW}\n")
    with pytest.raises(SettingsError, match="line 3: meter 'a' has a price at 00:00 on 2026-03-01"):
        read_tariffs(settings)


def test_a_file_that_cannot_be_read_is_named(settings: Settings, own: Path) -> None:
    """A folder in its place: no traceback, and not taken for a house without tariffs."""
    own.mkdir()
    with pytest.raises(SettingsError, match="tariffs.csv cannot be read .*; see to its perm"):
        examine_tariffs(settings)
    [finding] = [f for f in check_house(settings, settings.layout) if f.name == "tariffs"]
    assert (finding.level, finding.fix) == ("problem", "see to its permissions")
    assert fingerprints(settings)["tariffs"]


def test_the_doctor_of_a_house_that_sets_nothing(settings: Settings) -> None:
    """Two lines, and nothing wrong."""
    assert list(check_house(settings, settings.layout)) == [
        ok("own settings", f"{settings.layout.house} has none"),
        ok("tariffs", "0 lines in dbt/seeds/tariffs.csv"),
    ]


def test_the_doctor_names_what_is_not_read_and_what_is_new(
    settings: Settings, own: Path, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two files of tariffs, a name that is not read, unknown meters, settings without effect."""
    layout = settings.layout
    write_json(layout.models, {"inputs": fingerprints(settings)})
    own.write_text(f"{HEADER}\n{ROW.replace('a,', 'main,')}\n")
    (own.parent / "config.yml").touch()
    (own.parent / "config.yaml").write_text("influx_bucket: mine\nlookback_days: 3\n")
    monkeypatch.setenv("INFLUX_BUCKET", "other")
    monkeypatch.setenv("LOOKBACK_DAYS", "3")
    settings.duckdb_path.parent.mkdir()
    with duckdb.connect(settings.duckdb_path) as connection:
        connection.execute("CREATE TABLE dim_source AS SELECT 'Main meter' AS source")
    folder = own.parent
    assert list(check_house(settings, layout)) == [
        ok("own settings", f"{folder} has config.yaml and tariffs.csv"),
        warning(
            "own settings",
            f"influx_bucket in {folder}/config.yaml has no effect: the variable INFLUX_BUCKET is "
            "set to another value and goes before it",
            "remove one of both",
        ),
        warning(
            "own settings",
            f"{folder}/config.yml is not read",
            "rename it to config.yaml or tariffs.csv, or move it away",
        ),
        ok("tariffs", f"1 lines in {own}"),
        warning(
            "tariffs",
            f"{own} line 2, column source: there are no readings of a meter 'main'",
            "known are Main meter",
        ),
        warning(
            "tariffs",
            f"{shipped} has lines too, and is not read",
            f"keep the lines that hold in {own}, and delete the others",
        ),
        ok("tables", "not as at the last build: the tariffs, so the next run builds them again"),
    ]


def test_each_thing_that_the_tables_are_made_from_is_compared(
    settings: Settings, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By content: tariffs, vars, and the files of the dbt project, but not dbt's own output."""
    project = tmp_path / "dbt"
    for name in ("models/marts/a.sql", "macros/b.sql", "tests/c.sql", "dbt_project.yml"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(name)
    monkeypatch.setattr(build_inputs, "PROJECT", project)
    before = {"inputs": fingerprints(settings)}
    (project / "target").mkdir()
    (project / "target/a.sql").write_text("other")
    (project / "models/marts/a.sql").touch()
    assert changed_inputs(settings, before) == []
    own.write_text(f"{HEADER}\n\n")
    assert changed_inputs(settings, before) == ["the tariffs"]
    own.unlink()
    changed = load_settings({"dbt_vars": {"max_gap_s": 60}})
    assert changed_inputs(changed, before) == ["dbt_vars"]
    changed = load_settings({"meters": {"meter1": {"kind": "grid"}}})
    assert changed_inputs(changed, before) == ["the meters"]
    for name in ("models/marts/a.sql", "macros/b.sql", "tests/c.sql", "dbt_project.yml"):
        (project / name).write_text("other")
        assert changed_inputs(settings, before) == ["the files in dbt"]
        (project / name).write_text(name)
    (project / "models/d.sql").write_text("")
    assert changed_inputs(settings, before) == ["the files in dbt"]
    everything = ["the tariffs", "dbt_vars", "the meters", "the files in dbt"]
    assert changed_inputs(settings, {}) == everything
    assert changed_inputs(settings, {"inputs": "x"}) == changed_inputs(settings, {})
