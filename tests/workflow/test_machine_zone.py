"""The zone of this machine beside the house's."""

from collections.abc import Callable
from pathlib import Path

import pytest

from homeiot_batch.archive.zone_record import record_zone
from homeiot_batch.config import ROOT, Settings, load_settings
from homeiot_batch.doctor.archive import check_archive
from homeiot_batch.doctor.finding import warning
from homeiot_batch.workflow import machine_zone
from homeiot_batch.workflow.machine_zone import zone_difference

Machine = Callable[..., None]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Lets this machine have a zone: by its link and by its text file."""

    def have(link: str | None = None, text: str | None = None) -> None:
        localtime, timezone = tmp_path / "localtime", tmp_path / "timezone"
        if link:
            localtime.symlink_to(f"/usr/share/zoneinfo/{link}")
        if text:
            timezone.write_text(f"{text}\n")
        monkeypatch.setattr(machine_zone, "LOCALTIME", localtime)
        monkeypatch.setattr(machine_zone, "TIMEZONE", timezone)

    return have


@pytest.fixture
def unset(settings: Settings) -> Settings:
    """The settings of a house whose zone nobody set."""
    places = ("parquet_base_dir", "marker_dir", "report_dir", "duckdb_path")
    return load_settings({name: str(getattr(settings, name)) for name in places})


@pytest.mark.parametrize(
    ("link", "text", "found"),
    [
        ("Europe/Berlin", None, "Europe/Berlin"),
        ("Europe/Berlin", "Etc/UTC", "Europe/Berlin"),
        (None, "America/New_York", "America/New_York"),
        (None, "no zone", None),
        (None, None, None),
    ],
)
def test_the_system_tells_its_zone(
    machine: Machine, link: str | None, text: str | None, found: str | None
) -> None:
    """By the link first. One that says no zone is as none."""
    machine(link, text)
    assert machine_zone.machine_zone() == found


def test_a_zone_that_nobody_set_is_doubted(machine: Machine, unset: Settings) -> None:
    """The message has both zones."""
    machine("Europe/Berlin")
    assert zone_difference(unset) == (
        "TZ is not set: days are those of Asia/Tokyo, and this machine's zone is Europe/Berlin"
    )


@pytest.mark.parametrize("name", ["Asia/Tokyo", "Japan", "Asia/Pyongyang", "Etc/GMT-9", "no zone"])
def test_a_zone_with_the_same_time_is_not(machine: Machine, unset: Settings, name: str) -> None:
    """Nor one that the system does not tell."""
    machine(text=name)
    assert zone_difference(unset) == ""


@pytest.mark.parametrize("origin", ["environment", "file", "--config"])
def test_a_zone_that_was_set_is_not(
    machine: Machine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    clean_environment: None,
    origin: str,
) -> None:
    """Wherever it was set, and though it is the default one."""
    machine("Europe/Berlin")
    file = tmp_path / "config.yaml"
    shipped = (ROOT / "config.yaml").read_text()
    file.write_text(shipped + ("tz: Asia/Tokyo\n" if origin == "file" else ""))
    if origin == "environment":
        monkeypatch.setenv("TZ", "Asia/Tokyo")
    given = {"tz": "Asia/Tokyo"} if origin == "--config" else {}
    assert zone_difference(load_settings(given, file)) == ""


@pytest.mark.parametrize("begun", [False, True])
def test_doctor_warns(machine: Machine, unset: Settings, begun: bool) -> None:
    """What to do depends on whether a day is archived: the zone is fixed then."""
    machine("Europe/Berlin")
    layout = unset.layout
    fix = "set TZ to the zone of the house, to Asia/Tokyo if that is it"
    if begun:
        record_zone(layout, unset.tz)
        fix = (
            "set TZ=Asia/Tokyo if that is the zone of the house. For another zone begin another "
            "archive: another PARQUET_BASE_DIR, MARKER_DIR and DUCKDB_PATH"
        )
    found = [f for f in check_archive(unset, layout) if f.name == "machine zone"]
    assert found == [
        warning(
            "machine zone",
            "TZ is not set: days are those of Asia/Tokyo, and this machine's zone is Europe/Berlin",
            fix,
        )
    ]
