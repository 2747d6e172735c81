"""dashboards/install_plugin.py, from a server of this machine."""

import functools
import hashlib
import http.server
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dashboards.grafana import FOLDER

ID, PROGRAM = "motherduck-duckdb-datasource", "gpx_duckdb_datasource_linux"
FILES = (
    "plugin.json",
    f"{PROGRAM}_amd64",
    f"{PROGRAM}_arm64",
    "gpx_duckdb_datasource_darwin_arm64",
)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive with the files that matter, as its maker builds it."""
    served = tmp_path / "served"
    served.mkdir()
    with zipfile.ZipFile(served / "plugin.zip", "w") as made:
        for name in FILES:
            made.writestr(f"{ID}/{name}", name)
    return served / "plugin.zip"


@pytest.fixture
def url(archive: Path) -> Iterator[str]:
    """Where it can be had."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=archive.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/plugin.zip"
        server.shutdown()


def install(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command of the Dockerfile."""
    command = [sys.executable, str(FOLDER / "install_plugin.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_program_of_one_architecture_is_installed(
    archive: Path, url: str, tmp_path: Path
) -> None:
    """It can be run. Without a checksum, the one of the archive is shown."""
    done = install(url, "", str(tmp_path / "plugins"), "arm64")
    checksum = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert (done.returncode, done.stdout) == (0, f"{url} has the checksum {checksum}\n")
    folder = tmp_path / "plugins" / ID
    assert {file.name for file in folder.iterdir()} == {"plugin.json", f"{PROGRAM}_arm64"}
    assert (folder / f"{PROGRAM}_arm64").stat().st_mode & 0o777 == 0o755
    assert install(url, checksum, str(tmp_path / "again")).returncode == 0
    assert {file.name for file in (tmp_path / "again" / ID).iterdir()} == set(FILES)


def test_another_archive_is_refused(archive: Path, url: str, tmp_path: Path) -> None:
    """Nothing is installed of one with another checksum, or without the program."""
    wrong = install(url, "0" * 64, str(tmp_path / "plugins"), "amd64")
    checksum = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert wrong.returncode == 1
    assert wrong.stderr == (
        f"error: {url} has the checksum {checksum}, not {'0' * 64}; nothing was installed\n"
    )
    other = install(url, "", str(tmp_path / "plugins"), "riscv64")
    assert other.stderr == f"error: {url} has no program for riscv64; nothing was installed\n"
    assert not (tmp_path / "plugins").exists()
