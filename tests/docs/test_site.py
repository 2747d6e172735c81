"""The pages as a site."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from homeiot_batch.config import ROOT
from tests.docs import tables_reference
from tests.docs.pages import DOCS, blocks, page

READMES = ("README.md", "README.ja.md")


def build(source: Path, site: Path) -> "subprocess.CompletedProcess[str]":
    """Build the site as `make docs` does."""
    options = re.findall(r"sphinx-build (.*) docs docs/_build", (ROOT / "Makefile").read_text())[
        0
    ].split()
    command = [sys.executable, "-m", "sphinx", *options, str(source), str(site)]
    return subprocess.run(command, text=True, capture_output=True, check=False)


def test_the_site_builds_without_a_warning_and_asks_no_other_host(tmp_path: Path) -> None:
    """Every link leads somewhere, and every page is in the contents.

    What a browser loads is beside the pages.
    """
    done = build(DOCS, tmp_path)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    pages = {
        file.relative_to(DOCS).with_suffix(".html")
        for file in DOCS.rglob("*.md")
        if "_build" not in file.parts
    }
    html = {file.relative_to(tmp_path): file.read_text() for file in tmp_path.rglob("*.html")}
    assert pages <= set(html)
    loaded = [
        url
        for text in html.values()
        for url in re.findall(r'<(?:script|link|img)[^>]*?(?:src|href)="([^"]+)"', text)
    ]
    assert loaded
    assert [url for url in loaded if re.match(r"(https?:)?//", url)] == []


@pytest.mark.parametrize("link", ["nowhere.md", "tutorial.md#nowhere"])
def test_a_link_that_leads_nowhere_is_an_error(link: str, tmp_path: Path) -> None:
    """To a page or to a heading."""
    source = tmp_path / "docs"
    shutil.copytree(DOCS, source, ignore=shutil.ignore_patterns("_build"))
    with (source / "index.md").open("a") as index:
        index.write(f"\n[gone]({link})\n")
    done = build(source, tmp_path / "site")
    assert done.returncode != 0
    assert link.rpartition("#")[2] in done.stderr


@pytest.mark.parametrize("name", [*READMES, "docs/how-to/influxdb.md", "docs/how-to/export.md"])
def test_the_zone_is_set_before_the_source(name: str) -> None:
    """The first archived day fixes it, so each block that names a source sets TZ first."""
    found = re.findall(r"^```\w+\n(.*?)^```$", (ROOT / name).read_text(), re.DOTALL | re.MULTILINE)
    naming = [block for block in found if "export INFLUX_URL=" in block]
    assert naming
    for block in naming:
        assert 0 <= block.find("export TZ=") < block.find("export INFLUX_URL=")


@pytest.mark.parametrize("name", READMES)
def test_what_the_readme_links_to_is_there(name: str) -> None:
    """Files of the checkout. The README of the other language too."""
    text = (ROOT / name).read_text()
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if not link.startswith("http")]
    assert set(READMES) - {name} <= set(links)
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_both_readmes_say_the_same() -> None:
    """Both pages have the same headings by level, commands, settings and links.

    A picture of a Japanese page ends in .ja.png.
    """
    english, japanese = (_without_comments((ROOT / name).read_text()) for name in READMES)
    assert ".ja.png" not in english
    assert ".ja.png" in japanese
    japanese = japanese.replace(".ja.png", ".png")
    for pattern in (
        r"^(#+) ",
        r"^```[^`]*^```$",
        r"^\| (`[^|]+`) \|",
        r"^\| (\d+) \|",
        r"\]\((docs/[^)]+)\)",
    ):
        found = re.findall(pattern, english, re.MULTILINE)
        assert found
        assert found == re.findall(pattern, japanese, re.MULTILINE)


def _without_comments(text: str) -> str:
    """Comments of shell lines are translated."""
    return re.sub(r"[ ]+# .*|^# .*", "", text, flags=re.MULTILINE)


def test_the_tables_page_is_that_of_dbt() -> None:
    """It is rewritten by `make reference`. This fails when it drifts. No description is missing."""
    text = tables_reference.PAGE.read_text()
    assert tables_reference.reference() in text, "run `make reference`"
    assert [
        name for name, table in tables_reference.described().items() if not table["description"]
    ] == []


def test_the_rules_numbers_are_those_of_dbt() -> None:
    """Each var with its default and what dbt_project.yml says of it."""
    said = re.findall(
        r"^  (\w+): (\S+) # (.*)$", (ROOT / "dbt/dbt_project.yml").read_text(), re.MULTILINE
    )
    assert len(said) == 8
    shown = re.findall(
        r"^\| `(\w+)` \| (\S+) \| (.*) \|$", page("explanation/what-a-kwh-is.md"), re.MULTILINE
    )
    assert shown == said


def test_telegrafs_configuration_is_toml() -> None:
    """The snippet of the page, as far as it can be held without Telegraf."""
    [snippet] = blocks(page("how-to/add-a-dataset.md"), "toml")
    assert list(tomllib.loads(snippet)["inputs"]) == ["mqtt_consumer"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """Service and timer as on the page, with another checkout and user."""
    service, timer = blocks(page("how-to/every-night.md"), "ini")
    here = (
        service.replace("/srv/homeiot/.venv/bin/python", sys.executable)
        .replace("/srv/homeiot", str(tmp_path))
        .replace("User=homeiot\n", "")
    )
    (tmp_path / "homeiot.service").write_text(here)
    (tmp_path / "homeiot.timer").write_text(timer)
    command = [
        "systemd-analyze",
        "verify",
        "--man=no",
        *(str(tmp_path / f"homeiot.{kind}") for kind in ("service", "timer")),
    ]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    assert (done.returncode, [line for line in done.stderr.splitlines() if "homeiot" in line]) == (
        0,
        [],
    )
    [when] = re.findall(r"^OnCalendar=(.*)$", timer, re.MULTILINE)
    assert (
        subprocess.run(
            ["systemd-analyze", "calendar", when], capture_output=True, check=False
        ).returncode
        == 0
    )
