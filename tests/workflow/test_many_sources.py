"""A house of hundreds of sources: its tables, and a report of an index and a page of each."""

import re
from collections.abc import Sequence
from datetime import date

import pytest
import yaml

from tests.house import House
from tests.workflow.drills import FIRST, MIDDLE
from tests.workflow.test_declared_meters import ASKED, DATASETS, MIDNIGHT

HALF_HOUR_NS = 1800 * 10**9
SOURCES = [f"m{number:03}" for number in range(500)]
BOUGHT = "SELECT source, date_jst, round(import_kwh, 6), is_complete FROM fct_daily_energy"


def kwh_each_half_hour(source: str) -> float:
    """What the source buys. No two sources buy the same."""
    return (1 + int(source[1:])) / 1000


def lines(form: str, sources: Sequence[str]) -> list[str]:
    """Two days of each source, a point every half an hour."""
    began = int(MIDNIGHT.timestamp()) * 10**9
    return [
        form.format(source=source, kwh=number * kwh_each_half_hour(source))
        + f" {began + number * HALF_HOUR_NS}"
        for number in range(2 * 48)
        for source in sources
    ]


def assert_tables_and_report_have_all(house: House, sources: Sequence[str]) -> None:
    """Each source's days, in the tables, in the index and on a page of its own."""
    first, second = date.fromisoformat(FIRST), date.fromisoformat(MIDDLE)
    assert house.published(f"{BOUGHT} ORDER BY ALL") == [
        (source, day, round(steps * kwh_each_half_hour(source), 6), True)
        for source in sources
        for day, steps in ((first, 48), (second, 47))
    ]
    report = house.folder / "data/report"
    index = (report / "index.html").read_text()
    linked = re.findall(r'<a href="(sources/[^"]+)">([^<]+)</a>', index)
    assert sorted(name for _, name in linked) == sources
    assert {report / page for page, _ in linked} == set((report / "sources").iterdir())
    for page, name in linked:
        assert f"<title>{name} · " in (report / page).read_text()


@pytest.mark.slow
def test_five_hundred_sources(house: House) -> None:
    """A second run finds nothing to do."""
    house.export(*lines("power,source={source} energy_import_kwh={kwh}", SOURCES))
    run = house.snakemake(*ASKED)
    assert run.code == 0, run.stderr
    assert_tables_and_report_have_all(house, SOURCES)
    assert house.snakemake(*ASKED).jobs == []


@pytest.mark.slow
def test_a_hundred_declared_meters(house: House) -> None:
    """Each is one of the entities of a dataset."""
    declared = SOURCES[:100]
    meters = {
        name: {
            "kind": "load",
            "import": {"dataset": "energy", "where": {"entity_id": name}},
        }
        for name in declared
    }
    house.own.mkdir(parents=True, exist_ok=True)
    content = {"datasets": {"energy": DATASETS["energy"]}, "meters": meters}
    (house.own / "config.yaml").write_text(yaml.safe_dump(content))
    house.export(*lines("kWh,entity_id={source} value={kwh}", declared))
    run = house.snakemake(*ASKED)
    assert run.code == 0, run.stderr
    assert_tables_and_report_have_all(house, declared)
