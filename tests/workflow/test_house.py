"""What the user sets in the house's own folder: the next run takes an edit into the tables."""

import json
import os
from datetime import date

import pytest

from homeiot_batch.warehouse.tariff_file import HEADER
from tests.house import House
from tests.workflow import drills
from tests.workflow.drills import DAYS, FIRST, span

TABLES = ["dbt", "publish", "report"]
PRICE = "a,2026-11-01,,1234567,00:00,24:00,{},,JPY\n"


def set_tariffs(house: House, *lines: str) -> None:
    """Write the house's file of tariffs."""
    house.own.mkdir(parents=True, exist_ok=True)
    (house.own / "tariffs.csv").write_text("\n".join([HEADER, *lines]))


def costs(house: House) -> list[tuple[object, ...]]:
    """Day, bought energy in kWh and its cost, of each day with a price."""
    return house.query(
        "SELECT date_jst, round(e.import_kwh, 6), round(c.import_cost, 6) FROM fct_daily_cost AS c"
        " INNER JOIN fct_daily_energy AS e USING (date_jst, source) ORDER BY ALL"
    )


def energy(house: House) -> list[float]:
    """The energy bought on each day, kWh."""
    rows = house.query("SELECT round(import_kwh, 6) FROM fct_daily_energy ORDER BY date_jst")
    return [kwh for (kwh,) in rows]


@pytest.mark.slow
def test_an_edit_of_the_tariffs_is_in_the_tables_after_the_next_run(archived: House) -> None:
    """The tables are built again after any edit, also one that is taken back. Not after a touch."""
    bought = energy(archived)
    at_20 = [
        (date.fromisoformat(day), kwh, round(20 * kwh, 6))
        for day, kwh in zip(DAYS, bought, strict=True)
    ]
    assert (len(bought), costs(archived)) == (3, [])

    set_tariffs(archived, PRICE.format(20))
    first = archived.snakemake(*span())
    assert (first.code, first.jobs, costs(archived)) == (0, TABLES, at_20), first.stderr

    for at in (0, 4_000_000_000):  # long ago, and in the future
        os.utime(archived.own / "tariffs.csv", (at, at))
        assert archived.snakemake(*span()).jobs == []

    set_tariffs(archived, PRICE.format(30))
    dry = archived.snakemake("--dry-run", *span())
    assert (dry.code, "Building the tables" in dry.stderr, costs(archived)) == (0, True, at_20)
    second = archived.snakemake("--until", "load", *span())
    assert (second.code, second.jobs, costs(archived)) == (0, [], at_20)
    second = archived.snakemake(*span())
    assert (second.code, second.jobs) == (0, TABLES), second.stderr
    assert [cost for *_, cost in costs(archived)] == [round(30 * kwh, 6) for kwh in bought]

    (archived.own / "tariffs.csv").unlink()
    third = archived.snakemake(*span())
    assert (third.code, third.jobs, costs(archived)) == (0, TABLES, [])
    drills.assert_archived(archived, drills.V1)


@pytest.mark.slow
def test_the_night_builds_the_tables_for_an_edit_alone(archived: House) -> None:
    """Also where there is no day to read. A meter that does not exist is named in a warning."""
    night = ("yesterday", "--config", "now=2026-11-12T00:10:00+09:00")
    set_tariffs(archived, PRICE.format(20), PRICE.format(20).replace("a,", "aa,"))
    outcome = archived.snakemake(*night)
    assert (outcome.code, outcome.jobs, len(costs(archived))) == (0, TABLES, 3), outcome.stderr
    assert (
        "warning: data/house/tariffs.csv line 4, column source: there are no readings of a meter "
        "'aa'; did you mean a?\n"
    ) in outcome.stderr
    assert archived.snakemake(*night).jobs == []


@pytest.mark.slow
def test_a_mistake_in_the_tariffs_leaves_the_tables(archived: House) -> None:
    """The run fails, and names line, column and what to write. The readings are archived."""
    set_tariffs(archived, PRICE.format(20))
    assert archived.snakemake(*span()).code == 0
    before = costs(archived)
    wrong = PRICE.format(30).replace("2026-11-01", "10/11/2026")
    set_tariffs(archived, wrong, PRICE.format("x"))
    drills.feed(archived, dict.fromkeys(DAYS, 2))
    outcome = archived.snakemake("--forcerun", "extract", *span())
    assert (outcome.code, outcome.failures) == (
        1,
        [
            (
                "failed: dbt: data/house/tariffs.csv line 2, column valid_from: '10/11/2026' "
                "is not a day as YYYY-MM-DD; write one like 2026-04-01; "
                "1 more mistakes: `homeiot doctor` names all"
            )
        ],
    )
    assert costs(archived) == before
    assert not (archived.markers / "dbt.json").exists()
    assert archived.archived(FIRST)[0]["energy_import_kwh"] == drills.rows(FIRST, 2)[0][4]


@pytest.mark.slow
def test_vars_change_the_tables(archived: House) -> None:
    """A var in the house's config.yaml is dbt's. Taken out again, the tables are as before."""
    before = energy(archived)
    archived.own.mkdir(parents=True, exist_ok=True)
    (archived.own / "config.yaml").write_text("dbt_vars: {sources: {a: {max_power_kw: 0.001}}}\n")
    changed = archived.snakemake(*span())
    assert (changed.code, changed.jobs) == (0, TABLES), changed.stderr
    assert energy(archived) != before
    assert archived.snakemake(*span()).jobs == []
    (archived.own / "config.yaml").unlink()
    back = archived.snakemake(*span())
    assert (back.code, back.jobs, energy(archived)) == (0, TABLES, before)


@pytest.mark.slow
def test_a_build_of_an_earlier_version_is_done_again_once(archived: House) -> None:
    """Its marker has no checksums of what it was made from."""
    marker = archived.markers / "dbt.json"
    content = json.loads(marker.read_text())
    del content["inputs"]
    marker.write_text(json.dumps(content))
    outcome = archived.snakemake(*span())
    assert (outcome.code, outcome.jobs) == (0, TABLES), outcome.stderr
    assert archived.snakemake(*span()).jobs == []


@pytest.mark.slow
def test_a_file_that_no_run_reads_is_named(archived: House) -> None:
    """`config.yml` beside the house's other files."""
    archived.own.mkdir(parents=True, exist_ok=True)
    (archived.own / "config.yml").write_text("tz: Europe/Berlin\n")
    outcome = archived.snakemake(*span())
    assert outcome.code == 0
    said = "data/house/config.yml is not read; the files there are config.yaml and tariffs.csv"
    assert f"warning: {said}\n" in outcome.stderr
