"""The commands of the second copy as a user gives them, each a process of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping

from homeiot_batch.config import ROOT, Settings

PLACES = ("parquet_base_dir", "marker_dir", "report_dir", "duckdb_path", "house_dir", "tz")


def environment(settings: Settings, **more: str) -> Mapping[str, str]:
    """The environment that gives the settings, and none of the machine's."""
    inherited = {k: v for k, v in os.environ.items() if k.lower() not in Settings.model_fields}
    places = {name.upper(): str(getattr(settings, name)) for name in PLACES}
    return inherited | places | {"MIRROR_URL": str(settings.mirror_url)} | more


def start(settings: Settings, *arguments: str, **more: str) -> "subprocess.Popen[str]":
    """Start `homeiot ARGUMENTS`."""
    return subprocess.Popen(
        [sys.executable, "-m", "homeiot_batch", *arguments],
        cwd=ROOT,
        env=environment(settings, **more),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def homeiot(settings: Settings, *arguments: str, **more: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `homeiot ARGUMENTS`."""
    process = start(settings, *arguments, **more)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err
