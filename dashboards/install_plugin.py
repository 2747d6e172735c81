"""Puts Grafana's data source for DuckDB into a folder. The Dockerfile beside this file calls it.

usage: install_plugin.py URL SHA256 FOLDER [ARCHITECTURE]

The archive must have the checksum, unless that is empty. Of the programs in it, that of the
architecture (amd64, arm64) stays, or all without one.
"""

import hashlib
import io
import sys
import urllib.request
import zipfile
from pathlib import Path

PROGRAM = "gpx_duckdb_datasource"


def install(url: str, sha256: str, folder: Path, architecture: str) -> None:
    """Download, check and unpack.

    SystemExit, with nothing in the folder, if the checksum differs or the program is missing.
    """
    with urllib.request.urlopen(url, timeout=300) as answer:  # noqa: S310 (it is the Dockerfile's)
        content = answer.read()
    found = hashlib.sha256(content).hexdigest()
    if sha256 and found != sha256:
        sys.exit(f"error: {url} has the checksum {found}, not {sha256}; nothing was installed")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        wanted = [name for name in archive.namelist() if is_wanted(name, architecture)]
        programs = [name for name in wanted if PROGRAM in name]
        if not programs:
            sys.exit(f"error: {url} has no program for {architecture}; nothing was installed")
        archive.extractall(folder, wanted)
    for name in programs:
        (folder / name).chmod(0o755)
    print(f"{url} has the checksum {found}")


def is_wanted(name: str, architecture: str) -> bool:
    """Whether a file of the archive is kept."""
    if PROGRAM not in name or not architecture:
        return True
    return name.endswith(f"{PROGRAM}_linux_{architecture}")


if __name__ == "__main__":
    where, checksum, target, *rest = sys.argv[1:]
    install(where, checksum, Path(target), rest[0] if rest else "")
