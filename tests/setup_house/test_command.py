"""`homeiot init` on an export: the file that it writes, and what it refuses."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from homeiot_batch.archive.zone_record import record_zone
from homeiot_batch.config import ROOT, Settings, load_settings
from homeiot_batch.setup_house import command
from homeiot_batch.setup_house.candidates import Candidate
from homeiot_batch.setup_house.command import set_up_house
from homeiot_batch.setup_house.proposal import recognised_in
from tests.doctor.findings import given, tree
from tests.setup_house.houses import (
    EVCC,
    HOME_ASSISTANT,
    TELEGRAF,
    One,
    counter,
    entity,
    export_of,
    lines,
    named,
    power,
    surveyed,
)

NOW = "2026-11-24T08:00:00+09:00"
Init = Callable[..., None]

WRITTEN = """# yaml-language-server: $schema=../../workflow/schemas/settings.schema.json
# Written by `homeiot init`. Edit it as you like: docs/reference/settings.md has all keys, and
# docs/how-to/declare-your-meters.md says how to declare meters.
# `homeiot init --print` shows what the source holds now.

tz: Asia/Tokyo

datasets:
  home_assistant_energy: # Home Assistant
    measurement: kWh
    tags: {domain: unknown, entity_id: unknown}
    fields: {value: double}

meters:
  grid:
    kind: grid
    import: {dataset: home_assistant_energy, where: {entity_id: p1_import}} # guessed by 'p1' \
in its name and by 'import'; last 5017.75 kWh, 2026-11-23 14h UTC
    reports: on_change

# May be meters too. If one is, declare it above:
# - cupboard, {dataset: home_assistant_energy, where: {entity_id: cupboard}}: its name tells no \
kind; last 27.75 kWh, 2026-11-23 14h UTC

# Also at the source, and not archived. docs/how-to/add-a-dataset.md says how to add it:
# - gas: value (float) last 18.75, 2026-11-23 14h UTC, looks like a counter
# - room: value (float) last 59, 2026-11-23 14h UTC; tags: room=bath
"""
SMALL = [
    counter(entity("kWh", "p1_import"), 5000),
    counter(entity("kWh", "cupboard"), 10),
    counter("gas", 1),
    power("room,room=bath", 19),
]


@pytest.fixture
def init(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_environment: None) -> Init:
    """`homeiot init` in a house of its own. Nobody is at a terminal."""
    own = tmp_path / "house"
    own.mkdir()
    monkeypatch.setenv("HOUSE_DIR", str(own))
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    for name in ("PARQUET_BASE_DIR", "MARKER_DIR", "REPORT_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))

    def call(
        house: list[One], *, only_print: bool = False, force: bool = False, all_: bool = False
    ) -> None:
        monkeypatch.setenv("INFLUX_URL", str(export_of(tmp_path, house)))
        set_up_house(only_print=only_print, force=force, shows_all=all_, config=[f"now={NOW}"])

    return call


def test_the_file_of_a_small_house(
    init: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole file, and what is said: reach, zone and the next command."""
    init(SMALL)
    file = tmp_path / "house/config.yaml"
    assert file.read_text() == WRITTEN
    assert list((tmp_path / "house").iterdir()) == [file]
    assert capsys.readouterr() == (
        (
            f"written: {file}\n"
            "recognised: Home Assistant, in 1 of 3 measurements\n"
            "meters: grid (grid)\n"
            "left out: 1 series. The file has the reasons, as comments\n"
            "readings: since 2026-11-21\n"
            "retention: an export deletes nothing\n"
            "zone: Asia/Tokyo. A day begins at its midnight. The first run fixes it\n"
            "next: `homeiot run --from 2026-11-21 --to 2026-11-23` archives 3 days, 2026-11-21 to "
            "2026-11-23\n"
        ),
        "",
    )
    settings = load_settings({"now": NOW})
    assert list(settings.meters) == ["grid"]


def test_the_sources_of_the_shipped_dataset_are_meters(
    init: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a declaration. A meter of another program gets another name."""
    house = [
        counter("power,source=house", 10, "energy_import_kwh"),
        counter("power", 10, "energy_import_kwh"),
        counter("power,source=grid", 10, "energy_import_kwh"),
        counter(entity("kWh", "p1_import"), 5),
    ]
    init(house)
    assert "meters: grid_2 (grid), grid, house, meter1\n" in capsys.readouterr().out
    declared = yaml.safe_load((tmp_path / "house/config.yaml").read_text())
    assert declared["datasets"]["raw_meter_readings"] == {
        "measurement": "power",
        "tags": {"source": "meter1"},
        "fields": {
            "instant_power_w": "double",
            "energy_import_kwh": "double",
            "energy_export_kwh": "double",
        },
        "missing": 0.0,
    }


def test_print_writes_nothing(
    init: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file goes to standard output, the rest to the other. Also where there is a file."""
    init(SMALL, only_print=True)
    said = capsys.readouterr()
    assert said.out == WRITTEN
    assert said.err.startswith("recognised: Home Assistant, in 1 of 3 measurements\n")
    assert list((tmp_path / "house").iterdir()) == []


def test_an_existing_file_is_kept(
    init: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without --force nothing is written. With it there is a copy, and other settings stay."""
    own = tmp_path / "house"
    file = own / "config.yaml"
    former = (
        "lookback_days: 3\n"
        "datasets:\n"
        "  home_assistant_energy:\n"
        "    measurement: kWh\n"
        "    tags: {entity_id: none, room: none}\n"
        "    fields: {value: double, friendly_name_str: string}\n"
        "  old: {measurement: old, fields: {value: double}}\n"
    )
    file.write_text(former)
    before = tree(own)
    with pytest.raises(SystemExit) as refused:
        init(SMALL)
    assert str(refused.value) == (
        f"error: {file} is there already; `homeiot init --print` shows what would be written, and "
        "--force writes it and keeps a copy of the old file"
    )
    assert tree(own) == before
    init(SMALL, force=True)
    init(SMALL, force=True)
    copies = [own / f"config.yaml.2026-11-24{end}" for end in ("", "-2")]
    assert sorted(own.iterdir()) == [file, *copies]
    assert copies[0].read_text() == former
    assert copies[1].read_text() == file.read_text()
    assert f"the old file is kept as {copies[0]}\n" in capsys.readouterr().out
    declared = yaml.safe_load(file.read_text())
    assert declared["lookback_days"] == 3
    assert declared["datasets"] == {
        "home_assistant_energy": {
            "measurement": "kWh",
            "tags": {"domain": "unknown", "entity_id": "none", "room": "none"},
            "fields": {"value": "double", "friendly_name_str": "string"},
        },
        "old": {"measurement": "old", "fields": {"value": "double"}},
    }


def test_what_cannot_be_done_leaves_nothing(
    init: Init, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is recognised, the export has no point, the folder cannot be written."""
    own = tmp_path / "house"
    with pytest.raises(SystemExit) as refused:
        init([counter("gas", 1), power("room", 19)])
    place = tmp_path / "house.lp"
    none = f"error: none of the 2 measurements of {place} is recognised; "
    by_hand = "docs/how-to/declare-your-meters.md says how to declare them"
    assert str(refused.value) == f"{none}`homeiot init --print` lists them, and {by_hand}"
    with pytest.raises(SystemExit) as printed:
        init([counter("gas", 1), power("room", 19)], only_print=True)
    assert str(printed.value) == f"{none}{by_hand}"
    assert "# - gas: value (float) last 18.75" in capsys.readouterr().out
    monkeypatch.setenv("INFLUX_BUCKET", "other")
    place.write_text("# CONTEXT-DATABASE:house\np1,source=a energy_delivered_tariff1=1 1\n")
    with pytest.raises(SystemExit) as empty:
        set_up_house(only_print=False, force=False, shows_all=False, config=[])
    assert str(empty.value) == (
        f"error: {place} holds no readings yet; let your programs write into it first, or correct "
        "INFLUX_BUCKET"
    )
    monkeypatch.delenv("INFLUX_BUCKET")
    assert list(own.iterdir()) == []


def test_a_link_stays_a_link(init: Init, tmp_path: Path) -> None:
    """The file that it leads to is replaced, with its copy beside the link."""
    real = tmp_path / "elsewhere.yaml"
    real.write_text("lookback_days: 3\n")
    link = tmp_path / "house/config.yaml"
    link.symlink_to(real)
    init(SMALL, force=True)
    assert stat.S_ISLNK(link.lstat().st_mode)
    assert yaml.safe_load(real.read_text())["lookback_days"] == 3
    assert (tmp_path / "house/config.yaml.2026-11-24").read_text() == "lookback_days: 3\n"


def test_many_measurements_are_listed_in_part(
    init: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those with a counter first. The file says how many are left out, and how to see them."""
    many = [power(f"room{number}", 19) for number in range(50)]
    init([*SMALL, *many])
    text = (tmp_path / "house/config.yaml").read_text()
    listed = [line for line in text.splitlines() if line.startswith("# - ")]
    assert len(listed) == 1 + 40 + 1
    assert listed[1].startswith("# - gas: ")
    assert listed[-1] == "# - and 12 more measurements: `homeiot init --print --all` lists them"
    capsys.readouterr()
    init([*SMALL, *many], only_print=True, all_=True)
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if line.startswith("# - ")]) == 1 + 52


def test_a_person_is_asked(init: Init, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the zone if it is not set, and for counters that are not clear. A wrong answer again."""
    monkeypatch.delenv("TZ")
    monkeypatch.setattr("homeiot_batch.setup_house.command.is_at_terminal", lambda: True)
    answers = iter(["Mars", "Europe/Berlin", "what", "load"])
    asked = []

    def prompt(question: str, **options: object) -> str:
        asked.append((question, options["default"]))
        return next(answers)

    monkeypatch.setattr("typer.prompt", prompt)
    init(SMALL)
    kinds = "(bought, sold, solar, charged, discharged, load, none)?"
    assert [question for question, _ in asked[1:]] == [
        "The time zone of the house",
        *2 * [f"What does 'cupboard' count {kinds}"],
    ]
    assert asked[-1][1] == "none"
    declared = yaml.safe_load((tmp_path / "house/config.yaml").read_text())
    assert declared["tz"] == "Europe/Berlin"
    assert {name: meter["kind"] for name, meter in declared["meters"].items()} == {
        "grid": "grid",
        "cupboard": "load",
    }


def test_all_kinds_of_a_house_can_be_loaded(init: Init) -> None:
    """Settings take the file as it is."""
    init(HOME_ASSISTANT)
    kinds = {name: meter.kind for name, meter in load_settings({"now": NOW}).meters.items()}
    assert kinds == {
        "grid": "grid",
        "solar": "solar",
        "battery": "battery",
        "heat_pump": "load",
    }


def test_an_archive_keeps_its_zone(
    init: Init, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is asked: its days are cut by it."""
    record_zone(load_settings().layout, "Europe/Berlin")
    monkeypatch.setattr("homeiot_batch.setup_house.command.is_at_terminal", lambda: True)
    init(SMALL[:1])
    text = (tmp_path / "house/config.yaml").read_text()
    assert "\ntz: Europe/Berlin # the archive was begun with it\n" in text


def test_readings_of_today_alone(
    init: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A new meter has no day that is over, and would stop the run. In a new house all are new."""
    new = [
        line for line in lines([counter(entity("kWh", "pv_energy"), 1)], 73) if "1795446000" in line
    ]
    place = export_of(tmp_path, SMALL[:1], 73)
    place.write_text(place.read_text() + "\n".join(new) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INFLUX_URL", str(place))
        set_up_house(only_print=True, force=False, shows_all=False, config=[f"now={NOW}"])
    said = capsys.readouterr().out
    assert list(yaml.safe_load(said)["meters"]) == ["grid"]
    assert "{entity_id: pv_energy}}: its readings begin today;" in said
    place.write_text("\n".join(new) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INFLUX_URL", str(place))
        set_up_house(only_print=True, force=False, shows_all=False, config=[f"now={NOW}"])
    said = capsys.readouterr()
    assert list(yaml.safe_load(said.out)["meters"]) == ["solar"]
    assert "next: `homeiot run` tomorrow: no day of readings is over yet." in said.err


def test_a_dataset_for_each_entity_only_if_it_is_a_meter(init: Init, tmp_path: Path) -> None:
    """Where each entity has a measurement, those of other entities are not archived."""
    house = [named("sensor.p1_import", "p1_import", "kWh", 5)]
    for number in range(20):
        house.append(named(f"sensor.box{number}", f"box{number}", "kWh", 5))
    init(house)
    declared = yaml.safe_load((tmp_path / "house/config.yaml").read_text())
    assert list(declared["datasets"]) == ["home_assistant_sensor_p1_import"]


def test_what_was_not_written_for_a_week_is_no_meter_but_listed(
    init: Init, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A car that was not charged, or a device that died: nobody can tell."""
    old = [
        line.replace(" 1795", " 1793")
        for line in lines([counter(entity("kWh", "wallbox_energy"), 5)], 30)
    ]
    place = export_of(tmp_path, SMALL[:1])
    place.write_text("\n".join([*old, place.read_text()]))
    monkeypatch.setenv("INFLUX_URL", str(place))
    set_up_house(only_print=False, force=False, shows_all=False, config=[f"now={NOW}"])
    text = (tmp_path / "house/config.yaml").read_text()
    assert list(yaml.safe_load(text)["meters"]) == ["grid"]
    silent = "silent since 2026-10-29 16h UTC, last 12.25"
    assert f"# - sensor wallbox_energy value of kWh: {silent}\n" in text


def test_a_folder_that_cannot_be_written(init: Init, tmp_path: Path) -> None:
    """One line, and nothing is left there. The file's name is a folder's, for a test as root."""
    own = tmp_path / "house"
    (own / ".config.yaml.part").mkdir()
    with pytest.raises(SystemExit) as refused:
        init(SMALL)
    assert str(refused.value) == (
        f"error: {own / 'config.yaml'} cannot be written (Is a directory); see to disk space and "
        "permissions"
    )
    assert [path.name for path in own.iterdir()] == [".config.yaml.part"]


def test_a_measurement_keeps_the_name_of_its_dataset(
    init: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the former file: it would be fetched and stored twice. Its tags and fields stay."""
    file = tmp_path / "house/config.yaml"
    file.write_text((ROOT / "examples/telegraf/config.yaml").read_text())
    init(TELEGRAF, force=True)
    declared = yaml.safe_load(file.read_text())
    assert declared["datasets"] == {
        "mqtt": {
            "measurement": "mqtt_consumer",
            "tags": {"topic": "unknown"},
            "fields": {
                "COUNTER_C1": "double",
                "ENERGY_Power": "double",
                "ENERGY_Total": "double",
                "energy": "double",
                "total_act": "double",
                "total_act_power": "double",
                "total_act_ret": "double",
            },
        }
    }
    meters = load_settings({"now": NOW}).meters
    assert list(meters) == ["grid", "solar", "washing_machine"]
    assert {one.dataset for meter in meters.values() for _, one in meter.series} == {"mqtt"}
    text = file.read_text()
    assert "COUNTER_C1 of mqtt looks like a counter, its unit is not known" in text
    assert "  mqtt: # Tasmota, Shelly, Zigbee2MQTT" in text
    assert "recognised: Tasmota, Shelly, Zigbee2MQTT, in 1 of 1" in capsys.readouterr().out


FORMER = """tz: Asia/Tokyo
datasets:
  other:
    measurement: kWh
    tags: {entity_id: none}
    fields: {value: double, lowest: double}
  cellar:
    measurement: sensor.cupboard
    tags: {entity_id: none}
    fields: {value: double}
  energy: {measurement: heat, fields: {value: double}}
  meters: {measurement: power, tags: {source: none}, fields: {energy_import_kwh: double}}
"""


def test_former_names_in_each_schema(init: Init, tmp_path: Path) -> None:
    """A former name of another measurement is not taken. A field is named where there are two."""
    file = tmp_path / "house/config.yaml"
    file.write_text(FORMER)
    house = [
        counter(entity("kWh", "p1_import"), 5),
        named("sensor.cupboard", "cupboard", "kWh", 5),
        counter("energy,topic=tele/roof_pv", 5, "ENERGY_Total"),
        counter("power,source=house", 10, "energy_import_kwh"),
    ]
    init(house, force=True)
    text = file.read_text()
    declared = yaml.safe_load(text)
    assert {name: one["measurement"] for name, one in declared["datasets"].items()} == {
        "meters": "power",
        "other": "kWh",
        "energy_2": "energy",
        "cellar": "sensor.cupboard",
        "energy": "heat",
    }
    assert declared["datasets"]["other"]["fields"] == {"value": "double", "lowest": "double"}
    assert declared["datasets"]["energy"] == {"measurement": "heat", "fields": {"value": "double"}}
    assert declared["meters"]["grid"]["import"] == {
        "dataset": "other",
        "where": {"entity_id": "p1_import"},
        "field": "value",
    }
    assert declared["meters"]["solar"]["export"] == {
        "dataset": "energy_2",
        "where": {"topic": "tele/roof_pv"},
        "field": "ENERGY_Total",
    }
    assert "\n# - cupboard, {dataset: cellar, where: {entity_id: cupboard}}: " in text
    assert (
        "\n# - power has the registers of raw_meter_readings, but is declared as meters: declare "
        "its meters\n"
    ) in text
    assert list(load_settings({"now": NOW}).datasets) == list(declared["datasets"])


@pytest.mark.parametrize("all_", [False, True])
def test_all_series_are_counted(
    init: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str], all_: bool
) -> None:
    """Also those that the file does not list. It is said how many it does."""
    many = [counter(entity("kWh", f"box_{number:03}_energy"), 5) for number in range(100)]
    init([*SMALL, *many], all_=all_)
    reasons = "the reasons" if all_ else "the reasons of 40 of them"
    said = f"left out: 101 series. The file has {reasons}, as comments\n"
    assert said in capsys.readouterr().out
    text = (tmp_path / "house/config.yaml").read_text()
    assert text.count(": its name tells no kind; ") == (101 if all_ else 40)


def test_candidates_are_told_apart_by_their_keys(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is compared with all others: a house has thousands, with long samples."""
    house = [counter(entity("kWh", f"box_{number}_energy"), 5) for number in range(50)]
    survey = surveyed(settings, tmp_path, house)
    found = recognised_in(survey)

    def compare(one: object, other: object) -> bool:
        raise AssertionError(f"{one} was compared with {other}")

    monkeypatch.setattr(Candidate, "__eq__", compare)
    choice = command._choice(given(settings, now=NOW), found, survey, asks=False)
    assert len(choice.left) == 50


def test_points_without_a_tag_keep_the_name_that_the_file_gives_them(
    init: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A meter of another name would have no readings, or be called as one that there is."""
    file = tmp_path / "house/config.yaml"
    file.write_text(
        "datasets:\n"
        "  roof: {measurement: pvPower, tags: {id: sum}, fields: {value: double}}\n"
        "  raw_meter_readings:\n"
        "    measurement: power\n"
        "    tags: {source: grid}\n"
        "    fields: {energy_import_kwh: double}\n"
    )
    init([*EVCC, counter("power", 10, "energy_import_kwh")], force=True)
    declared = yaml.safe_load(file.read_text())
    assert declared["datasets"]["roof"]["tags"] == {"id": "sum"}
    assert declared["meters"]["solar"]["power"] == {
        "dataset": "roof",
        "where": {"id": "sum"},
        "positive": "export",
    }
    said = "meters: grid_2 (grid), solar (solar), battery (battery), garage (load), grid\n"
    assert said in capsys.readouterr().out
