"""The files of dashboards/: as Grafana and its data source want them, without running either."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from homeiot_batch.config import ROOT
from tests.dashboards.grafana import BOARDS, FOLDER, INIT, SOURCE, statements
from tests.docs.pages import blocks, page

SCHEMA = Path(__file__).parent / "schema"
PANELS = [panel for board in BOARDS.values() for panel in board["panels"]]
SERVICE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"][
    "grafana"
]


def mistakes(name: str, definition: str, value: object) -> list[str]:
    """What a part of Grafana's own schema finds."""
    schema = json.loads((SCHEMA / f"{name}.json").read_text())
    check = jsonschema.Draft7Validator(schema | {"$ref": f"#/definitions/{definition}"})
    return [f"{error.json_path}: {error.message}"[:300] for error in check.iter_errors(value)]


def test_the_schema_finds_mistakes() -> None:
    """An unknown key, and a value of another type."""
    board = next(iter(BOARDS.values()))
    for change in ({"pannels": []}, {"time": "now-7d"}, {"graphTooltip": 7}):
        assert mistakes("dashboard", "Dashboard", board | change)


@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_is_one_by_grafanas_schema(name: str) -> None:
    """Every key, down to each panel's place, units and colours."""
    assert mistakes("dashboard", "Dashboard", BOARDS[name]) == []


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_has_the_options_of_its_kind(panel: dict[str, Any]) -> None:
    """By the schemas of the kinds. No panel has an option that its kind lacks."""
    kind = panel["type"]
    assert mistakes(kind, "Options", panel["options"]) == []
    if kind != "stat":
        custom = panel["fieldConfig"]["defaults"]["custom"]
        assert mistakes(kind, "FieldConfig", custom) == []


def test_an_override_sets_what_a_field_can_have() -> None:
    """The schema leaves the value open, so it is checked as the same setting of all fields."""
    for panel in PANELS:
        for override in panel["fieldConfig"]["overrides"]:
            assert override["matcher"]["id"] == "byRegexp"
            # without the slashes Grafana compares the whole name
            assert re.fullmatch("/.+/", override["matcher"]["options"])
            set_to = {change["id"]: change["value"] for change in override["properties"]}
            assert mistakes("dashboard", "FieldConfig", set_to) == []


def test_each_query_goes_to_the_provisioned_data_source() -> None:
    """By its uid, from each panel and variable."""
    uid = {"type": "motherduck-duckdb-datasource", "uid": "homeiot"}
    assert (SOURCE["type"], SOURCE["uid"]) == tuple(uid.values())
    for board in BOARDS.values():
        assert [variable["datasource"] for variable in board["templating"]["list"]] == [uid]
        for panel in board["panels"]:
            assert panel["datasource"] == uid
            assert [target["datasource"] for target in panel["targets"]] == [uid]


def test_panels_do_not_overlap_and_have_their_own_ids() -> None:
    """On Grafana's grid of 24 columns. Titles and ids are there once."""
    for board in BOARDS.values():
        taken = set()
        for panel in board["panels"]:
            grid = panel["gridPos"]
            cells = {
                (grid["x"] + x, grid["y"] + y) for x in range(grid["w"]) for y in range(grid["h"])
            }
            assert max(x for x, _ in cells) < 24
            assert not cells & taken
            taken |= cells
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    assert len({panel["title"] for panel in PANELS}) == len(PANELS)
    assert all(panel["description"] for panel in PANELS)


def test_the_sql_uses_only_documented_tables() -> None:
    """Each name after FROM and JOIN has its part in tables.md, or is of the data source."""
    documented = set(re.findall(r"^## (\w+)$", page("reference/tables.md"), re.MULTILINE))
    own = {"house_days", "house_meters", "read_copy"}
    for panel in PANELS:
        for sql in statements(panel):
            used = set(re.findall(r"\b(?:FROM|JOIN) (\w+)", sql))
            assert used
            assert used <= documented | own


def test_the_data_source_has_every_table_of_the_read_copy() -> None:
    """All marts of dbt, so that a panel of one's own finds them."""
    marts = {file.stem for file in (ROOT / "dbt/models/marts").glob("*.sql")}
    views = set(
        re.findall(r"^CREATE VIEW (\w+) AS FROM of_read_copy\('\1'\);$", INIT, re.MULTILINE)
    )
    assert views == marts | {"read_copy"}


def test_grafana_fills_in_nothing_in_the_provisioning_files() -> None:
    """It would put a variable of the environment in for each dollar sign."""
    for file in FOLDER.glob("provisioning/*/*.yaml"):
        assert "$" not in file.read_text()


def test_the_files_are_where_grafana_looks() -> None:
    """The mounts of the service, and the paths in the files."""
    [provider] = yaml.safe_load((FOLDER / "provisioning/dashboards/homeiot.yaml").read_text())[
        "providers"
    ]
    environment = SERVICE["environment"]
    assert environment["GF_PATHS_PROVISIONING"] == "/etc/homeiot/provisioning"
    assert provider["options"]["path"] == "/etc/homeiot/json"
    assert "./dashboards:/etc/homeiot:ro" in SERVICE["volumes"]
    assert "./data/duckdb:/data/duckdb:ro" in SERVICE["volumes"]


def test_grafana_sees_the_tables_and_nothing_else_of_the_house() -> None:
    """Read-only, and no secret but its own password. It runs only if asked for."""
    house = [mount for mount in SERVICE["volumes"] if mount.startswith(".")]
    assert house == ["./dashboards:/etc/homeiot:ro", "./data/duckdb:/data/duckdb:ro"]
    assert SERVICE["profiles"] == ["dashboards"]
    assert SERVICE["secrets"] == ["grafana_password"]
    assert SERVICE["ports"] == ["${GRAFANA_BIND:-127.0.0.1}:${GRAFANA_PORT:-3000}:3000"]


def test_nobody_comes_in_without_the_password_and_grafana_calls_nobody() -> None:
    """The settings that say so, by their names in Grafana's documentation."""
    environment = SERVICE["environment"]
    off = [name for name, value in environment.items() if value == "false"]
    assert set(off) == {
        "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES",
        "GF_ANALYTICS_CHECK_FOR_UPDATES",
        "GF_ANALYTICS_FEEDBACK_LINKS_ENABLED",
        "GF_ANALYTICS_REPORTING_ENABLED",
        "GF_AUTH_ANONYMOUS_ENABLED",
        "GF_NEWS_NEWS_FEED_ENABLED",
        "GF_PLUGINS_PLUGIN_ADMIN_ENABLED",
        "GF_SNAPSHOTS_EXTERNAL_ENABLED",
        "GF_USERS_ALLOW_SIGN_UP",
    }
    for name in ("GF_PLUGINS_PREINSTALL_DISABLED", "GF_SECURITY_DISABLE_GRAVATAR"):
        assert environment[name] == "true"
    allowed = environment["GF_PLUGINS_ALLOW_LOADING_UNSIGNED_PLUGINS"]
    assert allowed == "motherduck-duckdb-datasource"


def started_with(password: str, file: str = "") -> subprocess.CompletedProcess[str]:
    """The service's entrypoint, with a program in the place of Grafana's."""
    *shell, script = SERVICE["entrypoint"]
    script = script.replace("$$", "$").replace("/run.sh", "echo started")
    name = "GF_SECURITY_ADMIN_PASSWORD"
    environment = {"PATH": os.environ["PATH"], name: password, f"{name}__FILE": file}
    return subprocess.run(
        [*shell, script], env=environment, capture_output=True, text=True, check=False
    )


def test_grafana_does_not_start_without_a_password() -> None:
    """Its own default is admin."""
    refused = started_with("")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        "error: GRAFANA_PASSWORD is not set; set it in .env beside docker-compose.yml\n"
    )
    assert started_with("secret").stdout == "started\n"


def test_the_password_may_be_in_a_file(tmp_path: Path) -> None:
    """Of a file that is empty or missing, and of two passwords, one line says what is wrong."""
    file = tmp_path / "password"
    file.write_text("secret\n")
    assert started_with("", str(file)).stdout == "started\n"
    both = started_with("secret", str(file))
    said = "error: GRAFANA_PASSWORD and GRAFANA_PASSWORD_FILE are both set; remove one\n"
    assert (both.returncode, both.stdout, both.stderr) == (1, "", said)
    file.write_text("")
    for place in (file, tmp_path / "missing"):
        refused = started_with("", str(place))
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr.splitlines()[-1] == (
            "error: GRAFANA_PASSWORD_FILE has no password that the user 472 can read"
        )


def test_each_variable_of_the_page_is_one_of_the_service() -> None:
    """Those for .env, with their defaults."""
    text = page("how-to/dashboards.md")
    [lines] = blocks(text, "ini")
    names = set(re.findall(r"`(GRAFANA_\w+)`", text)) | set(re.findall(r"^(\w+)=", lines, re.M))
    used = json.dumps(SERVICE)
    assert {name for name in names if name in used} == names - {"COMPOSE_PROFILES"}
    assert "${GRAFANA_VERSION:-13.2.3}" in used
    assert "| `GRAFANA_VERSION` | 13.2.3 |" in text
