"""Readings of a simulated meter as line protocol, for the servers that are measured."""

from collections.abc import Iterator
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from homeiot_batch.core.days import LocalDay
from tests.integration.servers import Server

ZONE = ZoneInfo("Asia/Tokyo")
LAST = date(2026, 11, 22)
LINES_A_WRITE = 20_000


def days_up_to(last: date, count: int) -> list[LocalDay]:
    """So many local days, the last one included."""
    return [LocalDay(last - timedelta(days=n), ZONE) for n in reversed(range(count))]


def lines(day: LocalDay, readings: int, meters: int = 1) -> Iterator[bytes]:
    """A day of so many readings of each meter: `power,source=meter1` with three floats."""
    step_ns = (day.end_ns - day.start_ns) // readings
    began_kwh = day.date.toordinal() % 1000
    for number in range(readings):
        watts = 300 + number % 977 * 1.7
        kwh = began_kwh + number * 1e-4
        fields = (
            f"instant_power_w={watts:.1f},energy_import_kwh={kwh:.4f},energy_export_kwh={kwh:.3f}"
        )
        at = day.start_ns + number * step_ns
        for meter in range(1, meters + 1):
            yield f"power,source=meter{meter} {fields} {at}".encode()


def write(server: Server, database: str, points: Iterator[bytes]) -> None:
    """Write them all into a new database."""
    server.create(database)
    batch: list[bytes] = []
    for line in points:
        batch.append(line)
        if len(batch) == LINES_A_WRITE:
            server.write_lines(database, b"\n".join(batch))
            batch.clear()
    if batch:
        server.write_lines(database, b"\n".join(batch))
