"""The first run on a server that holds more than yesterday."""

from pathlib import Path

import pytest

from homeiot_batch.config import load_settings
from homeiot_batch.doctor.readings import check_readings
from tests.house import Checkout, House, Outcome
from tests.integration.servers import Influx1, Influx2

NOON = 1794193200  # of 9 November 2026 in Japan
FOUND = "the source has readings from 2026-11-02 on, and the archive begins with 2026-11-11"
WHAT_TO_DO = (
    "`homeiot run --from 2026-11-02 --to 2026-11-10` archives the days before, as long as the "
    "source keeps them, or set ARCHIVE_START=2026-11-11"
)
NIGHT = ("--config", "now=2026-11-12T00:10:00+09:00")


def lines(*days: int) -> bytes:
    """A reading at noon of each day of November 2026."""
    return b"\n".join(
        b"power,source=a energy_import_kwh=%d %d000000000" % (day, NOON + (day - 9) * 86_400)
        for day in days
    )


def told(outcome: Outcome) -> list[str]:
    """What the run says of the source's begin."""
    return [line for line in outcome.stderr.splitlines() if "has readings from" in line]


def test_the_first_run_and_doctor_say_how_far_back_the_server_reaches(
    server: Influx1 | Influx2,
    house: House,
    monkeypatch: pytest.MonkeyPatch,
    clean_environment: None,
) -> None:
    """With the command that archives it all.

    The next run does not say it again, doctor does until it is done.
    """
    server.create("begin")
    server.write_lines("begin", lines(*range(2, 13)))
    environment = server.environment("begin")
    places = {name.lower(): path for name, path in house.places({}).items()}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def doctor() -> list[tuple[str, str]]:
        settings = load_settings(places | {"tz": "Asia/Tokyo", "now": NIGHT[1][4:]})
        findings = list(check_readings(settings))
        return [(f.found, f.fix) for f in findings if f.name == "raw_meter_readings begin"]

    before = FOUND.replace("the archive begins", "the first run begins the archive")
    assert doctor() == [(before, WHAT_TO_DO)]
    first = house.snakemake("yesterday", "--until", "load", *NIGHT, **environment)
    assert (first.code, told(first)) == (
        0,
        [f"warning: raw_meter_readings: {FOUND}; {WHAT_TO_DO}"],
    )
    assert doctor() == [(FOUND, WHAT_TO_DO)]
    span = ("--config", "start=2026-11-02", "end=2026-11-10", NIGHT[1])
    done = house.snakemake("--until", "load", *span, **environment)
    assert (done.code, told(done), doctor()) == (0, [], [])


def test_a_first_night_from_an_export_says_it_too(checkout: Checkout, tmp_path: Path) -> None:
    """The export was read for yesterday, and shows where it begins."""
    export = tmp_path / "export.lp"
    export.write_bytes(lines(*range(2, 14)) + b"\n")
    checkout.environment["INFLUX_URL"] = str(export)
    night = checkout.night("2026-11-12")
    assert (night.code, told(night)) == (
        0,
        [f"warning: raw_meter_readings: {FOUND}; {WHAT_TO_DO}"],
    )
    assert told(checkout.night("2026-11-13")) == []
