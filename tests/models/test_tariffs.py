"""Tariffs that mean nothing, or not one thing, are refused by the real dbt, and the former tables stay."""

import shutil
from pathlib import Path

import duckdb
import pytest

from homeiot_batch.config import ROOT
from tests.models.meters import Archive, readings_of

# each is fine: currencies that change from one day to the next or with the day of the week, also within common spans; prices left out
SOUND = """\
a,2026-03-01,2026-03-19,1234567,22:00,06:00,10,5,BGN
a,2026-03-01,2026-03-19,1234567,06:00,22:00,20,,BGN
a,2026-03-20,,12345,00:00,24:00,0.3,0.05,EUR
a,2026-03-20,,67,00:00,24:00,60,,JPY
b,2026-03-02,2026-03-06,13,00:00,12:00,1,,JPY
b,2026-03-05,,1245,12:00,24:00,1,,EUR
c,2026-03-20,2026-03-20,5,23:45,24:00,-1,0,
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """A meter that is read twice, with its tables."""
    found = Archive(tmp_path_factory.mktemp("tariffs") / "home_energy.duckdb")
    found.load(readings_of("a", "2026-03-09T10:00 100\n2026-03-09T11:00 101", found.zone))
    found.build()
    return found


def check(archive: Archive, lines: str) -> str:
    """Put the lines in the place of the seed's, and let dbt test them."""
    with duckdb.connect(archive.database) as connection:
        connection.execute("DELETE FROM tariffs")
        rows = [[cell or None for cell in line.split(",")] for line in lines.splitlines()]
        connection.executemany("INSERT INTO tariffs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    return archive.dbt("test", "--select", "tariffs")


def test_sound_tariffs_pass(archive: Archive) -> None:
    """No rule refuses what it should not."""
    assert "ERROR=0" in check(archive, SOUND)


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("accepted_weekdays_tariffs_weekdays", "d,2026-03-01,,1-5,00:00,24:00,1,1,EUR"),
        ("accepted_weekdays_tariffs_weekdays", "d,2026-03-01,,,00:00,24:00,1,1,EUR"),
        ("accepted_weekdays_tariffs_weekdays", "d,2026-03-01,,0123456,00:00,24:00,1,1,EUR"),
        ("tariffs_hold_at_some_time", "d,2026-03-20,2026-03-19,1234567,00:00,24:00,1,1,EUR"),
        ("tariffs_hold_at_some_time", "d,2026-03-20,,1234567,24:00,00:00,1,1,EUR"),
        ("finite_tariffs_import_price", "d,2026-03-01,,1234567,00:00,24:00,-inf,1,EUR"),
        ("finite_tariffs_feed_in_price", "d,2026-03-01,,1234567,00:00,24:00,1,nan,EUR"),
        (
            "tariffs_have_one_currency_a_day",
            "d,2026-03-01,,12345,08:00,20:00,1,,JPY\nd,2026-03-01,,12345,20:00,08:00,2,,EUR",
        ),
        (
            "tariffs_have_one_currency_a_day",
            "d,2026-03-01,2026-03-06,15,08:00,20:00,1,,JPY\nd,2026-03-06,,1245,20:00,08:00,2,,",
        ),
        (
            "tariffs_do_not_overlap",
            "d,2026-03-01,,12345,00:00,24:00,1,,JPY\nd,2026-06-01,,5,05:00,06:00,2,,JPY",
        ),
    ],
)
def test_tariffs_that_mean_nothing_are_refused(archive: Archive, rule: str, line: str) -> None:
    """By the one rule that names what is wrong."""
    with pytest.raises(AssertionError) as failed:
        check(archive, SOUND + line)
    assert [said.split()[6] for said in str(failed.value).splitlines() if " FAIL " in said] == [
        rule
    ]


def test_a_refused_seed_leaves_the_tables(archive: Archive, tmp_path: Path) -> None:
    """The night's build fails and names the rule; the costs are what they were, though readings have come."""
    project = tmp_path / "dbt"
    shutil.copytree(ROOT / "dbt", project, ignore=shutil.ignore_patterns("target", "logs"))
    places = ["--project-dir", str(project), "--profiles-dir", str(project)]
    seed = project / "seeds/tariffs.csv"
    head = seed.read_text().strip()
    seed.write_text(f"{head}\na,2026-03-01,,1234567,00:00,24:00,30,,JPY\n")
    archive.build(*places)
    costs = archive.query("FROM fct_daily_cost")
    assert [(cost[2], cost[3]) for cost in costs] == [("JPY", pytest.approx(30))]
    archive.load(readings_of("a", "2026-03-10T10:00 110\n2026-03-10T11:00 120", archive.zone))
    seed.write_text(f"{head}\na,2026-03-01,,1-5,00:00,24:00,30,,JPY\n")
    with pytest.raises(AssertionError, match="FAIL 1 accepted_weekdays_tariffs_weekdays"):
        archive.build(*places)
    assert archive.query("FROM fct_daily_cost") == costs
