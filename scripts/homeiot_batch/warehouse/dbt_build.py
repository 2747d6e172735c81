"""Runs `dbt build` on the DuckDB file, in a process of its own.

Inside ours, dbt would keep the file open to the end.
"""

import contextlib
import json
import re
import shutil
import signal
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from homeiot_batch.config import ROOT, SHIPPED_DATASET, Settings, environment_without_secrets
from homeiot_batch.core.meter_series import Reports, SeriesKey
from homeiot_batch.errors import BuildError, DatabaseDamaged, DatabaseError
from homeiot_batch.warehouse.database import is_damage, open_database
from homeiot_batch.warehouse.dbt_failures import (
    FAILED,
    LONGEST_REASON,
    MOST_ROWS,
    WARNED,
    Row,
    describe,
    lacking_columns,
)
from homeiot_batch.warehouse.dbt_process import DbtProcess
from homeiot_batch.warehouse.dbt_results import delete_results, read_manifest, read_results
from homeiot_batch.warehouse.table_vars import table_vars

CLOCK = re.compile(r"^\d\d:\d\d:\d\d +")  # before each line that dbt writes
# where dbt notes the project as it has parsed it, when it is called by hand or by the tests
PARSE = ROOT / "dbt/target/partial_parse.msgpack"
ENCOUNTERED = "Encountered an error:"


def start_early(settings: Settings) -> DbtProcess | None:
    """Start dbt's process, which then waits for `build_models`. None where it cannot be early."""
    if has_unbuildable_name(settings.duckdb_path):
        return None
    return DbtProcess(dbt_environment(settings))


def build_models(
    settings: Settings,
    log: Path,
    target: Path,
    learned: Mapping[SeriesKey, Reports] = MappingProxyType({}),
    early: DbtProcess | None = None,
) -> list[str]:
    """Build and test all models, in the process that was started early or in a new one.

    Returns what tests warn of, a line each. `learned` says how registers are written whose meters
    do not say it. dbt's own output goes to `log`, its notes to the folder `target`. BuildError if a
    model or test fails, DatabaseDamaged if DuckDB finds its file damaged.
    """
    file = settings.duckdb_path.resolve()
    if has_unbuildable_name(file):
        found = f"dbt cannot open {str(file)!r}: its name holds #, ; or a line break"
        raise BuildError([f"{found}; rename the file, and set DUCKDB_PATH to its new name"])
    target = target.absolute()
    delete_results(target)
    begin_with_parse_of_checkout(target)
    if early and not early.is_ready():
        early.stop()
        early = None
    early = early or DbtProcess(dbt_environment(settings))
    code = early.run(_arguments(target, table_vars(settings, learned)), file.parent, log)
    if code:
        raise _failure(settings, log, target, code)
    return _described(settings, target, WARNED)


def _failure(
    settings: Settings, log: Path, target: Path, code: int
) -> BuildError | DatabaseDamaged:
    if is_damage(log.read_text(errors="replace")):
        return DatabaseDamaged(
            f"{settings.duckdb_path} is damaged, dbt build failed; "
            "the next run sets it aside and builds it again from the archive"
        )
    problems = _problems(settings, log, target, code)
    return BuildError([f"{problem}; all that dbt said is in {log}" for problem in problems])


def has_unbuildable_name(path: Path) -> bool:
    """Whether dbt would take the database's name for another one."""
    return re.search("[#;\n\r\t]", path.resolve().name) is not None


def begin_with_parse_of_checkout(target: Path) -> None:
    """Let dbt begin with its notes of the project in the checkout, if it has none of its own.

    To parse the project takes some seconds. dbt takes from such notes only what still holds.
    """
    own = target / PARSE.name
    with contextlib.suppress(OSError):  # it only saves time
        if PARSE.exists() and not own.exists():
            own.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PARSE, own)


def _arguments(target: Path, variables: Mapping[str, object]) -> list[str]:
    project = ROOT / "dbt"
    return [
        "--no-use-colors",
        "build",
        "--exclude-resource-type",
        "unit_test",  # they test the models, not the data
        "--project-dir",
        str(project),
        "--profiles-dir",
        str(project),
        "--vars",
        json.dumps(variables),
        "--target-path",
        str(target),
        "--log-path",
        str(target),
    ]


def _problems(settings: Settings, log: Path, target: Path, code: int) -> list[str]:
    """What failed, a line each. Never none."""
    dataset = settings.datasets.get(SHIPPED_DATASET)
    if dataset is not None:
        lacking = lacking_columns(read_manifest(target), dataset.name, dataset.columns())
        if lacking:
            lacks = f"{dataset.name} lacks {', '.join(lacking)}, which the tables are built from"
            return [f"{lacks}; declare in config.yaml what is missing"]
    return _described(settings, target, FAILED) or [_stopped(log, code)]


def _described(settings: Settings, target: Path, statuses: Collection[str]) -> list[str]:
    """One line for each result of these statuses."""
    results = [result for result in read_results(target) if result.status in statuses]
    if not results:
        return []
    return describe(results, read_manifest(target), statuses, partial(_rows, settings))


def _rows(settings: Settings, query: str) -> list[Row]:
    """A few rows of the query, or none where the database cannot be asked now."""
    with contextlib.suppress(DatabaseError), open_database(settings.duckdb_path) as connection:
        connection.execute(f"FROM (\n{query}\n) LIMIT {MOST_ROWS}")
        columns = connection.description or ()
        names = [name for name, *_ in columns]
        return [dict(zip(names, row, strict=True)) for row in connection.fetchall()]
    return []


def _stopped(log: Path, code: int) -> str:
    """Why dbt ended without results."""
    if code < 0:
        name = signal.Signals(-code).name
        return f"dbt was ended by {name}; run again, and give it more memory if it was not you"
    reason = _last_words(log.read_text(errors="replace")) or "no reason given"
    return f"dbt stopped: {reason}; correct what it names, and run again"


def _last_words(output: str) -> str:
    """The error that dbt names, on one line, or the last line of its output."""
    lines = [CLOCK.sub("", line) for line in output.splitlines()]
    # without the line before its own error it ended by one of Python's, which stands last
    error = lines[-1:]
    if ENCOUNTERED in lines:
        start = lines.index(ENCOUNTERED) + 1
        error = lines[start:]
    words = " ".join(error).split()
    return " ".join(words)[:LONGEST_REASON]


def dbt_environment(settings: Settings) -> dict[str, str]:
    """The environment of dbt's process, without secrets."""
    environment = environment_without_secrets()
    # seen from its folder, as dbt takes a path for an address, which ends at a # or ;. It names the
    # database by the last part of the path, while DuckDB names it by the file a link leads to
    environment["DUCKDB_PATH"] = f"./{settings.duckdb_path.resolve().name}"
    environment["DUCKDB_MEMORY_LIMIT"] = settings.duckdb_memory_limit
    environment["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
    return environment
