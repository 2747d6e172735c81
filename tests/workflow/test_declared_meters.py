"""A house without raw_meter_readings, whose meters are declared: from an export to the report."""

from datetime import UTC, date, datetime, timedelta

import pytest
import yaml

from tests.house import House
from tests.workflow.drills import FIRST, MIDDLE

DATASETS = {
    "energy": {
        "measurement": "kWh",
        "tags": {"entity_id": "unknown"},
        "fields": {"value": "double", "unit": "string"},
    },
    "climate": {"measurement": "climate", "fields": {"temperature_c": "double"}},
}
METERS = {
    "house": {
        "kind": "grid",
        "name": "Our house",
        "import": {"dataset": "energy", "where": {"entity_id": "p1"}},
    },
    "roof": {"kind": "solar", "export": {"dataset": "energy", "where": {"entity_id": "pv"}}},
}
TABLES = ["dbt", "publish", "report"]
ASKED = ("--config", f"start={FIRST}", f"end={MIDDLE}", "now=2026-11-11T00:10:00+09:00")
MIDNIGHT = datetime(2026, 11, 8, 15, tzinfo=UTC)  # the first day begins in Japan


def declare(house: House, meters: object) -> None:
    """Let the house's own settings have the meters."""
    house.own.mkdir(parents=True, exist_ok=True)
    content = {"datasets": DATASETS, "meters": meters}
    (house.own / "config.yaml").write_text(yaml.safe_dump(content, sort_keys=False))


def lines() -> list[str]:
    """Two days, a point every half an hour: 0.25 kWh bought and 0.5 kWh produced in each."""
    found = []
    for number in range(2 * 48):
        at = int((MIDNIGHT + timedelta(minutes=30 * number)).timestamp()) * 10**9
        found.append(f'kWh,entity_id=p1 value={100 + 0.25 * number},unit="kWh" {at}')
        found.append(f"kWh,entity_id=pv value={7 + 0.5 * number} {at}")
        found.append(f"climate temperature_c=20.5 {at}")
    return found


@pytest.mark.slow
def test_a_house_without_the_shipped_dataset(house: House) -> None:
    """Days, tables, read copy and report. After an edit of the meters only the tables are built."""
    declare(house, METERS)
    house.export(*lines())
    run = house.snakemake(*ASKED)
    days = [
        f"{step} {name} {day}"
        for step in ("fetch", "extract", "load")
        for name in DATASETS
        for day in (FIRST, MIDDLE)
    ]
    assert (run.code, run.jobs) == (0, sorted([*days, *TABLES])), run.stderr
    energy = "SELECT date_jst, source, import_kwh, export_kwh, is_complete FROM fct_daily_energy"
    first, second = date.fromisoformat(FIRST), date.fromisoformat(MIDDLE)
    of_the_house = [(first, "house", 12.0, None, True), (second, "house", 11.75, None, True)]
    of_the_roof = [(first, "roof", None, 24.0, True), (second, "roof", None, 23.5, True)]
    in_order = " ORDER BY source, date_jst"
    assert house.published(energy + in_order) == of_the_house + of_the_roof
    page = (house.folder / "data/report/index.html").read_text()
    assert "Our house" in page
    assert "roof" in page
    assert house.snakemake(*ASKED).jobs == []

    declare(house, {"house": METERS["house"] | {"max_power_kw": 12}})
    before = house.snapshot()
    run = house.snakemake(*ASKED)
    assert (run.code, run.jobs) == (0, TABLES), run.stderr
    assert house.published(energy + in_order) == of_the_house
    assert house.snapshot() == before
