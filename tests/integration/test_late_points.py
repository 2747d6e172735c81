"""Points that reach InfluxDB after their day was archived."""

import pytest

from tests.house import Checkout, Outcome
from tests.integration.points import Point
from tests.integration.servers import Influx1, Influx2

NOON = 1794193200  # of 9 November 2026 in Japan
DAY = 86_400


def write(server: Influx1, dt: int, *readings: tuple[int, float]) -> None:
    """Power readings of a day of November 2026, each some seconds after noon."""
    lines = [
        f"power,source=a instant_power_w={value} {(NOON + (dt - 9) * DAY + second) * 10**9}"
        for second, value in readings
    ]
    server.request("POST", "/write", "\n".join(lines).encode(), db="late")


def fetched(outcome: Outcome) -> list[str]:
    """The days that were read."""
    return [job.split()[-1] for job in outcome.jobs if job.startswith("fetch")]


def proof(house: Checkout) -> Outcome:
    """Run the proof on the morning of the 11th."""
    return house.python("homeiot_batch", "verify", "--config", "now=2026-11-11T08:00:00+09:00")


def powers(house: Checkout) -> dict[str, list[float]]:
    """The loaded powers by local day."""
    found: dict[str, list[float]] = {}
    for dt, value in house.query(
        "SELECT strftime(ts_jst, '%d'), instant_power_w FROM raw_meter_readings ORDER BY ts_utc"
    ):
        found.setdefault(dt, []).append(value)
    return found


@pytest.mark.parametrize("version1", ["1.6"], indirect=True)
def test_late_points_are_brought_in_and_shrunken_days_left_alone(
    checkout: Checkout, influx1: Influx1
) -> None:
    """In the window, days with more values are read again. Fewer are reported.

    A value changed without a count is not seen.
    """
    influx1.create("late")
    for day in range(2, 11):
        write(influx1, day, (0, 1.0), (60, 2.0))
    checkout.environment |= influx1.environment("late") | {"LOOKBACK_DAYS": "4"}
    assert checkout.night("2026-11-10", "--from", "2026-11-02", "--to", "2026-11-09").code == 0
    write(influx1, 3, (120, 3.0))  # outside of the window
    write(influx1, 7, (120, 3.0), (180, 4.0))  # inside
    write(influx1, 8, (0, 9.0))  # another value, no more of them
    # of the 9th
    influx1.request(
        "POST", "/query", q=f"DELETE FROM power WHERE time = {(NOON + 60) * 10**9}", db="late"
    )
    late = proof(checkout)
    assert (late.code, [line for line in late.stderr.splitlines() if "not archived" in line]) == (
        1,
        [
            (
                "raw_meter_readings 2026-11-03: the server has values that are not archived: "
                "instant_power_w +1"
            ),
            (
                "raw_meter_readings 2026-11-07: the server has values that are not archived: "
                "instant_power_w +2"
            ),
            "raw_meter_readings 2026-11-10: the day is not archived",
        ],
    )
    night = checkout.night("2026-11-11")
    assert (night.code, fetched(night)) == (0, ["2026-11-07", "2026-11-10"])
    kept = (
        "the source holds fewer values than are archived (instant_power_w 1 of 2, "
        "energy_import_kwh 0 of 0, energy_export_kwh 0 of 0)"
    )
    assert (
        f"warning: raw_meter_readings 2026-11-09: {kept}, so the archived day is kept"
        in night.stderr.splitlines()
    )
    expected = {f"{day:02}": [1.0, 2.0] for day in range(2, 11)} | {"07": [1.0, 2.0, 3.0, 4.0]}
    assert powers(checkout) == expected
    again = checkout.night("2026-11-11")
    assert (again.code, again.jobs) == (0, [])
    range_of = checkout.night(
        "2026-11-11", "--reconcile", "--from", "2026-11-02", "--to", "2026-11-06"
    )
    assert (range_of.code, fetched(range_of)) == (0, ["2026-11-03"])
    assert powers(checkout) == expected | {"03": [1.0, 2.0, 3.0]}
    after = proof(checkout)
    assert (after.code, after.stderr.splitlines()) == (
        0,
        [
            (
                "note: raw_meter_readings 2026-11-09: the server no longer has all values: "
                "instant_power_w -1"
            ),
            "9 days verified, 21 rows, 0 with problems",
        ],
    )
    nothing = checkout.night(
        "2026-11-11", "--reconcile", "--from", "2026-11-02", "--to", "2026-11-06"
    )
    assert (
        nothing.code,
        nothing.jobs,
        "nothing to do: every day of the range is archived" in nothing.stderr,
    ) == (0, [], True)


@pytest.mark.parametrize("version1", ["1.6"], indirect=True)
def test_a_stopped_server_is_no_reason_to_leave_out_the_rest(
    checkout: Checkout, influx1: Influx1
) -> None:
    """Late points cannot be looked for: said as a warning, and yesterday fails by itself."""
    influx1.create("late")
    write(influx1, 2, (0, 1.0))
    checkout.environment |= influx1.environment("late")
    assert checkout.night("2026-11-03", "--date", "2026-11-02").code == 0
    night = checkout.night("2026-11-04", INFLUX_URL="http://127.0.0.1:9")
    assert (night.code, [line.split(": ")[1] for line in night.failures]) == (
        1,
        ["fetch raw_meter_readings 2026-11-03"],
    )
    assert (
        "warning: raw_meter_readings: late points were not looked for: http://127.0.0.1:9 cannot "
        "be reached" in night.stderr
    )
    asked = checkout.night(
        "2026-11-04", "--reconcile", "--date", "2026-11-02", INFLUX_URL="http://127.0.0.1:9"
    )
    said = (
        "failed: raw_meter_readings was not compared with the source; see the warnings, and run "
        "again"
    )
    assert (asked.code, asked.jobs, asked.stderr.splitlines()[-1]) == (1, [], said)


ODD = """
  heat:
    measurement: heat pump
    tags: {Room Name: none, "level": ground}
    fields: {Total Power: double, 'say "hi"': double, dataset: integer, 部屋=間: string}
"""


@pytest.mark.parametrize("server", ["1.13", "2.7"], indirect=True)
def test_late_points_of_names_with_blanks_and_quotes(
    checkout: Checkout, server: Influx1 | Influx2
) -> None:
    """Measurement, fields and tags of any name: read, read again, proven, and examined."""
    config = checkout.folder / "config.yaml"
    config.write_text(config.read_text().rstrip() + ODD)
    server.create("odd")
    power = Point(NOON * 10**9, {"instant_power_w": 1.0}, {"source": "a"})
    fields = {"Total Power": 1.5, 'say "hi"': 2.5, "dataset": 7, "部屋=間": "居間"}
    tags = {"Room Name": "under the roof", "level": "2"}
    early = Point(NOON * 10**9, fields, tags, "heat pump")
    late = Point((NOON + 60) * 10**9, {"Total Power": 3.5}, {}, "heat pump")
    checkout.environment |= server.environment("odd")
    for point, days in (([power, early], 2), ([late], 1)):
        server.write("odd", point)
        night = checkout.night("2026-11-10")
        assert (night.code, len(fetched(night))) == (0, days), night.stderr
    assert [row[2:] for row in checkout.rows("heat")] == [
        ("under the roof", "2", 1.5, 2.5, 7, "居間"),
        ("none", "ground", 3.5, None, None, None),
    ]
    morning = ("--config", "now=2026-11-10T08:00:00+09:00")
    verified = checkout.python("homeiot_batch", "verify", *morning)
    assert verified.stderr.splitlines()[-1] == "2 days verified, 3 rows, 0 with problems"
    examined = checkout.python("homeiot_batch", "doctor", *morning)
    assert "ok       heat.Total Power" in examined.stderr, examined.stderr
    assert "ok       heat 2026-11-09" in examined.stderr
    assert "problems: 0" in examined.stderr.splitlines()[-1]
