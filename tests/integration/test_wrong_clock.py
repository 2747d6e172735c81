"""A run whose clock and the server's differ, and an archive of a night with a wrong clock.

A proxy gives the answers of a real server another Date: for the run one clock is as wrong as the
other.
"""

import contextlib
import http.client
from collections.abc import Generator, Iterable
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from http.server import ThreadingHTTPServer

import pytest

from homeiot_batch.config import load_settings
from homeiot_batch.core.days import LocalDay
from homeiot_batch.doctor.source import check_source
from homeiot_batch.errors import SourceError
from homeiot_batch.sources.influx_reader import InfluxReader
from tests.house import Checkout, Outcome
from tests.http_server import QuietHandler, running
from tests.integration.servers import Influx1

DATASET = "raw_meter_readings"
MIDNIGHT = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp()) - 9 * 3600  # in Japan
READ = "SELECT strftime(ts_jst, '%m-%d'), count(*) FROM raw_meter_readings GROUP BY 1 ORDER BY 1"


@contextlib.contextmanager
def dated(server: Influx1, difference: timedelta | None) -> Generator[str]:
    """The URL of a proxy whose Date is ahead of this machine's clock by the difference.

    None: it has no Date.
    """

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            with contextlib.closing(connection) as upstream:
                upstream.request("GET", self.path)
                answer = upstream.getresponse()
                body = answer.read()
            self.send_response_only(answer.status)
            if difference is not None:
                now = datetime.now(UTC) + difference
                self.send_header("Date", format_datetime(now, usegmt=True))
            self.send_header("X-Influxdb-Version", answer.headers["X-Influxdb-Version"])
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with running(proxy) as port:
        yield f"http://127.0.0.1:{port}"


def before_yesterday() -> date:
    """A day that is over by this machine's clock, whatever the time is."""
    return datetime.now(UTC).date() - timedelta(days=2)


@pytest.fixture
def recent(influx16: Influx1) -> Influx1:
    """A server with one reading of that day, in the database `recent`."""
    noon = datetime.combine(before_yesterday(), datetime.min.time(), UTC) + timedelta(hours=12)
    influx16.create("recent")
    line = f"power,source=a instant_power_w=1 {int(noon.timestamp())}000000000"
    influx16.write_lines("recent", line.encode())
    return influx16


def run(house: Checkout, server: Influx1, difference: timedelta | None, *arguments: str) -> Outcome:
    """The nightly command with the clock that is really this machine's."""
    with dated(server, difference) as url:
        environment = server.environment("recent") | {"INFLUX_URL": url, "TZ": "UTC"}
        return house.python("homeiot_batch.run_archive", *arguments, **environment)


@pytest.mark.parametrize("days", [-40, 40])
@pytest.mark.parametrize("asked", ["night", "date"])
def test_clocks_that_differ_by_days_refuse_the_run(
    days: int, asked: str, checkout: Checkout, recent: Influx1
) -> None:
    """One line with both times, exit code 1, nothing on disk.

    Whichever clock is wrong, and whatever is asked for.
    """
    arguments = () if asked == "night" else ("--date", str(before_yesterday()))
    outcome = run(checkout, recent, timedelta(days=days), *arguments)
    assert outcome.code == 1
    [line] = outcome.stderr.splitlines()
    which = "ahead of" if days > 0 else "behind"
    assert line.startswith(f"error: the server's clock is 40 days {which} this machine's (")
    assert line.endswith(": nothing is archived; set the one that is wrong (NTP), and run again")
    assert not checkout.parquet.exists()


def test_minutes_are_a_warning(checkout: Checkout, recent: Influx1) -> None:
    """The day is over by both clocks: it is archived, with one warning."""
    outcome = run(checkout, recent, timedelta(minutes=9), "--date", str(before_yesterday()))
    warnings = [line for line in outcome.stderr.splitlines() if line.startswith("warning: ")]
    assert (outcome.code, len(warnings)) == (0, 1), outcome.stderr
    assert warnings[0].startswith("warning: the server's clock is 9 min ahead of this machine's (")
    assert len(checkout.archived(str(before_yesterday()))) == 1


def test_a_snakemake_range_compares_the_clocks_too(checkout: Checkout, recent: Influx1) -> None:
    """Without the nightly command: the day fails by name, and nothing is archived."""
    day = str(before_yesterday())
    with dated(recent, timedelta(days=-40)) as url:
        environment = recent.environment("recent") | {"INFLUX_URL": url, "TZ": "UTC"}
        span = ("--config", f"start={day}", f"end={day}")
        outcome = checkout.snakemake("--until", "load", *span, **environment)
    assert outcome.code != 0
    [failure] = outcome.failures
    assert failure.startswith(
        f"failed: fetch {DATASET} {day}: the server's clock is 40 days behind this machine's ("
    )
    assert not checkout.day(day).exists()


@pytest.mark.parametrize("left_s", [60, -60])
def test_a_day_is_read_only_if_it_is_over_by_the_server_too(
    left_s: int, recent: Influx1, monkeypatch: pytest.MonkeyPatch, clean_environment: None
) -> None:
    """A minute before its end by the server's clock it is refused, a minute after it is read.

    Some zone has noon now.
    """
    zone = f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"
    for name, value in (recent.environment("recent") | {"TZ": zone}).items():
        monkeypatch.setenv(name, value)
    today = datetime.now(load_settings().zone).date()
    day = LocalDay(today - timedelta(days=1), load_settings().zone)
    difference = day.end - timedelta(seconds=left_s) - datetime.now(UTC)
    with dated(recent, difference) as url:
        monkeypatch.setenv("INFLUX_URL", url)
        settings = load_settings()
        read = InfluxReader(settings).read(settings.datasets[DATASET], day)
        if left_s < 0:
            list(read)
            return
        with pytest.raises(SourceError, match=f"^{day} is not over by the server's clock: "):
            list(read)


def test_a_proxy_that_takes_the_date_away(
    checkout: Checkout, recent: Influx1, monkeypatch: pytest.MonkeyPatch, clean_environment: None
) -> None:
    """Nothing can be compared: the day is archived without a warning, and doctor says so."""
    outcome = run(checkout, recent, None, "--date", str(before_yesterday()))
    assert outcome.code == 0, outcome.stderr
    assert "clock" not in outcome.stderr
    with dated(recent, None) as url:
        monkeypatch.setenv("INFLUX_URL", url)
        found = next(f for f in check_source(load_settings()) if f.name == "clock")
    assert (found.level, found.found) == (
        "warning",
        "the server's cannot be compared with this machine's: its answer has no Date",
    )


# what a night with a wrong clock has left


def reading(day: int, minute: int) -> str:
    """A reading of a day of November 2026 (the 31st is 1 December, and so on)."""
    time = MIDNIGHT + (day - 1) * 86_400 + minute * 60
    return f"power,source=a instant_power_w={minute} {time}000000000"


def write(server: Influx1, bucket: str, days: Iterable[int], minutes: Iterable[int]) -> None:
    """Readings of these minutes of each of the days."""
    lines = [reading(day, minute) for day in days for minute in minutes]
    server.write_lines(bucket, "\n".join(lines).encode())


@pytest.mark.parametrize(
    ("clock", "nights_between"), [("noted", ["2026-11-11", "2026-11-12"]), ("not seen", [])]
)
def test_no_day_stays_short_after_an_outage(
    nights_between: list[str], clock: str, checkout: Checkout, influx16: Influx1
) -> None:
    """On 10 November the clock was ahead, and an outage longer than LOOKBACK_DAYS follows.

    Every day has all that the server holds, whether a run in between could see the wrong clock or
    none could.
    """
    bucket = f"ahead_{len(nights_between)}_{clock.replace(' ', '_')}"
    influx16.create(bucket)
    checkout.environment |= influx16.environment(bucket) | {"LOOKBACK_DAYS": "2"}
    write(influx16, bucket, range(8, 10), range(0, 1440, 60))
    write(influx16, bucket, [10], range(10))
    first, last = "2026-11-08", "2026-11-29"
    wrong = "2099-11-30" if clock == "noted" else "2026-11-30"
    ahead = checkout.night(wrong, "--from", first, "--to", last)
    assert ahead.code == 0, ahead.stderr
    assert "2026-11-11 to 2026-11-29 (19 warnings, " in ahead.stderr
    write(influx16, bucket, range(10, 34), range(0, 1440, 60))
    for night in nights_between:
        assert checkout.night(night).code == 0
    over = "2026-11-26" if clock == "noted" else "2026-12-03"
    assert checkout.night(over).code == 0
    expected = [(f"11-{day:02}", 24) for day in range(8, 26 if clock == "noted" else 31)]
    expected[2] = ("11-10", 24 + 9)
    if clock == "not seen":
        expected += [("12-01", 24), ("12-02", 24)]
    assert checkout.query(READ) == expected
    again = checkout.night(over)
    assert (again.code, again.jobs) == (0, []), again.stderr
