"""A house that burned down is built again from its second copy."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from homeiot_batch.config import ROOT
from homeiot_batch.core.files import write_json
from tests.house import Checkout, House
from tests.workflow import drills


def homeiot(house: House, *arguments: str, **env: str) -> tuple[int, str]:
    """Exit code and output of a command on the house."""
    done = house.run_in(ROOT, [sys.executable, "-m", "homeiot_batch", *arguments], **env)
    return done.code, done.stderr


def page_without_times(house: House) -> str:
    """The report but for the time when it was written."""
    text = (house.folder / "data/report/index.html").read_text()
    lines = [line for line in text.splitlines() if "Times are local" not in line]
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", "", "\n".join(lines))


def test_tables_and_report_are_those_of_the_house(
    archived: House, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """On an empty machine, without a source: a restore and one run.

    No run starts before the restore is finished.
    """
    nas = tmp_path_factory.mktemp("nas")
    assert homeiot(archived, "mirror", MIRROR_URL=str(nas))[0] == 0
    new = House(tmp_path / "new")
    new.folder.mkdir()
    drills.without_source(new)
    code, said = homeiot(new, "restore", "--from", str(nas))
    assert code == 0, said
    note = new.parquet / ".restore.json"
    write_json(note, {"place": str(nas)})
    outcome = new.snakemake(*drills.span())
    assert outcome.failures == [
        (
            f"error: the restore from {nas} into data/parquet is not finished; run `homeiot "
            f"restore --from {nas}` again"
        )
    ]
    assert not new.database.exists()
    note.unlink()
    outcome = new.snakemake(*drills.span())
    assert (outcome.code, outcome.jobs) == (0, drills.jobs("load", *drills.DAYS, tables=True))
    assert new.snapshot() == archived.snapshot()
    assert new.rows() == archived.rows()
    tables = "SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'fct_%'"
    names = sorted(name for (name,) in archived.published(tables))
    assert "fct_daily_energy" in names
    for name in names:
        query = f"SELECT * FROM {name} ORDER BY ALL"
        assert new.published(query) == archived.published(query), name
    assert page_without_times(new) == page_without_times(archived)


def test_a_night_brings_the_copy_up_to_date(checkout: Checkout, tmp_path: Path) -> None:
    """A copy that cannot be made is a warning. The day is archived, and the night is good."""
    nas = tmp_path / "nas"
    nas.mkdir()
    drills.feed(checkout, drills.V1)
    outcome = checkout.night("2026-11-12", MIRROR_URL=str(nas))
    assert outcome.code == 0
    assert "mirror: 1 days are in the copy, 2 files copied and proven (" in outcome.stderr
    [copied] = (nas / "days").rglob("v1-*")
    assert copied.read_bytes() == (checkout.day(drills.LAST) / "part-0.parquet").read_bytes()
    shutil.rmtree(nas)
    outcome = checkout.night("2026-11-12", MIRROR_URL=str(nas))
    assert outcome.code == 0
    assert (
        f"warning: the second copy is not up to date: MIRROR_URL='{nas}' is no folder; mount it, "
        "or make it where it is new\n"
    ) in outcome.stderr
