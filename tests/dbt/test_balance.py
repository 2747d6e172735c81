"""Who feeds whom: the house's balance by hour, day and month, on hours that are written down."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest

from tests.dbt.meters import Archive, Row, compiled_models, prepare, wall

TOKYO = ZoneInfo("Asia/Tokyo")
HOUR, QUARTER = timedelta(hours=1), timedelta(minutes=15)
GRID, ROOF, BATTERY = "grid", "roof", "battery"
KINDS = {GRID: "grid", ROOF: "solar", BATTERY: "battery"}
MODELS = [
    "int_house_counters",
    "fct_hourly_energy",
    "fct_hourly_balance",
    "fct_daily_balance",
    "fct_monthly_balance",
]
# what the meters measured: bought, sold, produced, charged, discharged
MEASURED = ["imported_kwh", "exported_kwh", "produced_kwh", "charged_kwh", "discharged_kwh"]
# in the order of the table below
FLOWS = [
    "consumed_kwh",
    "grid_to_house_kwh",
    "solar_to_house_kwh",
    "battery_to_house_kwh",
    "grid_to_battery_kwh",
    "solar_to_battery_kwh",
    "solar_to_grid_kwh",
    "battery_to_grid_kwh",
]
COUNTERS = [
    (GRID, "import"),
    (GRID, "export"),
    (ROOF, "export"),
    (BATTERY, "import"),
    (BATTERY, "export"),
]
# An hour's energies as Home Assistant's energy dashboard allocates them.
TABLE = """
| 1 | 0 | 0 | 0 | 0 | 1 | 1 | 0 | 0 | 0 | 0 | 0 | 0 |
| 2 | 0 | 1 | 0 | 0 | 3 | 2 | 1 | 0 | 0 | 0 | 0 | 0 |
| 0 | 1 | 4 | 0 | 0 | 3 | 0 | 3 | 0 | 0 | 0 | 1 | 0 |
| 0 | 1 | 4 | 2 | 0 | 1 | 0 | 1 | 0 | 0 | 2 | 1 | 0 |
| 3 | 0 | 0 | 2 | 0 | 1 | 1 | 0 | 0 | 2 | 0 | 0 | 0 |
| 5 | 0 | 2 | 3 | 0 | 4 | 4 | 0 | 0 | 1 | 2 | 0 | 0 |
| 0 | 2 | 3 | 0 | 2 | 3 | 0 | 1 | 2 | 0 | 0 | 2 | 0 |
| 1 | 0 | 2 | 4 | 2 | 1 | 0 | 0 | 1 | 1 | 2 | 0 | 0 |
| 0 | 3 | 1 | 0 | 5 | 3 | 0 | 0 | 3 | 0 | 0 | 1 | 2 |
| 10 | 0 | 3 | 5 | 1 | 9 | 8 | 0 | 1 | 2 | 3 | 0 | 0 |
| 2 | 1 | 1 | 0 | 0 | 2 | 2 | 0 | 0 | 0 | 0 | 1 | 0 |
"""
Energies = Sequence[float | None]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The models, compiled."""
    archive = Archive(tmp_path_factory.mktemp("compiled") / "house.duckdb")
    return compiled_models(archive, {}, MODELS)


@dataclass
class House:
    """Meters with the energies of their counters by hour, in kWh, and what the tables show."""

    models: dict[str, str]
    zone: ZoneInfo = TOKYO
    kinds: dict[str, str | None] = field(default_factory=lambda: dict(KINDS))

    def __post_init__(self) -> None:
        self.database = duckdb.connect()
        self.database.execute("ATTACH ':memory:' AS house; USE house")
        prepare(self.database, self.zone)
        self.database.execute(
            """
            CREATE TABLE int_counter_quarters (
                source VARCHAR, counter VARCHAR, quarter_utc TIMESTAMP, quarter_jst TIMESTAMP,
                kwh DOUBLE, estimated_kwh DOUBLE);
            CREATE VIEW int_quarter_energy AS FROM int_counter_quarters;
            CREATE TABLE int_counter_judged (
                row_kind VARCHAR, source VARCHAR, counter VARCHAR, kind VARCHAR,
                from_utc TIMESTAMP, at_utc TIMESTAMP, back_kwh DOUBLE);
            """
        )

    def hours(
        self,
        source: str,
        counter: str,
        begin: datetime,
        energies: Energies,
        estimated: float | None = 0.0,
    ) -> None:
        """Hours from `begin` (UTC) on, each spread over its quarters. None is unknown."""
        quarters = []
        for number, kwh in enumerate(energies):
            at = begin + number * HOUR
            quarters += [(at + n * QUARTER, kwh and kwh / 4) for n in range(4)]
        self.quarters(source, counter, quarters, estimated)

    def quarters(
        self,
        source: str,
        counter: str,
        quarters: Sequence[tuple[datetime, float | None]],
        estimated: float | None = 0.0,
    ) -> None:
        """Quarters of an hour by their begin, UTC."""
        self.database.execute(
            "INSERT INTO int_counter_quarters SELECT $source, $counter, "
            "unnest($begins::TIMESTAMP[]), unnest($locals::TIMESTAMP[]), unnest($kwh::DOUBLE[]), "
            "unnest($estimated::DOUBLE[])",
            {
                "source": source,
                "counter": counter,
                "begins": [begin for begin, _ in quarters],
                "locals": [wall(begin, self.zone) for begin, _ in quarters],
                "kwh": [kwh for _, kwh in quarters],
                "estimated": [None if kwh is None else estimated for _, kwh in quarters],
            },
        )

    def measured(self, begin: datetime, hours: Sequence[Sequence[float]]) -> None:
        """All five energies of each hour."""
        for number, (source, counter) in enumerate(COUNTERS):
            self.hours(source, counter, begin, [hour[number] for hour in hours])

    def broke(self, kind: str, source: str, counter: str, since: datetime, at: datetime) -> None:
        """An event of the judge."""
        row = ["event", source, counter, kind, since, at, None]
        self.database.execute("INSERT INTO int_counter_judged VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def balance(self, table: str, *columns: str) -> list[Row]:
        """The columns of a table of the balance, in order of time."""
        self._build()
        return self.query(f"SELECT {', '.join(columns)} FROM {table} ORDER BY ALL")

    def query(self, sql: str) -> list[Row]:
        """Rows of the tables as they were built."""
        return self.database.execute(sql).fetchall()

    def _build(self) -> None:
        self.database.execute(
            """
            CREATE OR REPLACE TABLE int_counter_days AS
            SELECT DISTINCT quarter_jst::DATE AS date_jst FROM int_counter_quarters;
            CREATE OR REPLACE TABLE int_counter_begins AS
            SELECT
              source,
              min(quarter_jst::DATE) FILTER (counter = 'import' AND kwh > 0) AS import_begin_jst,
              min(quarter_jst::DATE) FILTER (counter = 'export' AND kwh > 0) AS export_begin_jst
            FROM int_counter_quarters GROUP BY source;
            CREATE OR REPLACE TABLE dim_source (source VARCHAR, kind VARCHAR);
            """
        )
        self.database.executemany("INSERT INTO dim_source VALUES (?, ?)", list(self.kinds.items()))
        for name, sql in self.models.items():
            self.database.execute(f"CREATE OR REPLACE TABLE {name} AS {sql}")


def at(day: str, zone: ZoneInfo = TOKYO) -> datetime:
    """A local time as UTC without zone."""
    return datetime.fromisoformat(day).replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)


MIDNIGHT = at("2026-11-09")


def minutes(number: int) -> timedelta:
    """So many minutes."""
    return timedelta(minutes=number)


def rows_of(table: str) -> list[list[float]]:
    """The numbers of a table in Markdown."""
    return [[float(cell) for cell in line.split("|")[1:-1]] for line in table.strip().splitlines()]


def test_each_row_of_home_assistants_allocation(models: dict[str, str]) -> None:
    """Every hour of the table, all columns."""
    house = House(models)
    rows = rows_of(TABLE)
    house.measured(MIDNIGHT, [row[:5] for row in rows])
    found = house.balance("fct_hourly_balance", "hour_start_utc", *MEASURED, *FLOWS)
    assert [list(row[1:]) for row in found[: len(rows)]] == rows
    # the table's own order of columns
    assert [row[1] for row in house.query("SELECT * FROM (DESCRIBE fct_hourly_balance)")][3:] == [
        *["DOUBLE"] * 17,
        "BOOLEAN",
    ]


def test_the_shares_of_an_hour(models: dict[str, str]) -> None:
    """From 0 to 1. NULL without any sun, or any consumption."""
    house = House(models)
    hours = [(1, 0, 3, 0, 0), (0, 3, 4, 0, 0), (2, 0, 0, 0, 0), (1, 0, 1, 2, 0)]
    house.measured(MIDNIGHT, hours)
    found = house.balance(
        "fct_hourly_balance", "hour_start_utc", "self_consumption", "self_sufficiency"
    )
    assert [row[1:] for row in found[:4]] == [(1.0, 0.75), (0.25, 1.0), (None, 0.0), (1.0, None)]


def allocated(hour: Sequence[float]) -> list[float]:
    """The flows of an hour by what is left of each side, step by step."""
    bought, sold, sun, charged, discharged = hour
    used = max(0.0, bought + sun + discharged - sold - charged)
    give = {"grid": bought, "solar": sun, "battery": discharged}
    take = {"battery": charged, "grid": sold, "house": used}
    flows: dict[tuple[str, str], float] = {}

    def move(giver: str, taker: str, most: float) -> None:
        kwh = max(0.0, min(give[giver], take[taker], most))
        give[giver] -= kwh
        take[taker] -= kwh
        flows[giver, taker] = flows.get((giver, taker), 0.0) + kwh

    move("grid", "battery", bought - used)
    for giver, taker in (
        ("solar", "battery"),
        ("solar", "grid"),
        ("battery", "grid"),
        ("grid", "battery"),
        ("solar", "house"),
        ("battery", "house"),
        ("grid", "house"),
    ):
        move(giver, taker, give[giver])
    order = [("grid", "house"), ("solar", "house"), ("battery", "house"), ("grid", "battery")]
    order += [("solar", "battery"), ("solar", "grid"), ("battery", "grid")]
    return [used, *(flows[pair] for pair in order)]


def physical(chance: random.Random) -> list[float]:
    """The five energies of an hour in which each kWh goes from somewhere to somewhere."""
    names = (
        "grid_house solar_house battery_house grid_battery solar_battery solar_grid battery_grid"
    )
    flow: dict[str, float] = {
        name: chance.choice([0, 0, chance.uniform(0, 3)]) for name in names.split()
    }

    def total(*parts: str) -> float:
        return sum(flow[part] for part in parts)

    return [
        total("grid_house", "grid_battery"),
        total("solar_grid", "battery_grid"),
        total("solar_house", "solar_battery", "solar_grid"),
        total("grid_battery", "solar_battery"),
        total("battery_house", "battery_grid"),
    ]


def test_any_house_adds_up(models: dict[str, str]) -> None:
    """A thousand hours of random houses: no flow is negative, and parts sum to their whole.

    What is bought goes to the house or into the battery, and so on. Nothing is unexplained.
    """
    chance = random.Random(20261126)
    hours = [physical(chance) for _ in range(1000)]
    house = House(models)
    house.measured(MIDNIGHT, hours)
    found = house.balance(
        "fct_hourly_balance", "hour_start_utc", *FLOWS, "unexplained_kwh", "is_complete"
    )
    for hour, (_, *flows, unexplained, is_complete) in zip(hours, found, strict=False):
        bought, sold, sun, charged, discharged = hour
        used, grid_house, sun_house, battery_house, grid_battery, *rest = flows
        sun_battery, sun_grid, battery_grid = rest
        assert flows == pytest.approx(allocated(hour), abs=1e-9)
        assert min(flows) >= 0
        assert is_complete
        assert [
            used,
            bought,
            sold,
            sun,
            charged,
            discharged,
            unexplained,
        ] == pytest.approx(
            [
                grid_house + sun_house + battery_house,
                grid_house + grid_battery,
                sun_grid + battery_grid,
                sun_house + sun_battery + sun_grid,
                grid_battery + sun_battery,
                battery_house + battery_grid,
                0,
            ],
            abs=1e-9,
        )


def test_meters_that_disagree_are_marked_and_the_difference_is_shown(
    models: dict[str, str],
) -> None:
    """More goes out than comes in: a meter is late, or something that feeds has none.

    The numbers are those of Home Assistant, which shows no negative consumption. They are marked,
    and what came from nowhere has a column of its own. Rounding is no disagreement.
    """
    chance = random.Random(20261126)
    hours = [[chance.choice([0, chance.uniform(0, 3)]) for _ in range(5)] for _ in range(1000)]
    named = [[0, 4, 3, 0, 0], [2, 1, 0, 0, 0], [0, 0, 0, 2, 0], [0, 3.004, 3, 0, 0]]
    house = House(models)
    house.measured(MIDNIGHT, [*named, *hours])
    found = house.balance(
        "fct_hourly_balance", "hour_start_utc", *FLOWS, "unexplained_kwh", "is_complete"
    )
    for hour, (_, *flows, unexplained, is_complete) in zip([*named, *hours], found, strict=False):
        bought, sold, sun, charged, discharged = hour
        battery_house, grid_battery, sun_battery, sun_grid, battery_grid = flows[3:]
        assert flows == pytest.approx(allocated(hour), abs=1e-9)
        assert min(flows) >= 0
        unsaid = max(0, sold + charged - bought - sun - discharged)
        assert unexplained >= unsaid - 1e-9
        # what a battery charges out of another one is explained
        assert unexplained == pytest.approx(
            max(sold - sun_grid - battery_grid, 0)
            + max(
                0, charged - grid_battery - sun_battery - discharged + battery_grid + battery_house
            )
        )
        assert is_complete == (unexplained <= 0.005)
    shown = [(row[1], round(row[-2], 6), row[-1]) for row in found[:4]]
    assert shown == [(0, 1, False), (1, 1, False), (0, 2, False), (0, 0.004, True)]


def test_a_battery_that_the_grid_charges_at_night(models: dict[str, str]) -> None:
    """The day is the sum of its hours.

    An allocation of the day's sums would have the sun charge the battery, and the grid feed only
    the house.
    """
    house = House(models)
    night, day, evening = [4, 0, 0, 3, 0], [0, 3, 4, 0, 0], [0, 0, 0, 0, 2]
    house.measured(MIDNIGHT, [night, *[day] * 22, evening])
    [sums] = house.balance("fct_daily_balance", *FLOWS, "self_sufficiency", "is_complete")
    expected = [25, 1, 22, 2, 3, 0, 66, 0]
    assert sums == (*expected, 0.96, True)
    of_sums = allocated([4, 66, 88, 3, 2])
    assert of_sums != expected


@pytest.mark.parametrize(
    ("unknown", "missing"),
    [
        ((GRID, "import"), {"imported_kwh"}),
        ((GRID, "export"), {"exported_kwh"}),
        ((ROOF, "export"), {"produced_kwh"}),
        ((BATTERY, "import"), {"charged_kwh"}),
        ((BATTERY, "export"), {"discharged_kwh"}),
    ],
)
def test_an_hour_that_a_meter_does_not_know(
    unknown: tuple[str, str], missing: set[str], models: dict[str, str]
) -> None:
    """What depends on it is NULL and no smaller number: all flows, and the day's sums.

    A quarter of an hour suffices. What other meters measured stays.
    """
    house = House(models)
    hours = [[2.0, 1.0, 3.0, 1.0, 0.5]] * 24
    house.measured(MIDNIGHT, hours)
    quarter = MIDNIGHT + 10 * HOUR + 3 * QUARTER
    house.database.execute(
        "UPDATE int_counter_quarters SET kwh = NULL, estimated_kwh = NULL "
        "WHERE (source, counter) = (?, ?) AND quarter_utc = ?",
        [*unknown, quarter],
    )
    shares = ["self_consumption", "self_sufficiency", "unexplained_kwh"]
    columns = [*MEASURED, *FLOWS, *shares, "is_complete"]
    found = house.balance("fct_hourly_balance", "hour_start_utc", *columns)
    expected = [
        None if name in missing else kwh for name, kwh in zip(MEASURED, hours[0], strict=True)
    ]
    assert list(found[10][1:]) == [*expected, *[None] * 11, False]
    assert all(None not in row for number, row in enumerate(found) if number != 10)
    [day] = house.query(
        f"SELECT {', '.join(columns)}, hours, complete_hours FROM fct_daily_balance"
    )
    sums = [None if kwh is None else 24 * kwh for kwh in expected]
    assert list(day) == [*sums, *[None] * 11, False, 24, 23]
    assert house.query(
        "SELECT imported_kwh, consumed_kwh, days, known_days, complete_days, is_complete "
        "FROM fct_monthly_balance"
    ) == [(None, None, 1, 0, 0, False)]


def test_a_meter_that_died_leaves_its_hours_unknown_for_ever(models: dict[str, str]) -> None:
    """The battery's last reading is of the first day. Nothing is allocated from then on."""
    house = House(models)
    house.hours(GRID, "import", MIDNIGHT, [1.0] * 72)
    house.hours(BATTERY, "import", MIDNIGHT, [0.25] * 24)
    house.hours(BATTERY, "export", MIDNIGHT, [0.25] * 24)
    assert house.balance(
        "fct_daily_balance", "date_jst", "imported_kwh", "charged_kwh", "consumed_kwh"
    ) == [
        (date(2026, 11, 9), 24, 6, 24),
        (date(2026, 11, 10), 24, None, None),
        (date(2026, 11, 11), 24, None, None),
    ]


@pytest.mark.parametrize("has_second", [True, False])
def test_meters_that_were_taken_out(has_second: bool, tmp_path: Path) -> None:
    """A battery is none from the next day on, and so is a grid meter that has a successor.

    Without one, the house bought, but nobody knows how much.
    """
    sources = {BATTERY: {"until": "2026-11-09"}, GRID: {"until": "2026-11-10"}}
    archive = Archive(tmp_path / "house.duckdb")
    models = compiled_models(archive, {"sources": sources}, MODELS)
    house = House(models, kinds={**KINDS, "second": "grid"})
    house.hours(GRID, "import", MIDNIGHT, [1.0] * 48)
    house.hours(ROOF, "export", MIDNIGHT, [1.0] * 72)
    house.hours(BATTERY, "import", MIDNIGHT, [0.25] * 24)
    if has_second:
        house.hours("second", "import", MIDNIGHT + 24 * HOUR, [0.5] * 48)
    found = house.balance("fct_daily_balance", "date_jst", "imported_kwh", "charged_kwh")
    bought = [24, 36, 12] if has_second else [24, 24, None]
    days = [date(2026, 11, 9 + n) for n in range(3)]
    assert found == list(zip(days, bought, [6, 0, 0], strict=True))
    assert house.query("SELECT count(consumed_kwh) FROM fct_daily_balance") == [
        (3 if has_second else 2,)
    ]


def test_a_meter_that_has_not_begun_is_none(models: dict[str, str]) -> None:
    """Solar panels of the second day, from 10:30 on, and a battery of the third.

    The hour in which a meter begins is unknown, and so is the day. Before it there was none.
    """
    house = House(models)
    house.hours(GRID, "import", MIDNIGHT, [1.0] * 96)
    sunrise = MIDNIGHT + 34 * HOUR + 2 * QUARTER
    house.quarters(ROOF, "export", [(sunrise + n * QUARTER, 0.25) for n in range(4 * 61 + 2)])
    house.hours(BATTERY, "import", MIDNIGHT + 48 * HOUR, [1.0] * 48)
    found = house.balance("fct_daily_balance", "date_jst", "produced_kwh", "consumed_kwh", "hours")
    assert found == [
        (date(2026, 11, 9), 0, 24, 24),
        (date(2026, 11, 10), None, None, 24),
        (date(2026, 11, 11), 24, 24, 24),
        (date(2026, 11, 12), 24, 24, 24),
    ]
    hours = house.query(
        "SELECT produced_kwh, charged_kwh, consumed_kwh FROM fct_hourly_balance "
        "WHERE hour_jst BETWEEN '2026-11-10 09:00' AND '2026-11-10 11:00' ORDER BY hour_jst"
    )
    assert hours == [(0, 0, 1), (None, 0, None), (1, 0, 2)]


def test_nothing_is_known_before_the_first_grid_meter(models: dict[str, str]) -> None:
    """A house whose solar meter is older than that of the grid: it bought all along.

    Its second grid meter is another matter: it was not there before.
    """
    house = House(models, kinds={**KINDS, "second": "grid"})
    house.hours(ROOF, "export", MIDNIGHT, [1.0] * 72)
    house.hours(GRID, "import", MIDNIGHT + 24 * HOUR, [1.0] * 48)
    house.hours("second", "import", MIDNIGHT + 48 * HOUR, [2.0] * 24)
    columns = ["date_jst", "imported_kwh", "exported_kwh", "produced_kwh", "consumed_kwh"]
    assert house.balance("fct_daily_balance", *columns) == [
        (date(2026, 11, 9), None, 0, 24, None),
        (date(2026, 11, 10), 24, 0, 24, 48),
        (date(2026, 11, 11), 72, 0, 24, 96),
    ]


def test_houses_with_few_meters(models: dict[str, str]) -> None:
    """Without the three kinds there are no rows. Sub-meters are in no flow.

    A grid meter alone has what was bought. A house off the grid lives from sun and battery.
    """
    house = House(models, kinds={GRID: None, "heatpump": "load", "attic": "anything"})
    for source in house.kinds:
        house.hours(source, "import", MIDNIGHT, [1.0] * 24)
    columns = ["imported_kwh", "produced_kwh", "consumed_kwh", "grid_to_house_kwh"]
    for table in ("fct_hourly_balance", "fct_daily_balance", "fct_monthly_balance"):
        assert house.balance(table, "count(*)") == [(0,)]
    house.kinds[GRID] = "grid"
    assert house.balance("fct_daily_balance", *columns) == [(24, 0, 24, 24)]
    island = House(models)
    island.hours(ROOF, "export", MIDNIGHT, [1.0] * 12 + [0.0] * 12)
    island.hours(BATTERY, "import", MIDNIGHT, [0.5] * 12 + [0.0] * 12)
    island.hours(BATTERY, "export", MIDNIGHT, [0.0] * 12 + [0.5] * 12)
    assert island.balance("fct_daily_balance", *columns, "self_sufficiency", "is_complete") == [
        (0, 12, 12, 0, 1, True)
    ]


def test_a_solar_meter_that_counts_as_import_is_unknown(models: dict[str, str]) -> None:
    """It would pass for panels that produce nothing. What it takes at night is in no flow."""
    house = House(models)
    house.hours(GRID, "import", MIDNIGHT, [1.0] * 24)
    house.hours(ROOF, "import", MIDNIGHT, [0.5] * 24)
    columns = ["imported_kwh", "produced_kwh", "consumed_kwh"]
    assert house.balance("fct_daily_balance", *columns) == [(24, None, None)]
    house.hours(ROOF, "export", MIDNIGHT, [2.0] * 24)
    assert house.balance("fct_daily_balance", *columns) == [(24, 48, 72)]


def test_several_meters_of_a_kind_are_added(models: dict[str, str]) -> None:
    """Two roofs and two batteries. One battery charges the other: nothing is unexplained."""
    house = House(models, kinds={**KINDS, "carport": "solar", "old": "battery"})
    house.measured(MIDNIGHT, [[0.0, 1.0, 2.0, 2.0, 0.0]] * 24)
    house.hours("carport", "export", MIDNIGHT, [1.0] * 24)
    house.hours("old", "export", MIDNIGHT, [1.0] * 24)
    columns = ["produced_kwh", "discharged_kwh", "consumed_kwh", "unexplained_kwh", "is_complete"]
    assert house.balance("fct_daily_balance", *columns) == [(72, 24, 24, 0, True)]


def test_what_marks_an_hour(models: dict[str, str]) -> None:
    """Estimated energy, and hours in which a counter began again, was swapped or fell.

    That is the whole time from the reading before, also across hours. A step that ends with an
    hour has no part in the next one. A counter that stood still through a gap is known.
    """
    house = House(models)
    house.hours(GRID, "import", MIDNIGHT, [1.0] * 4)
    house.hours(GRID, "import", MIDNIGHT + 4 * HOUR, [1.0], estimated=0.1)
    house.hours(GRID, "import", MIDNIGHT + 5 * HOUR, [1.0] * 19)
    house.hours(ROOF, "export", MIDNIGHT, [1.0] + [0.0] * 23)
    eight = MIDNIGHT + 8 * HOUR
    house.broke("swap", GRID, "import", eight + minutes(50), eight + minutes(70))
    twelve = MIDNIGHT + 12 * HOUR
    house.broke("restart", ROOF, "export", twelve + minutes(40), twelve + HOUR)
    house.broke("rise since change", GRID, "import", twelve + 5 * HOUR, twelve + 7 * HOUR)
    found = house.balance(
        "fct_hourly_balance", "hour_jst", "consumed_kwh", "estimated_kwh", "is_complete"
    )
    assert [row[0].hour for row in found if not row[3]] == [4, 8, 9, 12]
    assert [row[1] for row in found] == [2.0] + [1.0] * 23
    assert [row[2] for row in found if row[2]] == [pytest.approx(0.4)]
    assert house.query("SELECT hours, complete_hours, is_complete FROM fct_daily_balance") == [
        (24, 20, False)
    ]


ZONES = [
    ("Europe/Berlin", "2026-03-29", 23),
    ("Europe/Berlin", "2026-10-25", 25),
    ("Australia/Adelaide", "2026-10-04", 23),
    ("Australia/Lord_Howe", "2026-04-05", 25),
    ("Pacific/Chatham", "2026-04-05", 26),
    ("Antarctica/Troll", "2026-10-25", 26),
    ("Atlantic/Azores", "2026-10-25", 25),
    ("Asia/Beirut", "2026-03-29", 23),
    ("Asia/Kathmandu", "2026-11-09", 24),
]


@pytest.mark.parametrize(("name", "day", "hours"), ZONES)
def test_the_hours_of_a_day_are_those_of_the_hourly_table(
    name: str, day: str, hours: int, models: dict[str, str]
) -> None:
    """Also where the clocks change, by an hour or less, inside an hour or at midnight.

    Each hour is as long as it is to the next one: 1 kW in the day and the two beside it.
    """
    zone = ZoneInfo(name)
    house = House(models, zone)
    middle = date.fromisoformat(day)
    begin = at(str(middle - timedelta(days=1)), zone)
    end = at(str(middle + timedelta(days=2)), zone)
    quarters = []
    quarter = begin
    while quarter < end:
        quarters.append((quarter, 0.25))
        quarter += QUARTER
    house.quarters(GRID, "import", quarters)
    keys = ["date_jst", "hour_jst", "hour_start_utc", "imported_kwh"]
    found = house.balance("fct_hourly_balance", *keys)
    energy = house.query(
        "SELECT date_jst, hour_jst, hour_start_utc, import_kwh FROM fct_hourly_energy ORDER BY ALL"
    )
    assert found == energy
    days = house.query("SELECT hours, is_complete FROM fct_daily_balance ORDER BY date_jst")
    assert days == [(24, True), (hours, True), (24, True)]


def test_months_are_of_the_days_that_are_known(models: dict[str, str]) -> None:
    """Over the ends of a leap February and of a year.

    A day that is not known whole is in no sum, so that the parts of a month add up to it. A month
    is complete with all days of the calendar.
    """
    house = House(models)
    first = at("2027-12-31")
    hours = 24 * 62
    house.hours(GRID, "import", first, [1.0] * hours)
    house.hours(ROOF, "export", first, [1.0] * (hours - 1))
    columns = ["month_jst", "imported_kwh", "consumed_kwh", "self_sufficiency"]
    counts = ["days", "known_days", "complete_days", "is_complete"]
    assert house.balance("fct_monthly_balance", *columns, *counts) == [
        (date(2027, 12, 1), 24, 48, 0.5, 1, 1, 1, False),
        (date(2028, 1, 1), 24 * 31, 48 * 31, 0.5, 31, 31, 31, True),
        (date(2028, 2, 1), 24 * 29, 48 * 29, 0.5, 29, 29, 29, True),
        (date(2028, 3, 1), None, None, None, 1, 0, 0, False),
    ]
