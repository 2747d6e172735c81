"""The house's gateway before a real server.

It writes readings, some late, some corrected, and keeps them while the server is down.
"""

import random
from collections import Counter
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.integration.points import SECOND, Point
from tests.integration.servers import Influx1
from tests.soak.model import Ledger, midnights

BUCKET = "house"
EVERY_S = 600
MOST_LATE = 2  # days


class Gateway:
    """Writes to the server and to the ledger what the meters say."""

    def __init__(self, server: Influx1, ledger: Ledger, chance: random.Random) -> None:
        self.server, self.ledger, self.seen = server, ledger, Counter[str]()
        self.sources = ["main"]
        self._chance = chance
        self._is_up = True
        self._waiting: list[list[Point]] = []
        self._withheld: list[tuple[date, Point]] = []
        server.create(BUCKET)

    def measure(self, day: date, *, may_be_late: bool = True) -> None:
        """Write the day's readings, but for some that come late."""
        first, last = midnights(day, self.ledger.zone)
        points = [
            self._reading(source, second)
            for source in self.sources
            for second in range(first, last, EVERY_S)
        ]
        late = (
            self._chance.sample(points, self._chance.randint(1, 4))
            if may_be_late and self._chance.random() < 0.6
            else []
        )
        self._withheld += [
            (day + timedelta(days=self._chance.randint(1, MOST_LATE)), point) for point in late
        ]
        self._send([point for point in points if point not in late])

    def deliver(self, today: date) -> None:
        """Write what is late and due, one point at a time.

        Before some points it writes a corrected value of another point of the same day. Later runs
        do not see a corrected value alone. The late point after it makes the day be read again.
        """
        due = [point for day, point in self._withheld if day <= today]
        self._withheld = [(day, point) for day, point in self._withheld if day > today]
        for point in due:
            before = point.time - EVERY_S * SECOND
            if self._chance.random() < 0.4 and self._day(before) == self._day(point.time):
                power = {"instant_power_w": point.time % 977 + 0.5}
                self._send([Point(before, power, point.tags)])
                self.seen["value rewritten"] += 1
            self._send([point])
            self.seen["late point"] += 1

    def _day(self, time: int) -> date:
        """The local day of a time in nanoseconds."""
        return datetime.fromtimestamp(time // SECOND, ZoneInfo(self.ledger.zone)).date()

    def deliver_all(self) -> None:
        """Write everything that is late."""
        self.deliver(date.max)

    def forget_before(self, day: date) -> None:
        """Retention: the server drops all days before `day`."""
        for old in self.ledger.to_be_dropped(day) if self._is_up else []:
            old.drop()
            first, last = midnights(old.date, self.ledger.zone)
            statement = (
                f"DELETE FROM power WHERE time >= {first * SECOND} AND time < {last * SECOND}"
            )
            self.server.request("POST", "/query", q=statement, db=BUCKET)
            self.seen["day dropped by retention"] += 1

    def stop(self) -> None:
        """The server goes down."""
        self._is_up = False
        self.server.stop()

    def start(self) -> None:
        """The server is back, and gets what has waited for it."""
        self.server.start()
        self._is_up = True
        waiting, self._waiting = self._waiting, []
        for points in waiting:
            self._send(points)

    def _send(self, points: list[Point]) -> None:
        if not self._is_up:
            self._waiting.append(points)
            return
        self.ledger.write(points)
        self.server.write(BUCKET, points)

    def _reading(self, source: str, second: int) -> Point:
        """Now and then without the power. Only solar panels export."""
        fields = {"energy_import_kwh": round(second % 10**8 / 7200, 3)}
        if self._chance.random() > 0.05:
            fields["instant_power_w"] = float(self._chance.randint(100, 5000))
        if source != "main":
            fields["energy_export_kwh"] = round(second % 10**8 / 9000, 3)
        return Point(second * SECOND, fields, {"source": source})
