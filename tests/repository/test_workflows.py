"""The workflows of GitHub, which cannot run here."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from homeiot_batch.config import ROOT
from tests.house import PLACES

FOLDER = ROOT / ".github/workflows"
DOCKERFILE = (ROOT / "Dockerfile").read_text()
RELEASE_TEXT = (FOLDER / "release.yml").read_text()
RELEASE: dict[Any, Any] = yaml.safe_load(RELEASE_TEXT)


def actionlint() -> Path | None:
    """The program, from the path or where .ci/run puts it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "homeiot-servers"
    kept = Path(os.environ.get("HOMEIOT_SERVERS") or cache) / "actionlint"
    found = shutil.which("actionlint") or (str(kept) if kept.exists() else None)
    return Path(found) if found else None


@pytest.mark.skipif(
    actionlint() is None and os.environ.get("INTEGRATION_TESTS") != "1",
    reason="go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12",
)
def test_actionlint_finds_nothing() -> None:
    """In any workflow."""
    program = actionlint()
    assert program is not None
    done = subprocess.run(
        [program, *FOLDER.glob("*.yml")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_a_release_needs_every_test() -> None:
    """Nothing is published before all checks have passed, those of every push."""
    assert RELEASE["jobs"]["image"]["needs"] == "all-checks"
    assert RELEASE["jobs"]["all-checks"]["uses"] == "./.github/workflows/ci.yml"
    checks = yaml.safe_load((FOLDER / "ci.yml").read_text())
    assert "workflow_call" in checks[True]  # YAML takes `on` for true


def test_each_action_is_a_commit() -> None:
    """Whoever moves a tag cannot change what publishes the image."""
    used = re.findall(r"uses: (?!\./)(.*)$", RELEASE_TEXT, re.MULTILINE)
    assert len(used) == 8
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_a_release_may_do_no_more_than_it_must() -> None:
    """By default nothing. Only the job that publishes may publish and sign."""
    assert RELEASE["permissions"] == {}
    assert RELEASE["jobs"]["all-checks"]["permissions"] == {"contents": "read"}
    assert RELEASE["jobs"]["image"]["permissions"] == {
        "contents": "read",
        "packages": "write",
        "id-token": "write",
    }
    assert RELEASE[True] == {"push": {"tags": ["v*"]}}


def test_the_image_is_scanned_before_it_is_published_and_signed_after() -> None:
    """For both kinds of processors, with its parts and its origin."""
    steps = RELEASE["jobs"]["image"]["steps"]
    names = [step.get("uses", step.get("name")).partition("@")[0] for step in steps]
    publish = [step.get("id") for step in steps].index("publish")
    assert names.index("anchore/scan-action") < publish < names.index("Sign it")
    settings = steps[publish]["with"]
    assert settings["platforms"] == "linux/amd64,linux/arm64"
    assert settings["sbom"] is True
    assert settings["provenance"] == "mode=max"
    given = re.findall(r"^(\w+)=", settings["build-args"], re.MULTILINE)
    assert given == re.findall(r"(\w+)=\S*", re.findall(r"^ARG (SOURCE.*)$", DOCKERFILE, re.M)[0])


def test_the_image_archives_days_before_it_is_published() -> None:
    """Snakemake, DuckDB and dbt run in it, and nothing can be written but below the tmpfs.

    Of the script, `simulate` and `run` were run by hand, without a container.
    """
    steps = RELEASE["jobs"]["image"]["steps"]
    [place] = [n for n, step in enumerate(steps) if "homeiot run" in step.get("run", "")]
    assert place < [step.get("id") for step in steps].index("publish")
    command = shlex.split(steps[place]["run"])
    assert {"--read-only", "--cap-drop"} <= set(command)
    mounts = [command[n + 1].partition(":")[0] for n, word in enumerate(command) if "tmpfs" in word]
    assert mounts == ["/tmp", "/app/.snakemake", "/data"]
    set_here = dict(word.split("=") for word in command if re.match("[A-Z_]+=", word))
    places = {name: path for name, path in set_here.items() if name != "TZ"}
    assert set(places) == {"INFLUX_URL", *PLACES}
    assert all(path.startswith("/data/") for path in places.values())
    assert "homeiot run --from 2025-11-09 --to 2025-11-10\n" in command[-1]


def test_a_tag_of_another_version_is_refused(tmp_path: Path) -> None:
    """The step's own script, in a checkout with that version."""
    [script] = [
        step["run"] for step in RELEASE["jobs"]["image"]["steps"] if step.get("id") == "name"
    ]
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n')
    output = tmp_path / "output"
    environment = {"PATH": os.environ["PATH"], "GITHUB_OUTPUT": str(output)}
    environment["GITHUB_REPOSITORY"] = "Some/House"
    answers = {}
    for tag in ("v1.2.4", "v1.2.3"):
        answers[tag] = subprocess.run(
            ["bash", "-e", "-c", script],
            env=environment | {"GITHUB_REF_NAME": tag},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert answers["v1.2.4"].returncode == 1
    assert "the tag is v1.2.4, the version in pyproject.toml 1.2.3" in answers["v1.2.4"].stdout
    assert answers["v1.2.3"].returncode == 0
    assert output.read_text() == "version=1.2.3\nimage=ghcr.io/some/house\n"
