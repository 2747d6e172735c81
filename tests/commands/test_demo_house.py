"""`homeiot demo --house`."""

import shutil
from pathlib import Path

import pytest

from homeiot_batch.commands.demo_run import demo_environment
from homeiot_batch.config import ROOT
from tests.house import Checkout

SHOWN = """
date              used  produced    bought      sold  complete
"""
PLACES = """
The energy is in kWh. A day of which a part is not known has no balance.
The declaration:   examples/telegraf/config.yaml   a copy is in data/demo-telegraf/house
The database:      data/demo-telegraf/home_energy.duckdb
Its tables:        fct_daily_energy has the meters, fct_daily_balance the house (who feeds whom)
The report:        data/demo-telegraf/report/index.html   open it in a browser. Its days are old
Next: docs/how-to/telegraf.md shows how to archive your own house of this kind.
"""


@pytest.mark.slow
def test_a_house_is_shown_in_its_own_folder(checkout: Checkout) -> None:
    """A line for each day, and the places. Settings of the machine's house have no effect."""
    shutil.copytree(ROOT / "examples", checkout.folder / "examples")
    said = checkout.python("homeiot_batch", "demo", "--house", "telegraf", INFLUX_URL="/nowhere")
    assert said.code == 0, said.stderr
    assert SHOWN in said.stderr
    assert said.stderr.count("\n2026-10-") == 8
    assert said.stderr.endswith(PLACES)
    assert (checkout.folder / "docs").exists() is False
    assert [path.name for path in (checkout.folder / "data").iterdir()] == ["demo-telegraf"]
    assert (checkout.folder / "data/demo-telegraf/report/index.html").stat().st_size > 10_000


def test_a_house_that_does_not_exist_is_named_in_one_line(checkout: Checkout) -> None:
    """With what was meant. Nothing is written. Without examples, that is said."""
    shutil.copytree(ROOT / "examples", checkout.folder / "examples")
    said = checkout.python("homeiot_batch", "demo", "--house", "envcc")
    assert (said.code, said.stderr) == (
        1,
        "error: --house='envcc' is no house of examples; did you mean evcc?\n",
    )
    shutil.rmtree(checkout.folder / "examples")
    said = checkout.python("homeiot_batch", "demo", "--house", "evcc")
    assert (said.code, said.stderr) == (
        1,
        "error: there is no folder examples here; run this in a checkout\n",
    )
    assert not (checkout.folder / "data").exists()


def test_a_demo_has_the_language_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the settings it is the only one that reaches a demo."""
    monkeypatch.setenv("REPORT_LANGUAGE", "en")
    monkeypatch.setenv("ARCHIVE_START", "2026-01-01")
    environment = demo_environment(Path("data/demo"), "Asia/Tokyo", Path("house.lp"))
    assert environment["REPORT_LANGUAGE"] == "en"
    assert "ARCHIVE_START" not in environment
    monkeypatch.delenv("REPORT_LANGUAGE")
    environment = demo_environment(Path("data/demo"), "Asia/Tokyo", Path("house.lp"))
    assert "REPORT_LANGUAGE" not in environment
