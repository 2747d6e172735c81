"""What a run hands on to the programs that it starts: variables, and the database's path."""

import os
from pathlib import Path

import pytest

from homeiot_batch.config import Settings
from homeiot_batch.core.environment import plain_environment
from homeiot_batch.errors import BuildError
from homeiot_batch.warehouse.dbt_build import build_models

OPTIONS = [
    "DBT_EMPTY",
    "DBT_ENGINE_SAMPLE",
    "DBT_LOG_PATH",
    "DBT_TARGET_PATH",
    "PYTHONINSPECT",
    "PYTHONOPTIMIZE",
    "PYTHONWARNINGS",
    "SNAKEMAKE_CONDA_PREFIX",
    "SNAKEMAKE_PROFILE",
]
OTHERS = ["HOME", "INFLUX_URL", "PYTHONPATH", "TZ"]


def test_options_are_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Python finds its modules, and all else, is."""
    for name in [*OPTIONS, *OTHERS]:
        monkeypatch.setenv(name, name.lower())
    handed_on = plain_environment()
    assert {name: handed_on.get(name) for name in OTHERS} == {n: n.lower() for n in OTHERS}
    assert os.environ.keys() - handed_on.keys() >= set(OPTIONS)


@pytest.mark.parametrize("name", ["a#b.duckdb", "a;b.duckdb", "a\nb.duckdb"])
def test_dbt_is_not_started_on_a_name_that_it_cuts(
    name: str, settings: Settings, tmp_path: Path
) -> None:
    """One line with what to do, also where a plain link leads to such a file."""
    file, link = tmp_path / name, tmp_path / "house.duckdb"
    link.symlink_to(file)
    for path in (file, link):
        odd = settings.model_copy(update={"duckdb_path": path})
        with pytest.raises(BuildError) as error:
            build_models(odd, tmp_path / "dbt.log", tmp_path / "target")
        assert str(error.value) == (
            f"dbt cannot open {str(file)!r}: its name holds #, ; or a line break; "
            "rename the file, and set DUCKDB_PATH to its new name"
        )
    assert not (tmp_path / "dbt.log").exists()
