"""The declaration of meters: what it becomes, and a line for each mistake in it."""

import json
from pathlib import Path
from typing import Any

import pytest

from homeiot_batch.config import load_settings
from homeiot_batch.core.meter_series import Reports, SeriesKey, find_series
from homeiot_batch.errors import SettingsError
from homeiot_batch.warehouse.table_vars import table_datasets, table_vars

pytestmark = pytest.mark.usefixtures("clean_environment")

SHIPPED = {
    "measurement": "power",
    "tags": {"source": "meter1"},
    "fields": {"instant_power_w": "double"},
}
DATASETS: dict[str, Any] = {
    "energy": {
        "measurement": "kWh",
        "tags": {"domain": "none", "entity_id": "none"},
        "fields": {"value": "double", "name": "string"},
    },
    "dsmr": {
        "measurement": "p1",
        "fields": {"day": "integer", "night": "integer", "on": "boolean"},
    },
    "words": {"measurement": "w", "fields": {"text": "string"}},
    "zeros": {"measurement": "z", "fields": {"value": "double"}, "missing": 0.0},
    "filled": {"measurement": "f", "fields": {"value": "double"}, "missing": -1},
}
IN = {"dataset": "energy", "where": {"entity_id": "p1"}}
OUT = {"dataset": "energy", "where": {"entity_id": "p2"}}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's files are in its own folder."""
    monkeypatch.chdir(tmp_path)


def load(meters: object, **changes: Any) -> Any:
    """The settings of a house with these meters."""
    file = Path("config.yaml").absolute()
    file.write_text(json.dumps({"datasets": DATASETS, "meters": meters} | changes))
    return load_settings({}, file)


def register(**changes: object) -> dict[str, Any]:
    """A house with one meter whose import is declared so."""
    return {"house": {"kind": "grid", "import": IN | changes}}


def test_what_dbt_is_given() -> None:
    """Each series as one field with its tags and its factor, and the settings by meter."""
    settings = load(
        {
            "house": {
                "kind": "grid",
                "name": "The house",
                "import": [
                    {"dataset": "dsmr", "field": "day", "unit": "Wh", "factor": 20},
                    {"dataset": "dsmr", "field": "night", "unit": "MWh"},
                ],
                "export": OUT,
                "power": {"dataset": "energy", "where": {"entity_id": "w"}, "unit": "kW"},
                "max_power_kw": 12,
            }
        },
        dbt_vars={"max_gap_s": 60, "sources": {"old": {"kind": "x"}, "house": {"max_gap_s": 900}}},
    )
    assert table_datasets(settings) == ["dsmr", "energy"]
    series = {"source": "house", "register": 1, "dataset": "energy", "field": "value"}
    of_import = {"source": "house", "role": "import", "counter": "import"}
    dsmr = of_import | {"dataset": "dsmr", "where": {}, "register": 1}
    out = {"role": "export", "counter": "export"}
    power = {"role": "power", "counter": None}
    kwh = {"times": 1, "over": 1, "factor": 1, "reports": "interval"}
    learned: dict[SeriesKey, Reports] = {SeriesKey("house", "export", 1): "on_change"}
    assert table_vars(settings, learned) == {
        "max_gap_s": 60,
        "datasets": ["dsmr", "energy"],
        "registers": [
            dsmr | kwh | {"field": "day", "times": 20, "over": 1000, "factor": 20},
            dsmr | kwh | {"register": 2, "field": "night", "times": 1000},
            series | kwh | out | {"where": {"entity_id": "p2"}, "reports": "on_change"},
            series | power | {"where": {"entity_id": "w"}, "times": 1000, "over": 1, "factor": 1},
        ],
        "sources": {
            "old": {"kind": "x"},
            "house": {
                "kind": "grid",
                "name": "The house",
                "max_gap_s": 900,
                "max_power_kw": 12,
                "unit": "kWh",
            },
        },
    }


def test_a_house_without_meters_gives_dbt_what_it_always_did() -> None:
    """The vars alone. Its sources need no declaration, but may have one for their settings."""
    datasets = {"raw_meter_readings": SHIPPED}
    settings = load({}, datasets=datasets, dbt_vars={"max_gap_s": 60})
    assert table_vars(settings, {}) == {"max_gap_s": 60}
    assert table_datasets(settings) == ["raw_meter_readings"]
    settings = load({"meter1": {"kind": "grid", "unit": "Wh"}}, datasets=datasets)
    assert table_vars(settings, {}) == {
        "datasets": ["raw_meter_readings"],
        "registers": [],
        "sources": {"meter1": {"kind": "grid", "unit": "Wh"}},
    }
    assert table_datasets(load({})) == []


@pytest.mark.parametrize("said", ["interval", "on_change"])
def test_what_is_said_of_the_registers_holds(said: str) -> None:
    """And not what was learned. A source without series has it among its settings."""
    settings = load(register() | {"house": register()["house"] | {"reports": said}})
    learned: dict[SeriesKey, Reports] = {SeriesKey("house", "import", 1): "on_change"}
    variables = table_vars(settings, learned)
    assert [entry["reports"] for entry in variables["registers"]] == [said]  # ty: ignore
    assert variables["sources"] == {"house": {"kind": "grid", "unit": "kWh"}}
    own = {"meter1": {"reports": said}}
    settings = load(own, datasets={"raw_meter_readings": SHIPPED})
    assert table_vars(settings, {})["sources"] == own


@pytest.mark.parametrize(
    ("said", "expected"), [(None, "interval"), ("auto", "interval"), ("on_change", "on_change")]
)
def test_power_is_at_an_interval_unless_it_is_said(said: str | None, expected: str) -> None:
    """Of power nothing is learned."""
    meter = POWER | ({"reports": said} if said else {})
    [entry] = table_vars(load({"house": meter}), {})["registers"]  # ty: ignore
    assert entry["reports"] == expected


def test_the_last_day_of_a_meter() -> None:
    """As text, as dbt takes it. The declaration has a date, as YAML and JSON write one."""
    settings = load({"house": register()["house"] | {"until": "2026-11-11"}})
    assert table_vars(settings, {})["sources"] == {
        "house": {"kind": "grid", "unit": "kWh", "until": "2026-11-11"}
    }
    with pytest.raises(SettingsError, match="until"):
        load({"house": register()["house"] | {"until": "soon"}})


def test_a_meter_with_power_alone_counts_its_power() -> None:
    """In the direction that positive power has. One with registers does so if it says so."""
    power = {"dataset": "energy", "where": {"entity_id": "w"}, "positive": "export"}
    roof = {"kind": "solar", "power": power, "max_gap_s": 300}
    both = roof | {"import": IN, "energy_from": "power"}
    for meter, counters in ((roof, ["export"]), (both, [None, "export"])):
        settings = load({"roof": meter})
        found = find_series(settings.meters, settings.datasets)
        assert [series.counter for series in found] == counters
        assert table_vars(settings, {})["sources"] == {
            "roof": {
                "kind": "solar",
                "max_gap_s": 300.0,
                "unit": "kWh",
                "direction": "both",
                "export_direction": "both",
            }
        }


POWER = {"kind": "grid", "power": {"dataset": "energy"}}
MISTAKES: dict[str, tuple[object, str]] = {
    "an unknown dataset": (
        register(dataset="enrgy"),
        "meters house.import names no dataset 'enrgy'; did you mean energy?",
    ),
    "an unknown tag": (
        register(where={"entity": "p1"}),
        "meters house.import.where: energy declares no tag 'entity'; did you mean entity_id?",
    ),
    "a tag of a dataset without any": (
        register(dataset="dsmr", where={"id": "1"}, field="day"),
        "meters house.import.where: dsmr declares no tag 'id'; declare the tag in dsmr first",
    ),
    "a tag's value that is a number": (
        register(where={"entity_id": 7}),
        "meters.house.import.where.entity_id='7' is no text; write the tag's value in quotes: '7'",
    ),
    "an unknown field": (
        register(field="valu"),
        "meters house.import: energy has no field 'valu'; did you mean value?",
    ),
    "a string field": (
        register(field="name"),
        (
            "meters house.import: the field 'name' of energy is declared as string, which is no "
            "number; give one of value"
        ),
    ),
    "a boolean field": (
        register(dataset="dsmr", where={}, field="on"),
        (
            "meters house.import: the field 'on' of dsmr is declared as boolean, which is no "
            "number; give one of day, night"
        ),
    ),
    "no field of several": (
        register(dataset="dsmr", where={}),
        (
            "meters house.import says no field, and dsmr has several numbers; "
            "give one as `field`: day, night"
        ),
    ),
    "a dataset without numbers": (
        register(dataset="words", where={}),
        (
            "meters house.import: words declares no field that is a number; "
            "declare the field as double or integer there"
        ),
    ),
    "a dataset that fills what is missing": (
        register(dataset="filled", where={}),
        (
            "meters house.import: filled fills what a point lacks with -1, which would pass for a "
            "reading; set its `missing` to 0.0, or leave that out"
        ),
    ),
    "an unknown unit": (
        register(unit="kwh"),
        "meters.house.import.unit='kwh' Input should be 'kWh', 'Wh' or 'MWh'",
    ),
    "a factor of 0": (
        register(factor=0),
        "meters.house.import.factor='0' Input should be greater than 0",
    ),
    "a factor that is no number": (
        register(factor="x"),
        "meters.house.import.factor='x' Input should be a valid number",
    ),
    "an unknown key of a register": (
        register(wher={}),
        "there is no setting 'meters.house.import.wher'; did you mean where?",
    ),
    "an unknown key of power": (
        {"house": {"kind": "grid", "import": IN, "power": {**OUT, "positiv": "export"}}},
        "there is no setting 'meters.house.power.positiv'; did you mean positive?",
    ),
    "an unknown key of a meter": (
        {"house": {"kind": "grid", "imports": IN}},
        "there is no setting 'meters.house.imports'; did you mean import?",
    ),
    "an unknown kind": (
        {"house": {"kind": "gird", "import": IN}},
        "meters.house.kind='gird' Input should be 'grid', 'solar', 'battery' or 'load'",
    ),
    "no kind": (
        {"house": {"import": IN}},
        "meters house says no kind; give `kind`: grid, solar, battery or load",
    ),
    "energy from a power that it does not have": (
        {"house": {"kind": "grid", "import": IN, "energy_from": "power"}},
        "meters house.energy_from='power', but it has none; give its `power`",
    ),
    "energy from registers that it does not have": (
        {"house": POWER | {"energy_from": "registers"}},
        "meters house.energy_from='registers', but it has none; give its `import` or `export`",
    ),
    "a setting of registers for power": (
        {"house": POWER | {"direction": "both"}},
        (
            "meters house.direction is about registers, and its energy is computed from its power; "
            "leave it out"
        ),
    ),
    "the wrap of a counter for power": (
        {"house": POWER | {"counter_wrap_kwh": 100000}},
        (
            "meters house.counter_wrap_kwh is about registers, and its energy is computed from its "
            "power; leave it out"
        ),
    ),
    "the direction of an export that is not there": (
        {"house": {"kind": "grid", "import": IN, "export_direction": "down"}},
        "meters house.export_direction is about its export, and it has none; leave it out",
    ),
    "an unknown way to report": (
        {"house": {"kind": "grid", "import": IN, "reports": "on change"}},
        "meters.house.reports='on change' Input should be 'auto', 'interval' or 'on_change'",
    ),
    "power of a dataset that fills what is missing": (
        {"house": {"kind": "grid", "power": {"dataset": "zeros"}}},
        (
            "meters house.power: zeros fills what a point lacks with 0, which would pass for "
            "power; leave its `missing` out"
        ),
    ),
    "an empty list": (
        {"house": {"kind": "grid", "import": []}},
        "meters.house.import='[]' is an empty list; name a series in it, or leave it out",
    ),
    "a unit of the meter": (
        {"house": {"kind": "grid", "import": IN, "unit": "Wh"}},
        "meters house.unit: each register has its own; give it there, beside `dataset`",
    ),
    "a limit below zero": (
        {"house": {"kind": "grid", "import": IN, "max_power_kw": -1}},
        "meters.house.max_power_kw='-1' Input should be greater than or equal to 0",
    ),
    "an odd name": (
        {" house": {"kind": "grid", "import": IN}},
        "meters ' house' cannot name a meter; give a name without blanks around it, on one line",
    ),
    "a source of a dataset that is not there": (
        {"house": {"kind": "grid"}},
        (
            "meters house has no series, and raw_meter_readings is not declared; "
            "give its `import`, `export` or `power`"
        ),
    ),
    "a series twice": (
        {"house": {"kind": "grid", "import": IN}, "car": {"kind": "load", "import": IN}},
        (
            "meters house.import and car.import count the same series of energy; "
            "remove one of them, or tell them apart by `where`"
        ),
    ),
    "solar power of an unknown sign": (
        {"roof": {"kind": "solar", "power": {"dataset": "energy"}}},
        (
            "meters roof.power does not say what a positive value of a solar meter is; give "
            "`positive`: export for what is produced or discharged, import for the rest"
        ),
    ),
    "series that may be one": (
        {
            "house": {"kind": "grid", "import": {"dataset": "energy", "where": {"domain": "x"}}},
            "car": {"kind": "load", "import": IN},
        },
        (
            "meters house.import and car.import count the same series of energy; "
            "remove one of them, or tell them apart by `where`"
        ),
    ),
    "a series that holds another": (
        {
            "house": {"kind": "grid", "import": [OUT, {"dataset": "energy"}]},
            "car": {"kind": "load", "import": IN},
        },
        (
            "meters house.import, no. 1, and house.import, no. 2, count the same series of energy; "
            "remove one of them, or tell them apart by `where`"
        ),
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_wrong_declaration_is_refused_in_one_line(name: str) -> None:
    """The line names the place, what is wrong there, and what to do."""
    meters, message = MISTAKES[name]
    with pytest.raises(SettingsError) as caught:
        load(meters)
    assert str(caught.value).endswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["until", "reports"])
def test_a_source_of_the_shipped_dataset_has_neither(key: str) -> None:
    """Nothing is learned of it, and it ends with its readings."""
    meters = {"meter1": {key: {"until": "2026-11-11", "reports": "auto"}[key]}}
    with pytest.raises(SettingsError, match=f"meter1.{key}=.*has no series of its own"):
        load(meters, datasets={"raw_meter_readings": SHIPPED})


def test_a_register_of_the_shipped_dataset_is_refused() -> None:
    """Its sources are meters already."""
    datasets = DATASETS | {"raw_meter_readings": SHIPPED}
    declared = {"kind": "grid", "import": {"dataset": "raw_meter_readings"}}
    with pytest.raises(SettingsError, match="sources are meters without being declared; declare"):
        load({"house": declared}, datasets=datasets)


@pytest.mark.parametrize("key", ["max_gap_s", "unit"])
def test_a_setting_that_is_given_twice_is_refused(key: str) -> None:
    """In the declaration and in dbt_vars. One of them would have no effect."""
    house = {"kind": "grid", "import": IN, "max_gap_s": 60}
    value = {"max_gap_s": 60, "unit": "Wh"}[key]
    with pytest.raises(SettingsError) as caught:
        load({"house": house}, dbt_vars={"sources": {"house": {key: value}}})
    assert str(caught.value).endswith(
        f"meters house.{key} is set in dbt_vars.sources.house too; remove it there"
    )


def test_a_var_of_registers_is_refused_for_power() -> None:
    """It would have no effect, wherever it is set. One that power has too is taken."""
    load({"house": POWER}, dbt_vars={"sources": {"house": {"max_power_kw": 12}}})
    with pytest.raises(SettingsError) as caught:
        load({"house": POWER}, dbt_vars={"sources": {"house": {"counter_wrap_kwh": 100000}}})
    assert str(caught.value).endswith(
        "meters house.counter_wrap_kwh in dbt_vars.sources.house is about registers, and its "
        "energy is computed from its power; remove it there"
    )


def test_series_that_differ_by_a_tag_are_two() -> None:
    """The same field of two devices, also where one says more of itself."""
    other = {"dataset": "energy", "where": {"entity_id": "p2", "domain": "sensor"}}
    meters = {"house": {"kind": "grid", "import": IN}, "car": {"kind": "load", "import": other}}
    settings = load(meters)
    found = find_series(settings.meters, settings.datasets)
    assert [series.declared.where for series in found] == [
        {"entity_id": "p1"},
        {"entity_id": "p2", "domain": "sensor"},
    ]
