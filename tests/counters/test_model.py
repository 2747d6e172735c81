"""The judge as a dbt model in Python needs little memory: it imports no library of tables."""

import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

from tests.dbt.meters import Archive

BEGIN = datetime(2026, 11, 8, 15)  # UTC


def test_the_model_imports_no_pyarrow(tmp_path: Path) -> None:
    """Neither what it calls nor the code that dbt adds to it does."""
    archive = Archive(tmp_path / "home_energy.duckdb")
    archive.load((BEGIN + timedelta(hours=n), "a", 1.0, 100.0 + n, None) for n in range(24))
    archive.build()
    [model] = (tmp_path / "target" / "run").rglob("int_counter_judged.py")
    assert "pyarrow" not in model.read_text()
    looks = "import sys, homeiot_batch.counters.model; print('pyarrow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", looks], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
