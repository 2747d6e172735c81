"""Houses with their marts, built by the real dbt and published as the workflow does it.

Once a session, for all tests of the report.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from homeiot_batch.config import Settings, load_settings
from homeiot_batch.core.days import LocalDay
from homeiot_batch.report.figures import House, read_figures
from homeiot_batch.report.page import render
from homeiot_batch.words.languages import Language
from tests.dbt.meters import Archive, Reading
from tests.report import solar_house

SCRIPT = "<script>window.pwned=1</script>"
QUOTES = "\"'><img src=x onerror=window.pwned=1> 😀 </title></style>"
LONG = "meter-" + "x" * 300
GRID, LAST = "grid", date(2026, 11, 23)
MAYBE_SUN = [0, 0, 0, 0, 0, 0, 0, 0.2, 0.5, 1, 2, 2.5, 3, 2.5, 2, 1, 0.5, 0, 0, 0, 0, 0, 0, 0]


@dataclass(frozen=True)
class Built:
    """An archive with its marts, published."""

    archive: Archive
    settings: Settings

    @property
    def house(self) -> House:
        """What the report reads of it."""
        return read_figures(self.settings.layout.read_copy)

    def page(self, language: Language = "en") -> str:
        """The report on it, made in the night after the last day."""
        house = self.house
        last = house.last_day or LAST
        return render(
            house,
            datetime(last.year, last.month, last.day, tzinfo=house.zone).astimezone(UTC)
            + timedelta(days=1, minutes=20),
            language,
        )


Build = Callable[..., Built]


def readings(
    source: str, days: Iterator[date], zone: ZoneInfo, *, sold: bool = False, watts: bool = True
) -> Iterator[Reading]:
    """A reading every half an hour: 0.5 kWh bought an hour, by the sun's hours sold.

    Other days, other loads.
    """
    bought = exported = 100.0
    step = 30
    for day in days:
        local = LocalDay(day, zone)
        for k in range(int((local.end - local.start).total_seconds() // (60 * step))):
            at = local.start + timedelta(minutes=step * k)
            sun = MAYBE_SUN[at.astimezone(zone).hour] if sold else 0
            bought += (
                (0.3 + day.day % 7 / 10 + day.month % 2 / 5 + at.hour % 5 / 10) * step / 60
                if not sun
                else 0
            )
            exported += sun * step / 60
            yield (
                at.replace(tzinfo=None),
                source,
                (400.0 + at.hour - 900 * sun if watts else None),
                round(bought, 4),
                round(exported, 4) if sold else None,
            )


def span(days: int, last: date = LAST) -> Iterator[date]:
    """So many days to the last one."""
    return iter([last - timedelta(days=k) for k in range(days - 1, -1, -1)])


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Builds an archive of readings."""

    def built(
        found: list[Reading],
        zone: str = "Asia/Tokyo",
        tariffs: Sequence[tuple[Any, ...]] = (),
        variables: Mapping[str, Any] | None = None,
    ) -> Built:
        folder = tmp_path_factory.mktemp("report")
        archive = Archive(folder / "home.duckdb", ZoneInfo(zone))
        archive.load(found)
        archive.build("--vars", json.dumps(variables or {}))
        if tariffs:
            with duckdb.connect(archive.database) as connection:
                connection.executemany(
                    "INSERT INTO archive.tariffs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", tariffs
                )
            archive.dbt("run", "--select", "fct_daily_cost")
        places = {
            "parquet_base_dir": str(folder / "parquet"),
            "marker_dir": str(folder / "markers"),
            "duckdb_path": str(archive.database),
            "tz": zone,
        }
        settings = load_settings(places)
        archive.publish(settings)
        return Built(archive, settings)

    return built


# day and night; of 20 November there is no price
TARIFFS = [
    (GRID, first, last, "1234567", *hours, price, 0.1, "<EUR>")
    for first, last in ((date(2026, 1, 1), date(2026, 11, 19)), (date(2026, 11, 21), None))
    for hours, price in ((("06:00", "22:00"), 0.3), (("22:00", "06:00"), 0.2))
]


@pytest.fixture(scope="session")
def troubled(build: Build) -> Built:
    """Sixty days of a grid meter with gaps, one on the last day, a swap and a glitch.

    Hostile names. No export, no power. A silent source.
    """
    zone = ZoneInfo("Asia/Tokyo")
    found: list[Reading] = []
    for at, source, watts, counter, sold in readings(GRID, span(60), zone, sold=True):
        local = at.replace(tzinfo=UTC).astimezone(zone)
        if local.date() in (date(2026, 10, 20), date(2026, 10, 21)) or (
            local.date() == LAST and 9 <= local.hour < 13
        ):
            continue
        assert counter is not None
        bought = counter - 90 if local.date() > date(2026, 11, 5) else counter
        found.append(
            (
                at,
                source,
                watts,
                9e5 if local.isoformat().startswith("2026-11-12T10:00") else bought,
                sold,
            )
        )
    found += readings(SCRIPT, span(20), zone)
    found += readings(QUOTES, span(50, date(2026, 11, 10)), zone, watts=False)
    found += readings(LONG, span(1), zone)
    return build(found, tariffs=TARIFFS)


@pytest.fixture(scope="session")
def page(troubled: Built) -> str:
    """The report on the troubled house."""
    return troubled.page()


@pytest.fixture
def page_file(page: str, tmp_path: Path) -> Path:
    """The same as a file."""
    file = tmp_path / "index.html"
    file.write_text(page)
    return file


@pytest.fixture(scope="session")
def sunny(build: Build) -> Built:
    """Forty days. The roof is silent for five hours of one, the car's meter for two days."""
    last = date(2026, 10, 4)
    begin, end = datetime(2026, 9, 10, 9), datetime(2026, 9, 10, 14)
    found = []
    for reading in solar_house.readings(40, last, ZoneInfo("Europe/Berlin")):
        at, source, *_ = reading
        is_silent = source == "roof" and begin < at < end
        is_dead = source == "car" and datetime(2026, 9, 22) < at < datetime(2026, 9, 24)
        if not is_silent and not is_dead:
            found.append(reading)
    return build(found, "Europe/Berlin", variables=solar_house.VARS)


@pytest.fixture(scope="session")
def sunny_page(sunny: Built) -> str:
    """The report on it."""
    return sunny.page()


@pytest.fixture(scope="session")
def sunny_file(sunny_page: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a file."""
    file = tmp_path_factory.mktemp("sunny") / "index.html"
    file.write_text(sunny_page)
    return file


def rows(built: Built, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Rows of a query on the tables, not on the read copy."""
    return as_on_a_page(built.archive.query(sql, *values))


def as_on_a_page(found: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The rows with floats rounded to nine decimals, as the report shows them."""
    return [tuple(round(v, 9) if isinstance(v, float) else v for v in row) for row in found]
