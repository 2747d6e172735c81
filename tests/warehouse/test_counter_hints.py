"""A run says once a day which counter is mostly wrong, and what to set."""

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from homeiot_batch.warehouse.counter_hints import CounterDay, hint_of, new_hints
from tests.dbt.declared import DeclaredArchive
from tests.dbt.meters import Archive, Reading

DAY = date(2026, 11, 9)
BEGIN = datetime(2026, 11, 8, 15)  # UTC


def day(**shown: float) -> CounterDay:
    """A day of a counter with a reading a minute, all of them right but for what is given."""
    right = CounterDay("a", "import", DAY, 1440, 1440, 0, 0, 0, 0, 9.0, 3000.0)
    return right._replace(**shown)  # ty: ignore[invalid-argument-type]


@pytest.mark.parametrize(
    ("shown", "setting"),
    [
        ({}, ""),
        ({"resets": 1}, ""),
        ({"readings": 24, "resets": 2}, ""),
        ({"glitches": 5, "step_backs": 2}, ""),
        ({"backwards": 700}, "direction: down"),
        ({"readings": 24, "step_backs": 3}, "direction: down"),
        ({"resets": 900}, "unit: Wh"),
        ({"glitches": 900}, "two meters"),
        ({"kwh": 240.0, "peak_w": 10.0}, "unit: Wh"),
        ({"kwh": 70.0}, ""),
        ({"kwh": 9.0, "peak_w": 0.0}, ""),
    ],
)
def test_a_hint_names_what_to_set(shown: dict[str, float], setting: str) -> None:
    """For a counter that is mostly wrong, and for no other."""
    hint = hint_of(day(**shown))
    assert (setting in hint) if setting else (hint == "")


@pytest.mark.parametrize(
    ("shown", "hint"),
    [
        ({}, ""),
        (
            {"resets": 900},
            (
                "leapt by more than could flow in 900 of 1440 readings; if its values are in Wh "
                "set `unit: Wh` beside its `dataset`, else a higher `max_power_kw`, in meters.a"
            ),
        ),
        (
            {"backwards": 700},
            (
                "fell in 700 of 1440 readings, which is no energy here; if it counts down set "
                "`direction: down`, if both ways `direction: both`, in meters.a"
            ),
        ),
        (
            {"kwh": 9000.0},
            (
                "rose by 9000.0 kWh, but the power was never above 3000 W; if its values are in "
                "Wh set `unit: Wh` beside its `dataset`, in meters.a"
            ),
        ),
        (
            {"peak_w": 3.25},
            (
                "rose by 9.0 kWh, but the power was never above 3.25 W; if the power is in kW set "
                "`unit: kW` beside its `dataset`, if its values are in Wh set `unit: Wh` beside "
                "its `dataset`, in meters.a"
            ),
        ),
        ({"peak_w": 3.25, "kwh": 0.05}, ""),
    ],
)
def test_the_settings_of_a_declared_meter_are_in_its_declaration(
    shown: dict[str, float], hint: str
) -> None:
    """Its unit beside the dataset of each series. Power in kW is told where registers disagree."""
    assert hint_of(day(**shown), is_declared=True) == hint


def in_wh(day: int) -> list[Reading]:
    """A day of a meter of 900 W whose counter is in Wh, a reading a minute."""
    minutes = range(1440 * day, 1440 * (day + 1))
    return [(BEGIN + timedelta(minutes=n), "a", 900.0, 5000.0 + 15 * n, None) for n in minutes]


@pytest.mark.slow
def test_a_counter_in_wh_is_no_complete_day(tmp_path: Path) -> None:
    """None of its leaps is energy or coverage. One line a day says what to set, and that helps."""
    archive = Archive(tmp_path / "home_energy.duckdb")
    archive.load(in_wh(0))
    archive.build()
    shown = "SELECT import_kwh, reset_count, round(coverage, 3), is_complete FROM fct_daily_energy"
    assert archive.query(shown) == [(0.0, 1439, 0.001, False)]
    record = tmp_path / "hints.json"
    line = (
        "a on 2026-11-09: the import counter leapt by more than could flow in 1439 of "
        "1440 readings; "
        "if its values are in Wh set `unit: Wh`, else a higher `max_power_kw`, "
        "for it in dbt_vars"
    )
    assert new_hints(archive.database, record, 0) == [line]
    assert new_hints(archive.database, record, 0) == []
    archive.load(in_wh(1))
    archive.build("--vars", "{sources: {a: {unit: Wh}}}")
    assert archive.query(f"{shown} ORDER BY date_jst") == [
        (pytest.approx(21.6), 0, 1.0, True),
        (pytest.approx(21.585), 0, 1.0, True),
    ]
    assert new_hints(archive.database, record, 0) == []


@pytest.mark.slow
@pytest.mark.usefixtures("clean_environment")
def test_power_in_kw_that_is_declared_in_w_is_named(tmp_path: Path) -> None:
    """A meter of 1 kW with a register, declared with the power as if in W."""
    fields = {"e": "double", "p": "double"}
    meters = {
        "a": {
            "kind": "load",
            "import": {"dataset": "m", "field": "e"},
            "power": {"dataset": "m", "field": "p"},
        }
    }
    datasets = {"m": {"measurement": "m", "fields": fields}}
    archive = DeclaredArchive(
        tmp_path / "home_energy.duckdb", ZoneInfo("Asia/Tokyo"), datasets, meters
    )
    archive.points("m", [(BEGIN + timedelta(minutes=15 * n), n / 4, 1.0) for n in range(96)])
    archive.build()
    assert new_hints(archive.database, tmp_path / "hints.json", 0, ["a"]) == [
        (
            "a on 2026-11-09: the import counter rose by 23.8 kWh, but the power was never above "
            "1.00 W; if the power is in kW set `unit: kW` beside its `dataset`, if its values are "
            "in Wh set `unit: Wh` beside its `dataset`, in meters.a"
        )
    ]


def test_a_hint_never_fails_a_run(tmp_path: Path) -> None:
    """A database without tables gives none."""
    archive = Archive(tmp_path / "home_energy.duckdb")
    assert new_hints(archive.database, tmp_path / "hints.json", 0) == []
