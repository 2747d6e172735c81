"""The main job from end to end on an export."""

from tests.conftest import House


def test_two_days_reach_the_table(house: House) -> None:
    """An export of two days becomes Parquet, raw rows and daily energy."""
    house.export(
        "power,source=a energy_import_kwh=1.5 1794150000000000000",
        "power,source=a energy_import_kwh=4.0 1794160000000000000",
        "power,source=a instant_power_w=700 1794160000000000000",
        "power energy_import_kwh=9 1794236400000000000",
    )
    outcome = house.snakemake("--config", "start=2026-11-09", "end=2026-11-10")
    assert (outcome.code, outcome.failures) == (0, [])
    assert outcome.jobs == sorted(
        [f"{step} raw_meter_readings 2026-11-{day}" for step in ("fetch", "extract", "load") for day in ("09", "10")] + ["dbt"]
    )
    assert [row[2:] for row in house.rows()] == [("a", 0.0, 1.5, 0.0), ("a", 700.0, 4.0, 0.0), ("meter1", 0.0, 9.0, 0.0)]
    assert [row[1:4] for row in house.energy()] == [("a", 2.5, 700.0), ("meter1", 0.0, 0.0)]
