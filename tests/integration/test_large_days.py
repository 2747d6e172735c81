"""The memory of a run does not grow with its day."""

import subprocess
import sys
from pathlib import Path

READINGS = 2_000_000
PEAK_MB = 420  # Python and its libraries alone take 120


def test_a_large_day_fits_into_little_memory(tmp_path: Path, clean_environment: None) -> None:
    """Read, proven, loaded, and compared with its table and an archived file, never all at once."""
    command = [sys.executable, "-m", "tests.integration.large_day", str(tmp_path), str(READINGS)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.splitlines()[-1]) < PEAK_MB
