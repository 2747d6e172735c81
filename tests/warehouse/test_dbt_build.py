"""A dbt build that fails, for each of its reasons.

The cause, the rows and what to do, a line each.
"""

import shutil
from pathlib import Path

import duckdb
import pytest

from homeiot_batch.config import ROOT, Settings, load_settings
from homeiot_batch.errors import BuildError
from homeiot_batch.warehouse import dbt_build, dbt_process
from homeiot_batch.warehouse.dbt_build import build_models
from tests.house import House

ENERGY = "dbt/models/marts/fct_daily_energy.sql"


@pytest.fixture
def project(archived: House, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dbt project of one's own for the archived house."""
    shutil.copytree(
        ROOT / "dbt", archived.folder / "dbt", ignore=shutil.ignore_patterns("target", "logs")
    )
    monkeypatch.setattr(dbt_build, "ROOT", archived.folder)
    return archived.folder / "dbt"


@pytest.fixture
def settings(archived: House, clean_environment: None) -> Settings:
    """The house's settings."""
    places = {
        "parquet_base_dir": archived.parquet,
        "marker_dir": archived.markers,
        "duckdb_path": archived.database,
    }
    return load_settings({name: str(path) for name, path in places.items()})


def build(settings: Settings) -> list[str]:
    """Build the tables as the workflow does. What failed, or what was warned of."""
    log = settings.marker_dir / "log/dbt.log"
    log.parent.mkdir(exist_ok=True)
    log.unlink(missing_ok=True)
    lines = []
    try:
        return [f"warning: {line}" for line in build_models(settings, log, target(settings))]
    except BuildError as error:
        lines = error.lines
    end = f"; all that dbt said is in {log}"
    assert all(line.endswith(end) and "\n" not in line for line in lines)
    return [line.removesuffix(end) for line in lines]


def target(settings: Settings) -> Path:
    """Where dbt notes what it did."""
    return settings.layout.dbt_target


@pytest.mark.slow
def test_tests_that_fail_or_warn(project: Path, settings: Settings) -> None:
    """Each that fails has a line with its rows. Those that warn fail nothing."""
    readings = "select source, ts_jst from {{ ref('stg_meter_readings') }} order by ts_jst limit 2"
    advice = "config(meta={'what_to_do': 'look at the meter'}, severity='warn')"
    (project / "tests/mine.sql").write_text(f"{{{{ {advice} }}}}\n{readings} -- no line end")
    found = "source=a ts_jst=2026-11-09 00:00:00, source=a ts_jst=2026-11-09 01:30:00"
    warning = f"test mine found 2 rows: {found}; look at the meter"
    assert build(settings) == [f"warning: {warning}"]
    (project / "tests/mine.sql").write_text(readings)
    unique = project / "tests/generic/unique_row.sql"
    unique.write_text(unique.read_text().replace("count(*) > 1", "count(*) > 0"))
    assert build(settings) == [
        f"test mine found 2 rows: {found}; undo what was changed in dbt, or report it"
    ]
    (project / "tests/mine.sql").unlink()
    lines = build(settings)
    assert (
        "test unique_row of int_daily_power found 3 rows: date_jst=2026-11-09 source=a, "
        "date_jst=2026-11-10 source=a, date_jst=2026-11-11 source=a; "
        "undo what was changed in dbt, or report it"
    ) in lines
    assert all(line.startswith("test unique_row of ") for line in lines)


@pytest.mark.slow
def test_readings_that_are_no_numbers(
    project: Path, settings: Settings, archived: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The project's own test names the reading and what to do with it."""
    with duckdb.connect(archived.database) as connection:
        connection.execute(
            "UPDATE raw_meter_readings SET instant_power_w = 'inf' WHERE ts_jst = "
            "(SELECT max(ts_jst) FROM raw_meter_readings)"
        )
        connection.execute("DELETE FROM built_loads")
    [line] = build(settings)
    assert line.startswith(
        "test sound_readings of raw_meter_readings found 1 row: ts_utc=2026-11-10 18:00:00 "
        "ts_jst=2026-11-11 03:00:00 source=a instant_power_w=inf energy_import_kwh="
    )
    assert line.endswith(
        "; correct these readings in the source, and read their days again: "
        "homeiot run --date YYYY-MM-DD --force"
    )


@pytest.mark.slow
def test_models_that_fail(project: Path, settings: Settings) -> None:
    """Two that have nothing to do with each other: a line each, by the file to correct."""
    for name in ("fct_mine", "fct_yours"):
        (project / f"models/marts/{name}.sql").write_text(f"select {name} as x")
    assert sorted(build(settings)) == [
        (
            f'model {name} failed: Binder Error: Referenced column "{name}" was not found because '
            f"the FROM clause is missing; correct dbt/models/marts/{name}.sql, or report it if it "
            "is as it came"
        )
        for name in ("fct_mine", "fct_yours")
    ]


@pytest.mark.slow
def test_a_column_that_config_yaml_does_not_declare(
    project: Path, settings: Settings, archived: House
) -> None:
    """The cause, and not the model that stumbles over it."""
    fields = dict(settings.datasets["raw_meter_readings"].fields)
    del fields["energy_export_kwh"]
    declared = settings.datasets["raw_meter_readings"].model_copy(update={"fields": fields})
    settings.datasets["raw_meter_readings"] = declared
    with duckdb.connect(archived.database) as connection:
        connection.execute("DROP VIEW stg_meter_readings")
        connection.execute("ALTER TABLE raw_meter_readings DROP COLUMN energy_export_kwh")
    assert build(settings) == [
        (
            "raw_meter_readings lacks energy_export_kwh, which the tables are built from; "
            "declare in config.yaml what is missing"
        )
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        (
            "models/marts/fct_mine.sql",
            "select * from {{ ref('nosuch') }}",
            (
                "dbt stopped: Compilation Error Model 'model.homeiot.fct_mine' "
                "(models/marts/fct_mine.sql) depends on a node named 'nosuch' which was not found; "
            ),
        ),
        (
            "models/marts/mine.yml",
            "models: [",
            "dbt stopped: Parsing Error Error reading homeiot: marts/mine.yml - Runtime Error ",
        ),
        ("models/marts/fct_mine.sql", "{{ foo( }}", "dbt stopped: Compilation Error in model "),
    ],
)
def test_a_project_that_dbt_cannot_read(
    file: str, content: str, said: str, project: Path, settings: Settings
) -> None:
    """No results, also not those of the build before: dbt's own words, in one line."""
    target(settings).mkdir(parents=True, exist_ok=True)
    former = '{"results": [{"unique_id": "model.homeiot.old", "status": "error"}]}'
    (target(settings) / "run_results.json").write_text(former)
    (project / file).write_text(content)
    [line] = build(settings)
    assert line.startswith(said)
    assert line.endswith("; correct what it names, and run again")
    assert "\n" not in line


@pytest.mark.slow
def test_a_dbt_that_is_killed(
    project: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the kernel for want of memory, say."""
    monkeypatch.setattr(dbt_process, "COMMAND", ["sh", "-c", "kill -9 $$"])
    assert build(settings) == [
        "dbt was ended by SIGKILL; run again, and give it more memory if it was not you"
    ]
