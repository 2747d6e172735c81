"""Each kind of step, as dbt builds it: which rule decided, what was counted, what is marked."""

from zoneinfo import ZoneInfo

import pytest

from tests.dbt.meters import Archive, Row, readings_of

TOKYO = ZoneInfo("Asia/Tokyo")
VARIABLES = (
    "{sources: {wrap: {counter_wrap_kwh: 100000}, down: {direction: down}, "
    "both: {direction: both}, 'of Wh': {unit: Wh, max_power_kw: 20}}}"
)
READINGS = {
    "rise": """
        10:00 100
        11:00 104
    """,
    "rise since change": """
        10:00 1000
        10:20 1000
        10:40 1000
        11:00 1000
        11:20 1032.5
    """,
    "noise": """
        10:00 5000.000
        10:20 5000.004
        10:40 5000.000
        11:00 5000.004
        11:20 5000.010
    """,
    "step back": """
        10:00 46.9
        10:30 47.0
        11:30 45.0
        12:00 45.5
    """,
    "restart": """
        10:00 100
        11:00 101
        12:00 0.5
        13:00 1.5
    """,
    "wrap": """
        10:00 99998
        11:00 99999.5
        12:00 0.5
        13:00 1
    """,
    "swap": """
        10:00 5000
        11:00 5001
        12:00 300
        13:00 301
    """,
    "backwards": """
        10:00 -467.0
        11:00 -467.3
        12:00 -467.6
        13:00 -467.9
    """,
    "down": """
        10:00 -467.0
        11:00 -467.3
        12:00 -467.6
    """,
    "both": """
        10:00 500.5
        11:00 502.5
        12:00 501.5
        13:00 503.5
    """,
    "glitch": """
        10:00 100
        10:20 9000
        10:40 101
        11:00 102
    """,
    "of Wh": """
        10:00 100000
        11:00 102000
    """,
}
# each kind with the energy of the step, and that of the other direction
STEPS = {
    "rise": ["first None None", "rise 4.0 None"],
    "rise since change": [
        "first None None",
        "rise 0.0 None",
        "rise 0.0 None",
        "rise 0.0 None",
        "rise since change 32.5 None",
    ],
    "noise": [
        "first None None",
        "rise 0.004 None",
        "noise 0.0 None",
        "noise 0.0 None",
        "rise 0.006 None",
    ],
    "step back": ["first None None", "rise 0.1 None", "step back 0.0 None", "rise 0.5 None"],
    "restart": ["first None None", "rise 1.0 None", "restart 0.5 None", "rise 1.0 None"],
    "wrap": ["first None None", "rise 1.5 None", "wrap 1.0 None", "rise 0.5 None"],
    "swap": ["first None None", "rise 1.0 None", "swap 0.0 None", "rise 1.0 None"],
    "backwards": ["first None None", "step back 0.0 None", *["backwards 0.0 None"] * 2],
    "down": ["first None None", "rise 0.3 None", "rise 0.3 None"],
    "both": ["first None None", "rise 2.0 None", "backwards 0.0 1.0", "rise 2.0 None"],
    "glitch": ["first None None", "glitch None None", "rise 1.0 None", "rise 1.0 None"],
    "of Wh": ["first None None", "rise 2.0 None"],
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """A counter for each kind on one day, built."""
    found = Archive(tmp_path_factory.mktemp("house") / "home_energy.duckdb", TOKYO)
    for name, table in READINGS.items():
        lines = [f"2026-11-09T{line.strip()}" for line in table.strip().splitlines()]
        found.load(readings_of(name, "\n".join(lines), TOKYO))
    found.build("--vars", VARIABLES)
    return found


def text(row: Row) -> str:
    """A step in words."""
    kind, *energies = row
    return " ".join([kind, *(str(kwh if kwh is None else round(kwh, 6)) for kwh in energies)])


@pytest.mark.parametrize("name", READINGS)
def test_each_step_names_the_rule_that_decided(name: str, archive: Archive) -> None:
    """`int_counter_steps` has every reading of the counter, in order, with its kind and energy."""
    rows = archive.query(
        "SELECT kind, step_kwh, back_kwh FROM int_counter_steps "
        "WHERE source = ? AND counter = 'import' ORDER BY at_utc",
        name,
    )
    assert [text(row) for row in rows] == STEPS[name]


DAYS = {
    "rise": (4.0, 0.0, 0.0, 0, 0, 0, 0),
    "rise since change": (32.5, 0.0, 32.5, 0, 0, 0, 0),
    "noise": (0.01, 0.0, 0.0, 0, 0, 0, 0),
    "step back": (0.6, 0.0, 0.0, 0, 1, 0, 0),
    "restart": (2.5, 0.0, 0.0, 1, 0, 0, 0),
    "wrap": (3.0, 0.0, 0.0, 0, 0, 0, 0),
    "swap": (2.0, 0.0, 0.0, 1, 0, 0, 0),
    "backwards": (0.0, 0.0, 0.0, 0, 1, 2, 0),
    "down": (0.6, 0.0, 0.0, 0, 0, 0, 0),
    "both": (4.0, 1.0, 0.0, 0, 0, 0, 0),
    "glitch": (2.0, 0.0, 0.0, 0, 0, 0, 1),
    "of Wh": (2.0, 0.0, 0.0, 0, 0, 0, 0),
}


def test_marks_count_what_a_reader_must_know(archive: Archive) -> None:
    """Each mart's day has the energy and the marks of its steps."""
    rows = archive.query(
        "SELECT source, import_kwh, export_kwh, estimated_kwh, reset_count, step_back_count, "
        "backwards_count, glitch_count FROM fct_daily_energy"
    )
    found = {row[0]: row[1:] for row in rows}
    assert found == {name: pytest.approx(day) for name, day in DAYS.items()}


def test_limits_are_visible_by_source(archive: Archive) -> None:
    """What is set, and what a counter's own history teaches: twice its power, 3 kW at least."""
    rows = archive.query(
        "SELECT source, direction, unit, max_power_kw, import_learned_kw FROM dim_source "
        "WHERE source IN ('rise', 'swap', 'down', 'both', 'of Wh')"
    )
    assert sorted(rows) == [
        ("both", "both", "kWh", 50.0, 4.0),
        ("down", "down", "kWh", 50.0, 3.0),
        ("of Wh", "up", "Wh", 20.0, 4.0),
        ("rise", "up", "kWh", 50.0, 8.0),
        ("swap", "up", "kWh", 50.0, 3.0),
    ]
