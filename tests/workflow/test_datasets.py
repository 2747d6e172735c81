"""Any set of datasets: without the shipped one, several, one that comes later, one that goes."""

import pytest

from homeiot_batch.config import ROOT
from tests.fast_set import few
from tests.house import Checkout
from tests.workflow import drills
from tests.workflow.drills import DAYS, FIRST, LAST, MIDDLE, UNTIL_LOAD

FIRST_MIDNIGHT = 1794150000  # the first day begins, in Japan
CLIMATE = """  room_climate:
    measurement: climate
    fields: {temperature_c: double}
"""
WATER = """  water:
    measurement: water
    fields: {litres: double}
"""
NIGHTS = ["2026-11-10", "2026-11-11", "2026-11-12"]
TABLES = ["publish", "report"]


def declare(house: Checkout, *datasets: str) -> None:
    """Let config.yaml declare these datasets and no other."""
    (house.folder / "config.yaml").write_text("datasets:\n" + "".join(datasets))


def shipped() -> str:
    """The declaration of raw_meter_readings as it is shipped."""
    _, _, text = (ROOT / "config.yaml").read_text().partition("datasets:\n")
    return text


def feed(house: Checkout, *measurements: str) -> None:
    """Let the source have a point of each measurement at the begin of each day.

    One more is on the day after.
    """
    fields = {"climate": "temperature_c", "water": "litres", "power": "energy_import_kwh"}
    house.export(
        *(
            f"{name} {fields[name]}={n}.5 {FIRST_MIDNIGHT + n * 86400}000000000"
            for name in measurements
            for n in range(4)
        )
    )


def published(house: Checkout, dataset: str) -> list[str]:
    """The days of the dataset that readers see."""
    rows = house.published(f"SELECT dt::VARCHAR FROM {dataset} ORDER BY ALL")
    return [day for (day,) in rows]


def steps(dataset: str, *days: str) -> list[str]:
    """The jobs of the dataset's days."""
    return [f"{step} {dataset} {day}" for step in ("fetch", "extract", "load") for day in days]


OTHERS = {"one": [CLIMATE], "two": [CLIMATE, WATER]}


@pytest.mark.parametrize("declared", few(OTHERS, "one"))
def test_nights_without_the_shipped_dataset(declared: str, checkout: Checkout) -> None:
    """Each night archives, loads and publishes its day, without a warning. All commands agree."""
    declare(checkout, *OTHERS[declared])
    names = ["room_climate", "water"][: len(OTHERS[declared])]
    feed(checkout, "climate", "water")
    for count, night in enumerate(NIGHTS[:2], start=1):
        run = checkout.night(night)
        assert run.code == 0, run.stderr
        expected = [step for name in names for step in steps(name, DAYS[count - 1])]
        assert run.jobs == sorted([*expected, *TABLES])
        assert "level=warning" not in run.stderr
        assert "no tables to build, 0 warnings, 0 failed" in run.stderr
        assert [published(checkout, name) for name in names] == [DAYS[:count]] * len(names)
    now = ("--config", f"now={NIGHTS[1]}T12:00:00+09:00")
    again = checkout.night(NIGHTS[1])
    assert (again.code, again.jobs) == (0, []), again.stderr
    assert not list(checkout.markers.glob("tables.*"))
    for command in ("status", "verify", "doctor", "report"):
        said = checkout.python("homeiot_batch", command, *now)
        assert said.code == 0, (command, said.stderr)


@pytest.mark.slow
def test_every_target_without_the_shipped_dataset(checkout: Checkout) -> None:
    """Targets by name, by path and by force do what they do for the shipped one."""
    declare(checkout, CLIMATE)
    feed(checkout, "climate")
    name = "room_climate"
    now = f"now={NIGHTS[2]}T12:00:00+09:00"
    span = ("--config", now, f"start={FIRST}", f"end={LAST}")
    targets = {
        (f"data/parquet/{name}/dt={FIRST}", "--config", now): steps(name, FIRST)[:2],
        ("yesterday", "--config", now): [*steps(name, LAST), f"load {name} {FIRST}", *TABLES],
        (*UNTIL_LOAD, *span): steps(name, MIDDLE),
        (f"data/markers/{name}/dt={FIRST}.json", "--config", now): [],
        ("all", *span): TABLES,
        span: [],
        ("--forcerun", "extract", *span): [*steps(name, *DAYS), *TABLES],
        ("--forcerun", "load", *span): [f"load {name} {day}" for day in DAYS] + TABLES,
        ("-n", "--forcerun", "load", *span): [],
    }
    for arguments, expected in targets.items():
        run = checkout.snakemake(*arguments)
        assert (run.code, run.jobs) == (0, sorted(expected)), (arguments, run.stderr)
    ranged = checkout.night(NIGHTS[2], "--from", FIRST, "--to", LAST, "--force")
    assert (ranged.code, ranged.jobs) == (0, sorted([*steps(name, *DAYS), *TABLES]))
    assert published(checkout, name) == DAYS
    assert [row[2:] for row in checkout.rows(name)] == [(0.5,), (1.5,), (2.5,)]


@pytest.mark.slow
def test_a_dataset_that_comes_later_and_one_that_goes(checkout: Checkout) -> None:
    """The new one is published in its first night. The days of the one that goes are named."""
    declare(checkout, shipped())
    feed(checkout, "power", "climate")
    assert checkout.night(NIGHTS[0]).code == 0
    declare(checkout, shipped(), CLIMATE)
    run = checkout.night(NIGHTS[0])
    assert (run.code, run.jobs) == (0, sorted([*steps("room_climate", FIRST), "dbt", *TABLES]))
    assert published(checkout, "room_climate") == [FIRST]
    declare(checkout, CLIMATE)
    energy = checkout.energy()
    run = checkout.night(NIGHTS[1])
    assert (run.code, run.jobs) == (0, sorted([*steps("room_climate", MIDDLE), *TABLES]))
    assert published(checkout, "room_climate") == [FIRST, MIDDLE]
    warnings = [line for line in run.stderr.splitlines() if line.startswith("warning: ")]
    undeclared, stale = warnings
    assert undeclared.startswith("warning: raw_meter_readings: 1 archived days that nothing")
    assert stale.startswith("warning: the daily tables stay as they are: they are built from raw")
    assert checkout.energy() == energy
    declare(checkout, shipped(), CLIMATE)
    run = checkout.night(NIGHTS[1])
    assert (run.code, run.jobs) == (0, sorted([*steps(drills.DATASET, MIDDLE), "dbt", *TABLES]))
    assert len(checkout.energy()) == 2


@pytest.mark.slow
def test_a_day_that_cannot_be_had_does_not_hold_up_the_tables(checkout: Checkout) -> None:
    """The source has no `water`: the run fails for it, and the other's day is published."""
    declare(checkout, CLIMATE, WATER)
    feed(checkout, "climate")
    run = checkout.night(NIGHTS[0])
    assert (run.code, run.jobs) == (1, sorted([*steps("room_climate", FIRST), *TABLES]))
    assert [line[:32] for line in run.failures] == [f"failed: fetch water {FIRST}: "[:32]]
    assert published(checkout, "room_climate") == [FIRST]
