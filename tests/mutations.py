"""Takes each protection out of a copy of the code, one at a time, and shows that a test then fails.

python -m tests.mutations [WORD...]      all, or those whose names hold a word; exit code 1 if a test does not notice
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from homeiot_batch.config import ROOT

PARTS = [
    "Snakefile",
    "config.yaml",
    "dbt",
    "docs",
    "docker-compose.yml",
    "profiles",
    "pyproject.toml",
    "README.md",
    "scripts",
    "tests",
    "workflow",
]
PACKAGE = "scripts/homeiot_batch"


@dataclass(frozen=True)
class Mutation:
    """A protection: where it stands, what stands there without it, and the tests that must notice."""

    name: str
    file: str
    old: str
    new: str
    tests: str


MUTATIONS = [
    Mutation(
        "read: an answer is compared with the server's counts",
        f"{PACKAGE}/influx_reader.py",
        "        if found != expected:\n",
        "        if False:\n",
        "tests/integration/test_failures.py",
    ),
    Mutation(
        "read: what a killed read left is cleared away",
        f"{PACKAGE}/heal.py",
        '    for leftover in layout.staging.glob("tmp-*"):\n        shutil.rmtree(leftover, ignore_errors=True)\n',
        "    return\n",
        "tests/workflow/test_crash_matrix.py -k fetch.written-kill",
    ),
    Mutation(
        "read: a smaller day is refused",
        f"{PACKAGE}/shrink_guard.py",
        '    if not allow_shrink:\n        raise ShrinkError(\n            f"{subject} would shrink',
        '    if False:\n        raise ShrinkError(\n            f"{subject} would shrink',
        "tests/workflow/test_shrink.py -k test_refused",
    ),
    Mutation(
        "read: a day that lacks archived readings is refused",
        f"{PACKAGE}/archive_run.py",
        "if lost := readings_lost(",
        "if lost := 0 * readings_lost(",
        "tests/workflow/test_guards.py -k denser",
    ),
    Mutation(
        "stage: a staged day takes the place of a damaged one",
        f"{PACKAGE}/heal.py",
        '    except ArchiveDamaged:\n        return ""\n',
        '    except ArchiveDamaged:\n        return "an older read"\n',
        "tests/unit/test_heal.py -k whole_one_stays",
    ),
    Mutation(
        "stage: a staged day that lacks a reading of the one in place is dropped",
        f"{PACKAGE}/heal.py",
        "        if lacks or readings_lost(day / PART, staged / PART, dataset)\n",
        "        if lacks\n",
        "tests/unit/test_heal.py -k holds_all_of",
    ),
    Mutation(
        "stage: a day folder is moved away with the files of somebody else, not deleted",
        f"{PACKAGE}/heal.py",
        "    if others := strangers(day):\n",
        "    if others := []:\n",
        "tests/unit/test_heal.py -k beside_a_day",
    ),
    Mutation(
        "declaration: a column that is archived must stay declared",
        f"{PACKAGE}/archive_run.py",
        "    refuse_undeclared_columns(layout, settings)\n",
        "",
        "tests/workflow/test_declarations.py -k mistyped",
    ),
    Mutation(
        "archive: days that are known, and no archive at all, are refused",
        f"{PACKAGE}/heal.py",
        "        known\n        and not layout.identity.exists()",
        "        False\n        and not layout.identity.exists()",
        "tests/workflow/test_lost_days.py -k not_mounted",
    ),
    Mutation(
        "archive: the first days are missed",
        f"{PACKAGE}/layout.py",
        "                *self.loaded_days(dataset),\n",
        "",
        "tests/workflow/test_lost_days.py -k first_archived_days",
    ),
    Mutation(
        "file: a changed description of the columns is damage",
        f"{PACKAGE}/parquet_check.py",
        "        _refuse_other_columns(part, file, record)\n",
        "",
        "tests/unit/test_parquet_check.py -k columns_name",
    ),
    Mutation(
        "file: a file that has changed since it was loaded is not loaded again",
        f"{PACKAGE}/duckdb_writer.py",
        '                refuse_changed(part, metadata, marker["sha256"], load)\n',
        "                pass\n",
        "tests/workflow/test_lost_days.py -k changed_since",
    ),
    Mutation(
        "file: one that cannot be read now is not replaced",
        f"{PACKAGE}/parquet_check.py",
        "        if error.errno is None:",
        "        if True:",
        "tests/workflow/test_lost_days.py -k may_not_be_read",
    ),
    Mutation(
        "Snakemake's delete: the staged day is put in place",
        f"{PACKAGE}/heal.py",
        "            put_in_place(staged, day)\n",
        "            shutil.rmtree(staged)\n",
        "tests/workflow/test_crash_matrix.py -k extract.before_rename-kill",
    ),
    Mutation(
        "Snakemake's delete: a folder without its file is no day",
        f"{PACKAGE}/heal.py",
        "    if not is_there(day / PART):\n",
        "    if not is_there(day):\n",
        "tests/workflow/test_crashes.py -k killed_inside_snakemakes_delete",
    ),
    Mutation(
        "rename: what is in place stays, although its job fails",
        "profiles/default/config.yaml",
        "keep-incomplete: true",
        "keep-incomplete: false",
        "tests/workflow/test_crash_matrix.py -k extract.renamed-exception",
    ),
    Mutation(
        "rename: a log that cannot be written fails no job",
        f"{PACKAGE}/archive_run.py",
        '            with contextlib.suppress(OSError):\n                fault_points.reach("extract.renamed',
        '            with contextlib.suppress(KeyError):\n                fault_points.reach("extract.renamed',
        "tests/workflow/test_crash_matrix.py -k extract.renamed-disk_full",
    ),
    Mutation(
        "delete, insert: one transaction",
        f"{PACKAGE}/database.py",
        "    connection.begin()\n    try:\n        yield\n        connection.commit()\n",
        "    try:\n        yield\n",
        "tests/workflow/test_crash_matrix.py -k load.deleted-kill",
    ),
    Mutation(
        "insert: the table is compared with the file before the commit",
        f"{PACKAGE}/duckdb_writer.py",
        "            _compare(connection, part, dataset, day, record)\n",
        "",
        "tests/unit/test_duckdb_writer.py -k do_not_arrive",
    ),
    Mutation(
        "insert: damaged pages are not loaded",
        f"{PACKAGE}/duckdb_writer.py",
        "    check_part(part, record, day)\n",
        "",
        "tests/workflow/test_database.py -k page_checksums",
    ),
    Mutation(
        "commit: loading again replaces",
        f"{PACKAGE}/duckdb_writer.py",
        'f"DELETE FROM {quoted(dataset.name)} WHERE ts_utc >= ? AND ts_utc < ?"',
        'f"DELETE FROM {quoted(dataset.name)} WHERE ts_utc >= ? AND ts_utc < ? AND false"',
        "tests/workflow/test_crash_matrix.py -k load.committed-kill",
    ),
    Mutation(
        "marker: counts only with its load in the database",
        f"{PACKAGE}/heal.py",
        '    if load_id is None or marker.get("load_id") != load_id:\n',
        "    if load_id is None:\n",
        "tests/workflow/test_reruns.py -k older_copy",
    ),
    Mutation(
        "marker: counts only for the file that was loaded",
        f"{PACKAGE}/heal.py",
        '    if part.exists() and marker.get("file") != file_stamp(part):\n',
        "    if False:\n",
        "tests/unit/test_heal.py",
    ),
    Mutation(
        "marker: dbt hears of every load",
        f"{PACKAGE}/archive_run.py",
        '            write_json(self.layout.last_load, {"load_id": load.load_id})\n',
        "",
        "tests/workflow/test_reruns.py",
    ),
    Mutation(
        "dbt: keeps the run's lock when the run is killed",
        f"{PACKAGE}/dbt_build.py",
        "            pass_fds=run_lock.descriptors(),\n",
        "",
        "tests/workflow/test_crashes.py -k killed_in_dbt",
    ),
    Mutation(
        "dbt: built only from all archived days",
        f"{PACKAGE}/archive_run.py",
        "] + self._unloaded(\n            {SHIPPED_DATASET}\n        )\n",
        "]\n",
        "tests/workflow/test_database.py -k never_built_from_a_part",
    ),
    Mutation(
        "dbt: a build counts only if the database records it",
        f"{PACKAGE}/heal.py",
        "    if build_id is None or build_id != build:\n",
        "    if False:\n",
        "tests/workflow/test_reruns.py -k before_its_build",
    ),
    Mutation(
        "read copy: the files of a generation do not change",
        f"{PACKAGE}/read_copy.py",
        "    return folder\n\n\ndef _write",
        "    return layout.parquet\n\n\ndef _write",
        "tests/unit/test_read_copy.py -k does_not_change",
    ),
    Mutation(
        "read copy: replaced by one rename",
        f"{PACKAGE}/read_copy.py",
        "        new.replace(self._current)\n",
        "        self._current.unlink(missing_ok=True)\n        import time; time.sleep(0.3)\n        new.replace(self._current)\n",
        "tests/workflow/test_read_copy.py -k complete_state",
    ),
    Mutation(
        "read copy: a generation that is open stays",
        f"{PACKAGE}/read_copy.py",
        "                and lock_holder(self.file(generation)) is None\n",
        "",
        "tests/unit/test_read_copy.py -k somebody_has_it_open",
    ),
    Mutation(
        "read copy: former generations stay for some days without a lock",
        f"{PACKAGE}/read_copy.py",
        "KEPT, KEPT_FOR, MOST = 3, timedelta(days=3), 24",
        "KEPT, KEPT_FOR, MOST = 1, timedelta(0), 24",
        "tests/workflow/test_read_copy.py -k complete_state",
    ),
    Mutation(
        "read copy: each database has its own generations",
        f"{PACKAGE}/read_copy.py",
        "bytes(database.resolve())",
        "bytes(database.name, 'utf-8')",
        "tests/unit/test_read_copy.py -k two_databases",
    ),
    Mutation(
        "read copy: a failed publication gives its room back",
        f"{PACKAGE}/read_copy.py",
        "        place.drop(generation)\n        raise\n",
        "        raise\n",
        "tests/unit/test_read_copy.py -k gives_its_room_back",
    ),
    Mutation(
        "read copy: what a killed publication left is removed",
        f"{PACKAGE}/read_copy.py",
        "    place.drop_unfinished()\n",
        "",
        "tests/unit/test_read_copy.py -k killed_publication",
    ),
    Mutation(
        "read copy: only the tables that dbt built are published",
        f"{PACKAGE}/read_copy.py",
        "        _refuse_other_build(connection, settings, layout)\n",
        "",
        "tests/unit/test_read_copy.py -k are_not_published",
    ),
    Mutation(
        "read copy: published again where its views name another place",
        f"{PACKAGE}/read_copy.py",
        'or marker.get("base") != base or',
        "or",
        "tests/unit/test_read_copy.py -k moved",
    ),
    Mutation(
        "read copy: a reader's log of writes does not meet the next generation",
        f"{PACKAGE}/read_copy.py",
        "        _log_of(self._current).unlink(missing_ok=True)",
        "        pass",
        "tests/unit/test_read_copy.py -k written_to",
    ),
    Mutation(
        "read copy: tables come after the days of every dataset",
        "workflow/rules/dbt.smk",
        "    priority: -1  # with all threads: after everything else, also what it does not need\n    threads: workflow.cores\n",
        "    priority: 1\n",
        "tests/workflow/test_read_copy.py -k tables_come_after",
    ),
    Mutation(
        "read copy: published again where it is gone",
        f"{PACKAGE}/heal.py",
        "        layout.read_marker.unlink(missing_ok=True)\n",
        "        pass\n",
        "tests/workflow/test_read_copy.py -k follows_the_tables",
    ),
    Mutation(
        "report: a page is put in place by one rename",
        f"{PACKAGE}/files.py",
        "        part.replace(path)\n",
        '        path.write_text(text, encoding="utf-8")\n',
        "tests/report/test_page.py -k replaced_whole",
    ),
    Mutation(
        "report: a day without a row is no data",
        f"{PACKAGE}/report/figures.py",
        "FROM calendar LEFT JOIN fct_daily_energy",
        "FROM calendar JOIN fct_daily_energy",
        "tests/report/test_figures.py -k table_of_days",
    ),
    Mutation(
        "report: a name is text",
        f"{PACKAGE}/report/build.py",
        "autoescape=True",
        "autoescape=False",
        "tests/report/test_page.py -k name_is_text",
    ),
    Mutation(
        "report: written again where it is gone",
        f"{PACKAGE}/heal.py",
        "        layout.report_marker.unlink(missing_ok=True)\n",
        "        pass\n",
        "tests/workflow/test_report.py -k follows_the_tables",
    ),
    Mutation(
        "runs: one at a time",
        f"{PACKAGE}/run_lock.py",
        "            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)\n",
        "",
        "tests/workflow/test_zone_and_lock.py -k second_run_refuses",
    ),
    Mutation(
        "database: a damaged one is set aside",
        f"{PACKAGE}/heal.py",
        "    except DatabaseDamaged as error:\n        return str(error)\n",
        "    except DatabaseDamaged:\n        return ''\n",
        "tests/workflow/test_database.py -k set_aside_and_built_again",
    ),
    Mutation(
        "night: damaged files in the window are read again",
        f"{PACKAGE}/nightly.py",
        "            plan.forced.append(str(layout.day(dataset, day)))\n\n\ndef _is_done",
        "\n\ndef _is_done",
        "tests/workflow/test_database.py -k read_again_by_the_night",
    ),
]


def main(words: list[str]) -> int:
    """Try the mutations; how many were not noticed."""
    unnoticed = 0
    for mutation in MUTATIONS:
        if words and not any(word in mutation.name for word in words):
            continue
        started = time.monotonic()
        noticed = is_noticed(mutation)
        unnoticed += not noticed
        print(
            f"{'noticed' if noticed else 'NOT NOTICED':<12} {mutation.name} ({mutation.tests}, {time.monotonic() - started:.0f} s)",
            flush=True,
        )
    return unnoticed


def is_noticed(mutation: Mutation) -> bool:
    """Whether a test fails (not: cannot be run) in a copy of the project without the protection."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for part in PARTS:
            (shutil.copytree if (ROOT / part).is_dir() else shutil.copy)(ROOT / part, copy / part)
        file = copy / mutation.file
        file.write_text(file.read_text().replace(mutation.old, mutation.new))
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "2", *mutation.tests.split()]
        env = os.environ | {"PYTHONPATH": str(copy / "scripts"), "INTEGRATION_TESTS": "1"}
        done = subprocess.run(
            command, cwd=copy, env=env, capture_output=True, text=True, check=False
        )
        return done.returncode != 0 and "\nFAILED " in done.stdout


if __name__ == "__main__":
    raise SystemExit(min(main(sys.argv[1:]), 1))
