"""Which meters are seen in what programs write. Names are all that a source tells."""

from pathlib import Path

import pytest

from homeiot_batch.config import Settings
from homeiot_batch.setup_house import field_tables
from homeiot_batch.setup_house.export_survey import ExportSurvey
from homeiot_batch.setup_house.proposal import Found, recognised_in
from tests.doctor.findings import given
from tests.setup_house.houses import (
    DSMR,
    EVCC,
    HOME_ASSISTANT,
    TELEGRAF,
    One,
    counter,
    entity,
    found_in,
    lines,
    named,
    power,
    reasons,
    shown,
    surveyed,
)

NO_KIND = "its name tells no kind"


def test_home_assistant_by_unit(settings: Settings, tmp_path: Path) -> None:
    """A total hides its tariffs. A copy that begins again each day and a cupboard are no meters."""
    found, choice = found_in(settings, tmp_path, HOME_ASSISTANT)
    assert list(found.datasets) == ["home_assistant_power", "home_assistant_energy"]
    assert shown(choice) == {
        "grid": (
            "grid",
            {
                "import": ["p1_meter_energy_import"],
                "export": ["p1_meter_energy_export"],
                "power": ["p1_meter_power"],
            },
        ),
        "solar": ("solar", {"export": ["solar_energy_total"]}),
        "battery": (
            "battery",
            {"import": ["battery_energy_charged"], "export": ["battery_energy_discharged"]},
        ),
        "heat_pump": ("load", {"import": ["heat_pump_energy"], "power": ["heat_pump_power"]}),
    }
    assert reasons(choice) == {
        "cupboard": NO_KIND,
        "p1_meter_energy_import_tariff_1": "a part of p1_meter_energy_import",
        "p1_meter_energy_import_tariff_2": "a part of p1_meter_energy_import",
    }
    assert found.remarks == ["solar_energy_today (kWh) is no register: 'today' in its name"]


@pytest.mark.parametrize(
    ("measurements", "datasets"),
    [
        (
            ("sensor.p1_import", "sensor.pv_energy"),
            ["home_assistant_sensor_p1_import", "home_assistant_sensor_pv_energy"],
        ),
        (("states", "states"), ["home_assistant_states"]),
        (("sensor__energy", "sensor__energy"), ["home_assistant_sensor_energy"]),
    ],
)
def test_home_assistant_with_other_names(
    settings: Settings, tmp_path: Path, measurements: tuple[str, str], datasets: list[str]
) -> None:
    """A measurement for each entity, one for all, or one for each class: a text has the unit."""
    house = [
        named(measurements[0], "p1_import", "Wh", 5_000_000),
        named(measurements[1], "pv_energy", "MWh", 3),
    ]
    found, choice = found_in(settings, tmp_path, house)
    assert list(found.datasets) == datasets
    units = {one.shown: one.unit for one in found.candidates}
    assert units == {"p1_import": "Wh", "pv_energy": "MWh"}
    assert shown(choice) == {
        "grid": ("grid", {"import": ["p1_import"]}),
        "solar": ("solar", {"export": ["pv_energy"]}),
    }


def test_classes_of_home_assistant_tell_what_is_no_counter(
    settings: Settings, tmp_path: Path
) -> None:
    """What a battery holds, and what falls as often as it rises."""
    house = [
        counter(entity("kWh", "battery_level"), 5, texts='device_class_str="energy_storage"'),
        counter(entity("kWh", "grid_net"), 5, texts='state_class_str="measurement"'),
        power(entity("kWh", "grid_balance"), 5),
    ]
    found, choice = found_in(settings, tmp_path, house)
    assert shown(choice) == {}
    assert found.remarks == [
        "battery_level (kWh) is no register: its device_class is energy_storage",
        "grid_balance (kWh) is no register: it falls often",
        "grid_net (kWh) is no register: its state_class is measurement",
    ]


def test_evcc(settings: Settings, tmp_path: Path) -> None:
    """The whole of the panels alone, all vehicles at a charging point, no meter of the house."""
    found, choice = found_in(settings, tmp_path, EVCC)
    assert shown(choice) == {
        "grid": ("grid", {"power": ["gridPower"]}),
        "solar": ("solar", {"power": ["pvPower total"]}),
        "battery": ("battery", {"power": ["batteryPower 1"]}),
        "garage": ("load", {"power": ["chargePower Garage"]}),
    }
    positive = {one.shown: one.positive for one in found.candidates}
    assert positive == {
        "gridPower": "import",
        "pvPower total": "export",
        "batteryPower 1": "export",
        "chargePower Garage": "import",
    }
    assert choice.left == []
    assert "homePower" in found.measurements
    assert "gridEnergy" not in found.measurements


def test_dsmr_reader(settings: Settings, tmp_path: Path) -> None:
    """Two tariffs and three phases. A field that is just called energy has no known unit."""
    found, choice = found_in(settings, tmp_path, DSMR)
    assert shown(choice) == {
        "grid": (
            "grid",
            {
                "import": ["delivered_1", "delivered_2"],
                "export": ["returned_1", "returned_2"],
                "power": [f"currently_delivered_l{phase}" for phase in (1, 2, 3)],
            },
        ),
        "solar": ("solar", {"export": ["inverter energy_wh"], "power": ["inverter power_w"]}),
    }
    assert found.remarks == ["cellar energy of modbus looks like a counter, its unit is not known"]


def test_delivered_is_sold_where_used_is_bought(settings: Settings, tmp_path: Path) -> None:
    """The names of dsmr_parser are not those of DSMR-reader."""
    fields = [f"electricity_{way}_tariff_{n}" for way in ("used", "delivered") for n in (1, 2)]
    house = [counter("p1", 10 * place, field) for place, field in enumerate(fields, 1)]
    _, choice = found_in(settings, tmp_path, house)
    assert shown(choice) == {"grid": ("grid", {"import": fields[:2], "export": fields[2:]})}


def test_devices_behind_telegraf(settings: Settings, tmp_path: Path) -> None:
    """Many devices in one measurement. Only what counts both ways may be the grid's meter."""
    found, choice = found_in(settings, tmp_path, TELEGRAF)
    shelly = "shellypro3em-34987a/status"
    assert list(found.datasets) == ["mqtt_consumer"]
    assert shown(choice) == {
        "grid": (
            "grid",
            {
                "import": [f"{shelly}/emdata:0 total_act"],
                "export": [f"{shelly}/emdata:0 total_act_ret"],
                "power": [f"{shelly}/em:0 total_act_power"],
            },
        ),
        "solar": (
            "solar",
            {
                "export": ["tele/roof/SENSOR ENERGY_Total"],
                "power": ["tele/roof/SENSOR ENERGY_Power"],
            },
        ),
        "washing_machine": ("load", {"import": ["zigbee2mqtt/Washing machine energy"]}),
    }
    assert reasons(choice) == {
        "tele/plant/SENSOR ENERGY_Total": "by the field of Tasmota, the name tells no kind"
    }
    assert found.remarks == [
        (
            "tele/heatpump/SENSOR COUNTER_C1 of mqtt_consumer looks like a counter, its unit is "
            "not known"
        )
    ]


def test_the_shipped_dataset_under_another_name(settings: Settings, tmp_path: Path) -> None:
    """Its sources are meters without being declared."""
    house = [
        counter("smart_meter,source=meter1", 10, "energy_import_kwh"),
        power("smart_meter,source=meter1", 10, "instant_power_w"),
    ]
    found, choice = found_in(settings, tmp_path, house)
    assert [(name, one.measurement) for name, one in found.datasets.items()] == [
        ("raw_meter_readings", "smart_meter")
    ]
    assert choice.meters == []


@pytest.mark.parametrize(
    ("house", "left"),
    [
        # two that may be the grid's
        ([entity("kWh", "p1_import"), entity("kWh", "grid_import")], "what is imported"),
        # a battery of which one way is missing
        ([entity("kWh", "battery_charged")], "its export register is not found"),
        # which way?
        ([entity("kWh", "p1_energy")], "by 'p1' in its name"),
        # which meter does not count what is sold
        ([entity("kWh", "solar_export")], "but 'export' is another way"),
        ([entity("kWh", "inverter_load_energy")], NO_KIND),
        ([entity("kWh", "battery_consumption")], "but 'consumption' is another way"),
        ([entity("kWh", "grid_charge_energy")], "but 'charge' is another way"),
        (["tele/battery"], "by the field of Tasmota and 'battery' in the name"),
        # a part of what the panels make, and a net that goes both ways
        ([entity("kWh", "pv_to_house_energy")], NO_KIND),
        # one of two tariffs is too small
        ([entity("kWh", "grid_import_offpeak")], "one of several tariffs"),
        # two of three phases, and two of three tariffs
        ([entity("kWh", f"grid_import_l{number}") for number in (1, 2)], "what is imported"),
        ([entity("kWh", f"grid_import_tariff_{number}") for number in (1, 3)], "what is imported"),
        # from the grid, or into it?
        ([entity("kWh", "grid_in")], "by 'grid' in its name"),
        # a part of what the panels make
        ([entity("kWh", "pv_eigenverbrauch")], NO_KIND),
        # two inverters of one size
        ([entity("kWh", name) for name in ("inverter_energy", "inverter_2_energy")], "exported"),
        # two kinds in one name
        ([entity("kWh", "solar_to_battery")], NO_KIND),
        # two inverters, and one that may be their sum
        (
            [entity("kWh", f"{name}_energy") for name in ("inverter_1", "inverter_2", "solar")],
            "what is exported",
        ),
        # two roofs that nothing tells to be parts of a whole
        (["tele/east_pv", "tele/west_pv"], "several may be the solar meter"),
    ],
)
def test_what_is_not_clear_is_no_meter(
    settings: Settings, tmp_path: Path, house: list[str], left: str
) -> None:
    """Rather none than a wrong number. All of its series are left, with the reason."""
    series = []
    for number, name in enumerate(house):
        if name.startswith("tele/"):
            series.append(counter(f"mqtt,topic={name}", number, "ENERGY_Total"))
        else:
            series.append(counter(name, 100 * number))
    _, choice = found_in(settings, tmp_path, series)
    assert shown(choice) == {}
    assert len(choice.left) == len(house)
    assert all(left in reason for _, reason in choice.left)


def test_values_that_are_too_large_for_their_unit(settings: Settings, tmp_path: Path) -> None:
    """Of a register and of a power: no house has 250 kW."""
    house = [
        One(entity("kWh", "grid_import"), "value", 5, 250),
        One(entity("kW", "grid_power"), "value", 400, 10, swings=True),
    ]
    _, choice = found_in(settings, tmp_path, house)
    assert shown(choice) == {}
    assert reasons(choice) == {
        "grid_import": "its values are too large for kWh",
        "grid_power": "its values are too large for kW",
    }


def test_a_meter_that_counts_some_noise_the_other_way_is_not_the_grid(
    settings: Settings, tmp_path: Path
) -> None:
    """A Shelly in a garage: 3 Wh of 7 kWh."""
    topic = "shelly,topic=shelly-garage/status/emdata:0"
    house = [counter(topic, 7000, "total_act"), One(topic, "total_act_ret", 3.07, 0)]
    _, choice = found_in(settings, tmp_path, house)
    assert choice.meters == []
    assert len(choice.left) == 2


def test_numbered_parts_are_a_whole(settings: Settings, tmp_path: Path) -> None:
    """Two inverters without a sum are added."""
    names = ["inverter_1_energy", "inverter_2_energy"]
    _, choice = found_in(settings, tmp_path, [counter(entity("kWh", name), 5) for name in names])
    assert shown(choice) == {"solar": ("solar", {"export": names})}


def test_of_two_powers_none_is_the_peak(settings: Settings, tmp_path: Path) -> None:
    """The meter has its energy without it."""
    house = [
        counter(entity("kWh", "pv_energy"), 5),
        power(entity("W", "pv_power"), 5),
        power(entity("W", "inverter_power"), 5),
    ]
    _, choice = found_in(settings, tmp_path, house)
    assert shown(choice) == {"solar": ("solar", {"export": ["pv_energy"]})}
    reason = "several may be its power, which its energy does not need"
    assert reasons(choice) == {"pv_power": reason, "inverter_power": reason}


@pytest.mark.parametrize(
    "name",
    [
        "heat_pump_thermal_energy",
        "boiler_gas_energy",
        "envoy_lifetime_net_energy_production",
        "wallbox_added_energy",
        "pv_energy_today",
        "solar_forecast_energy",
        "heat_pump_heat_energy",
        "pv_energie_heute",
    ],
)
def test_what_is_no_counter_of_electricity(settings: Settings, tmp_path: Path, name: str) -> None:
    """By a word of its name."""
    found, choice = found_in(settings, tmp_path, [counter(entity("kWh", name), 5)])
    assert (found.candidates, choice.meters) == ([], [])
    assert found.remarks[0].startswith(f"{name} (kWh) is no register: '")


def test_peak_and_off_peak_are_tariffs(settings: Settings, tmp_path: Path) -> None:
    """They are added."""
    names = ["grid_import_offpeak", "grid_import_peak"]
    _, choice = found_in(settings, tmp_path, [counter(entity("kWh", name), 5) for name in names])
    assert shown(choice) == {"grid": ("grid", {"import": names})}


def test_numbered_plugs_are_meters_of_their_own(settings: Settings, tmp_path: Path) -> None:
    """And a tariff of a load is a part."""
    names = ["plug_1_energy", "plug_2_energy", "boiler_energy_low", "boiler_energy_high"]
    _, choice = found_in(settings, tmp_path, [counter(entity("kWh", name), 5) for name in names])
    assert shown(choice) == {
        "boiler": ("load", {"import": ["boiler_energy_high", "boiler_energy_low"]}),
        "plug_1": ("load", {"import": ["plug_1_energy"]}),
        "plug_2": ("load", {"import": ["plug_2_energy"]}),
    }


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("electricity_meter_energy_consumption_tarif_1", "import"),
        ("electricity_meter_energy_production_tarif_2", "export"),
        ("energy_from_grid", "import"),
        ("grid_feed_in_total", "export"),
        ("envoy_lifetime_energy_production", "export"),
        ("pv_yield_total", "export"),
        ("battery_discharged_total", "export"),
        ("wallbox_charged_energy", "import"),
        ("grid_import_export_energy", None),
        ("battery_in_out", None),
    ],
)
def test_which_way_a_name_says(
    settings: Settings, tmp_path: Path, name: str, role: str | None
) -> None:
    """The words of the kind."""
    found, _ = found_in(settings, tmp_path, [counter(entity("kWh", name), 5)])
    assert [one.role for one in found.candidates] == [role]


def test_a_car_is_counted_once(settings: Settings, tmp_path: Path) -> None:
    """Where a wallbox has a counter, evcc's charging point is left."""
    house = [counter(entity("kWh", "wallbox_energy"), 5), *EVCC]
    _, choice = found_in(settings, tmp_path, house)
    loads = [meter.name for meter in choice.meters if meter.kind == "load"]
    assert loads == ["wallbox"]
    assert reasons(choice) == {"chargePower Garage": "wallbox may count the same energy"}


def test_a_number_behind_a_name_may_be_another_device(settings: Settings, tmp_path: Path) -> None:
    """Home Assistant numbers devices of one name. Only a name that rises by all others is a sum."""
    names = ["pv_energy", "pv_energy_2", "pv_energy_3"]
    _, choice = found_in(settings, tmp_path, [counter(entity("kWh", name), 5) for name in names])
    assert shown(choice) == {}
    house = [
        One(entity("kWh", "pv_energy"), "value", 5, 0.5),
        One(entity("kWh", "pv_energy_2"), "value", 5, 0.2),
        One(entity("kWh", "pv_energy_3"), "value", 5, 0.3),
    ]
    _, choice = found_in(settings, tmp_path, house)
    assert shown(choice) == {"solar": ("solar", {"export": ["pv_energy"]})}


@pytest.mark.parametrize(("channels", "kinds"), [(3, ["grid"]), (2, [])])
def test_channels_of_a_shelly(
    settings: Settings, tmp_path: Path, channels: int, kinds: list[str]
) -> None:
    """Three are phases. Two may be the grid and the roof."""
    house = []
    for channel in range(channels):
        for field in ("total", "total_returned"):
            house.append(counter("mqtt,topic=shelly-1", 5 + channel, f"emeters_{channel}_{field}"))
    _, choice = found_in(settings, tmp_path, house)
    assert [meter.kind for meter in choice.meters] == kinds
    assert len(choice.left) == (4 if not kinds else 0)


def test_delivered_parcels_are_no_energy(settings: Settings, tmp_path: Path) -> None:
    """A common word counts in the measurement of a meter alone."""
    found, _ = found_in(settings, tmp_path, [counter("parcels", 5, "delivered_1")])
    assert found.datasets == {}


def test_two_programs_that_see_one_meter_count_it_once(settings: Settings, tmp_path: Path) -> None:
    """Home Assistant's counter is taken, and not evcc's power beside it."""
    house = [counter(entity("kWh", "p1_import"), 5), power("gridPower", 1), power("homePower", 1)]
    _, choice = found_in(settings, tmp_path, house)
    assert shown(choice) == {
        "grid": ("grid", {"import": ["p1_import"], "power": ["gridPower"]}),
    }


def test_odd_names_become_no_columns(settings: Settings, tmp_path: Path) -> None:
    """A tag called time, two that differ in capitals, and a field of two types."""
    house = [
        counter("p1,Host=a,host=b,time=c", 1, "energy_delivered_tariff1"),
        counter("p1,Host=a,host=b,time=c", 1, "gas"),
        counter("P-1!", 1, "energy_delivered_tariff1"),
        One("p1,Host=a", "energy_delivered_tariff1", 1, 0, texts='gas="no"'),
    ]
    found, _ = found_in(settings, tmp_path, house)
    columns = {name: (list(one.tags), list(one.fields)) for name, one in found.datasets.items()}
    field = "energy_delivered_tariff1"
    assert columns == {"p_1": ([], [field]), "p1": (["Host"], [field])}


def test_only_what_hardly_falls_looks_like_a_counter(settings: Settings, tmp_path: Path) -> None:
    """A counter of the day does, a thermometer and a switch do not."""
    house = [counter("a", 5), power("b", 5), One("c", "value", 1, 0)]
    [a, b, c] = surveyed(settings, tmp_path, house).measurements
    of_the_day = {hour: float(hour % 24) for hour in range(72)}
    kinds = [one.series[0].numbers["value"].looks_like_a_counter for one in (a, b, c)]
    assert kinds == [True, False, False]
    samples = type(a.series[0].numbers["value"])
    assert samples(of_the_day).looks_like_a_counter


def measurements_of(found: Found) -> dict[str, set[str]]:
    """The measurements by the name of their dataset, as the candidates have it."""
    by_name: dict[str, set[str]] = {}
    for one in found.candidates:
        by_name.setdefault(found.datasets[one.dataset].measurement, set()).add(one.shown)
    return by_name


def test_names_that_differ_in_capitals_are_two_datasets(settings: Settings, tmp_path: Path) -> None:
    """In one schema, in two, and where long names begin alike. Each has its own candidates."""
    long = "mqtt_of_all_devices_in_the_house_of_my_parents_and_in_the_garden"
    house = [
        counter("Energy,topic=tele/roof_pv", 5, "ENERGY_Total"),
        counter("energy,topic=shelly-oven", 5, "total_act"),
        counter("ENERGY,topic=tele/plant", 5, "ENERGY_Total"),
        counter(f"{long}a,topic=tele/boiler", 5, "ENERGY_Total"),
        counter(f"{long}b,topic=tele/fridge", 5, "ENERGY_Total"),
    ]
    found, choice = found_in(settings, tmp_path, house)
    assert {name: one.measurement for name, one in found.datasets.items()} == {
        "energy": "ENERGY",
        "energy_2": "Energy",
        long[:60]: f"{long}a",
        f"{long[:60]}_2": f"{long}b",
        "energy_3": "energy",
    }
    assert measurements_of(found) == {
        "ENERGY": {"tele/plant ENERGY_Total"},
        "Energy": {"tele/roof_pv ENERGY_Total"},
        "energy": {"shelly-oven total_act"},
        f"{long}a": {"tele/boiler ENERGY_Total"},
        f"{long}b": {"tele/fridge ENERGY_Total"},
    }
    assert [meter.name for meter in choice.meters] == ["solar", "boiler", "fridge", "oven"]
    assert found.schemas["energy_3"] == "Shelly"


def test_parts_of_a_refused_meter_are_left_once(settings: Settings, tmp_path: Path) -> None:
    """With the reason of the meter."""
    names = ["battery_charged", "battery_charged_tariff_1", "battery_charged_tariff_2"]
    _, choice = found_in(settings, tmp_path, [counter(entity("kWh", name), 5) for name in names])
    assert [(one.shown, reason) for one, reason in choice.left] == [
        (name, "its export register is not found") for name in names
    ]


@pytest.mark.parametrize(
    ("between", "names"),
    [
        ("", []),
        ("volt=230.5,", ["volt"]),
        (r'a\=b=1,note="a, b=\"c\"",', ["a=b", "note"]),
    ],
)
def test_a_field_that_comes_later_in_a_line_is_found(
    settings: Settings, tmp_path: Path, between: str, names: list[str]
) -> None:
    """Also if its lines follow others of the same first field, in the same ten minutes."""
    first = lines([counter("mqtt,topic=tele/roof_pv", 230, "ENERGY_Power")])
    place = tmp_path / "house.lp"
    more = (f"{between}ENERGY_Total={number}" for number in range(72))
    texts = []
    for line, rest in zip(first, more, strict=True):
        series, fields, time = line.split()
        texts += [line, f"{series} {fields},{rest} {int(time) + 60 * 10**9}"]
    place.write_text("\n".join(texts) + "\n")
    survey = ExportSurvey(given(settings, influx_url=str(place))).survey()
    [measurement] = survey.measurements
    assert list(measurement.types) == ["ENERGY_Power", *names, "ENERGY_Total"]
    [series] = measurement.series
    assert list(series.numbers["ENERGY_Total"].values.values()) == list(range(72))


def test_a_line_in_ten_minutes_is_enough(settings: Settings, tmp_path: Path) -> None:
    """Of lines with the same names. Their values and texts do not matter."""
    begin = 1795186800
    place = tmp_path / "house.lp"
    rows = [f'a x={second},n="{second}, y=2" {begin + second}000000000' for second in range(1200)]
    place.write_text("\n".join(rows) + "\n")
    [measurement] = ExportSurvey(given(settings, influx_url=str(place))).survey().measurements
    assert list(measurement.types) == ["x", "n"]
    assert [one.numbers["x"].last for one in measurement.series] == [600]


def test_many_devices_take_no_square_of_their_time(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each device is looked at a few times, however many there are."""
    house = [counter(f"mqtt,topic=tele/p{n}/SENSOR", n, "ENERGY_Total") for n in range(300)]
    survey = surveyed(settings, tmp_path, house)
    looks: list[str] = []

    def title(group: field_tables._Group) -> str:
        looks.append("a look")
        return group.where["topic"]

    monkeypatch.setattr(field_tables._Group, "title", property(title))
    assert len(recognised_in(survey).candidates) == 300
    assert len(looks) <= 4 * 300
