"""Takes each protection out of a copy of the code, one at a time, and shows that a test then fails.

python -m tests.mutations [WORD...]

All, or those whose names hold a word. The exit code is 1 if a test does not notice.
"""

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from homeiot_batch import config
from homeiot_batch.archive import day_file, file_times, parquet_writer, run_lock, shrink_guard
from homeiot_batch.archive.day_bounds import DayBounds
from homeiot_batch.archive.day_file import Proof
from homeiot_batch.archive.shrink_guard import ShrinkGuard
from homeiot_batch.commands import night, run
from homeiot_batch.config import ROOT, Settings
from homeiot_batch.core import environment, files, inventory
from homeiot_batch.counters import archive, glitches, judge, power, steps
from homeiot_batch.counters.state import State
from homeiot_batch.counters.steps import Steps
from homeiot_batch.errors import ArchiveDamaged, DatabaseDamaged
from homeiot_batch.export import places, sheet
from homeiot_batch.export import queries as export_queries
from homeiot_batch.export.job import Job
from homeiot_batch.export.readings import Readings
from homeiot_batch.messages import at_night, day_faults
from homeiot_batch.messages import night as messages_of_night
from homeiot_batch.report import page, queries
from homeiot_batch.second_copy import (
    check,
    contents,
    house_settings,
    identity,
    mirror,
    proof,
    restore,
)
from homeiot_batch.second_copy.choice import choose
from homeiot_batch.second_copy.contents import SecondCopy
from homeiot_batch.second_copy.folder_place import FolderPlace
from homeiot_batch.second_copy.names import Version
from homeiot_batch.setup_house import choice, house_file, proposal
from homeiot_batch.sources import influx_reader
from homeiot_batch.sources.export_reader import ExportReader
from homeiot_batch.sources.exports import evidence as export_evidence
from homeiot_batch.sources.exports.coverage import Coverage
from homeiot_batch.sources.exports.evidence import Evidence
from homeiot_batch.sources.exports.scan import ExportPass
from homeiot_batch.sources.exports.sections import Section
from homeiot_batch.sources.influx_reader import InfluxReader
from homeiot_batch.sources.influxdb import (
    pieces,
    read_ahead,
    supported_servers,
    uniform_rows,
    untrusted_msgpack,
)
from homeiot_batch.sources.influxdb.client import InfluxClient
from homeiot_batch.warehouse import (
    build_inputs,
    comparison,
    database,
    duckdb_writer,
    learned_reports,
    meter_tables,
    read_copy,
)
from homeiot_batch.warehouse.dbt_process import DbtProcess
from homeiot_batch.warehouse.file_columns import FileColumns
from homeiot_batch.workflow import cluster, cluster_jobs, preflight, recovery, rereads, start
from homeiot_batch.workflow.early_start import EarlyWorkflow
from homeiot_batch.workflow.run import Run
from tests.patches import (
    Patch,
    body,
    expression,
    gives,
    handler,
    instead,
    keyword,
    text,
    without,
    without_raise,
    wording,
)

PARTS = [
    "Snakefile",
    "collect",
    "config.yaml",
    "dbt",
    "docs",
    "docker-compose.yml",
    "page",
    "profiles",
    "pyproject.toml",
    "README.md",
    "scripts",
    "tests",
    "workflow",
]


@dataclass(frozen=True)
class Mutation:
    """A protection: the patch that takes it out, and the tests that must notice."""

    name: str
    patch: Patch
    tests: str


MUTATIONS = [
    Mutation(
        "copy: a day is copied only if its file is the one that was loaded",
        body(mirror.refuse_unproven, "pass"),
        "tests/second_copy/test_mirror.py -k 'damaged_day or not_loaded'",
    ),
    Mutation(
        "copy: a day with less than the copy's is not its newest version",
        body(mirror.refuse_less, "pass"),
        "tests/second_copy/test_mirror.py -k with_less",
    ),
    Mutation(
        "copy: an older day in the archive does not pass for the newest",
        body(mirror.refuse_older, "pass"),
        "tests/second_copy/test_mirror.py -k older_day",
    ),
    Mutation(
        "copy: a file is read back after it was written",
        without(SecondCopy.add, "self.read"),
        "tests/second_copy/test_mirror.py -k while_it_is_written",
    ),
    Mutation(
        "copy: a file that is cut short does not count",
        instead(contents.read_copy, "copy.bad[name] =", "pass"),
        "tests/second_copy/test_check.py -k each_damage",
    ),
    Mutation(
        "copy: its lists show what is missing",
        without(contents.read_copy, "_miss"),
        "tests/second_copy/test_check.py -k 'each_damage or older_version'",
    ),
    Mutation(
        "copy: its content is compared with the checksum in its name",
        body(Version.is_of, "return True"),
        "tests/second_copy/test_check.py -k each_damage",
    ),
    Mutation(
        "copy: a number is given once, so no file is overwritten",
        body(SecondCopy.next_number, "return 1"),
        "tests/second_copy/test_mirror.py -k 'beside or set_back'",
    ),
    Mutation(
        "copy: a place that lost the copy, or has another house's, is refused",
        body(identity.require_own_copy, "pass"),
        "tests/second_copy/test_mirror.py -k 'lost_the_copy or another_house'",
    ),
    Mutation(
        "copy: a file gets its name when it is whole",
        instead(FolderPlace.write, "part = ", "part = target"),
        "tests/second_copy/test_mirror.py -k half_written",
    ),
    Mutation(
        "restore: only onto an empty machine",
        body(restore.refuse_what_is_there, "pass"),
        "tests/second_copy/test_restore.py -k only_an_empty",
    ),
    Mutation(
        "restore: an older version is not taken for a damaged one without --older",
        expression(choose, "takes_older", "True"),
        "tests/second_copy/test_restore.py -k damage_is_not",
    ),
    Mutation(
        "restore: the days go where the restored settings look for them",
        body(house_settings.settings_to_restore, "return settings"),
        "tests/second_copy/test_restore_in_place.py -k 'restored_settings or damaged_settings'",
    ),
    Mutation(
        "restore: another file in a day's place does not pass for the copy's",
        without_raise(restore._put),
        "tests/second_copy/test_restore_in_place.py -k another_content",
    ),
    Mutation(
        "restore: a day in place is not replaced by an older version",
        body(restore._is_newest, "return False"),
        "tests/second_copy/test_restore_in_place.py -k newest_day_in_place",
    ),
    Mutation(
        "restore: no days of another zone than the one in place",
        body(restore.refuse_zone_in_place, "pass"),
        "tests/second_copy/test_restore_in_place.py -k another_zone",
    ),
    Mutation(
        "copy: a copy without lists does not pass for a whole one",
        body(check._judge_lists, "pass"),
        "tests/second_copy/test_lists.py -k 'without_any or in_no_list'",
    ),
    Mutation(
        "copy: the house expects the lists that it wrote",
        without(identity.require_own_copy, "expect_lists"),
        "tests/second_copy/test_lists.py -k how_many",
    ),
    Mutation(
        "copy: a file is of the day that its path names",
        body(proof.day_fault, "return ''"),
        "tests/second_copy/test_misplaced.py -k 'it_is'",
    ),
    Mutation(
        "copy: a copy that lost its identity is open to its own house only",
        body(identity._refuse_another_house, "pass"),
        "tests/second_copy/test_identity.py -k no_other_house",
    ),
    Mutation(
        "restore: no run starts before it is finished",
        without(start._take_over, preflight.refuse_unfinished_restore),
        "tests/workflow/test_second_copy.py",
    ),
    Mutation(
        "init: a file that is there is replaced with --force only",
        without_raise(house_file.refuse_existing),
        "tests/setup_house/test_command.py -k existing",
    ),
    Mutation(
        "init: a replaced file is kept as a copy",
        without(house_file.replace_file, "_copied"),
        "tests/setup_house/test_command.py -k existing",
    ),
    Mutation(
        "init: what was declared stays declared",
        body(proposal._with_former, "return dict(datasets)"),
        "tests/setup_house/test_command.py -k existing",
    ),
    Mutation(
        "init: of two devices that may be the grid's none is taken",
        body(choice._keep_one, "pass"),
        "tests/setup_house/test_schemas.py -k not_clear",
    ),
    Mutation(
        "init: registers that nothing shows to be parts of a whole are not added",
        body(choice._whole, "return list(candidates)"),
        "tests/setup_house/test_schemas.py -k not_clear",
    ),
    Mutation(
        "read: an answer is compared with the server's counts",
        without_raise(InfluxReader.read),
        "tests/integration/test_failures.py -k spoiled_answer",
    ),
    Mutation(
        "read: rows are read as columns only if their forms repeat",
        body(uniform_rows._repeats, "return True"),
        "tests/sources/influxdb/test_uniform_rows.py",
    ),
    Mutation(
        "read: an answer in msgpack ends with a whole document",
        without_raise(untrusted_msgpack.unpacked, 3),
        "tests/sources/influxdb/test_untrusted_msgpack.py",
    ),
    Mutation(
        "read: an error of the thread that reads ahead is raised",
        without_raise(read_ahead._Thread.arrived),
        "tests/sources/influxdb/test_read_ahead.py",
    ),
    Mutation(
        "read: a server that falls silent does not hold who gives up",
        without(read_ahead._Thread.stop, "interrupt()"),
        "tests/sources/influxdb/test_read_ahead.py -k given_up",
    ),
    Mutation(
        "read: a double is finite",
        gives(influx_reader._as_it_is, "is_finite", "pa.array([True])"),
        "tests/sources/test_influx_reader.py",
    ),
    Mutation(
        "read: a float that the server may have rounded is no integer",
        without_raise(influx_reader._as_integer),
        "tests/sources/test_influx_reader.py -k where_an_integer",
    ),
    Mutation(
        "run: after Ctrl-C no further batch of days is started",
        without(EarlyWorkflow.run, "kill"),
        "tests/workflow/test_early_start.py -k between",
    ),
    Mutation(
        "run: one that was ended is no success",
        expression(run.run_workflow, "workflow.was_ended", "False"),
        "tests/commands/test_run.py -k ended",
    ),
    Mutation(
        "messages: what goes wrong in them fails no night",
        handler(at_night._tell, Exception, "raise"),
        "tests/messages/test_at_night.py -k one_warning",
    ),
    Mutation(
        "messages: a failed day is over only if the archived one is proven",
        without(day_faults._over, "prove_day"),
        "tests/messages/test_night.py -k proven",
    ),
    Mutation(
        "messages: what could not be sent is not noted as told",
        expression(messages_of_night._send, "reason", "False"),
        "tests/messages/test_night.py -k told_later",
    ),
    Mutation(
        "read: InfluxDB 3 has no rows only if it says so in one piece",
        instead(InfluxClient._whole, "in_chunks=False", "pass"),
        "tests/sources/influxdb/test_pieces.py -k empty_day",
    ),
    Mutation(
        "read: the pieces of a day that InfluxDB 3 is asked for join",
        expression(pieces._halves, "Span(middle, span.end_ns)", "Span(middle + 1, span.end_ns)"),
        "tests/sources/influxdb/test_pieces.py -k in_pieces",
    ),
    Mutation(
        "read: a server that ignores the retention policy is refused",
        without_raise(supported_servers.refuse_unsupported),
        "tests/sources/influxdb/test_pieces.py -k policies",
    ),
    Mutation(
        "clock: a day is read only if it is over by the server's clock",
        without(InfluxReader.read, "refuse_unfinished"),
        "tests/integration/test_wrong_clock.py -k over_by_the_server",
    ),
    Mutation(
        "clock: a day that was read before it was over is read again",
        without(start._take_over, rereads.find_early_reads),
        "tests/workflow/test_early_reads.py -k range",
    ),
    Mutation(
        "clock: days that are archived empty are asked for again",
        without(night.plan_night, night._look_for_empty_days),
        "tests/integration/test_wrong_clock.py -k outage",
    ),
    Mutation(
        "read: a tag is asked for as a tag",
        body(influx_reader._as_tag, "return quote_ident(name)"),
        "tests/integration/test_fields_like_tags.py -k another_day",
    ),
    Mutation(
        "read: a day with a field named like a tag is refused",
        body(InfluxReader._refuse_field_named_like_a_tag, "return"),
        "tests/integration/test_fields_like_tags.py -k on_the_day",
    ),
    Mutation(
        "read: what a killed read left is cleared away",
        body(recovery._drop_parts, "return"),
        "tests/workflow/test_crash_matrix.py -k fetch.written-kill",
    ),
    Mutation(
        "read: a smaller day is refused",
        without_raise(ShrinkGuard.permit, 2),
        "tests/workflow/test_shrink.py -k test_refused",
    ),
    Mutation(
        "a permission to shrink holds for its days alone",
        instead(Settings.may_shrink, "self.start <= day <= self.end", "True"),
        "tests/workflow/test_shrink.py -k days_alone",
    ),
    Mutation(
        "read: a day that lacks archived readings is refused",
        gives(ShrinkGuard.permit_losses, shrink_guard.readings_lost, "0"),
        "tests/workflow/test_guards.py -k denser",
    ),
    Mutation(
        "stage: a staged day takes the place of a damaged one",
        handler(recovery._reason_to_drop, ArchiveDamaged, "return 'an older read'"),
        "tests/workflow/test_recovery.py -k whole_one_stays",
    ),
    Mutation(
        "stage: a staged day that lacks a reading of the one in place is dropped",
        gives(shrink_guard.holds_all_of, shrink_guard.readings_lost, "0"),
        "tests/workflow/test_recovery.py -k holds_all_of",
    ),
    Mutation(
        "stage: a day folder is moved away with the files of somebody else, not deleted",
        gives(recovery._move_away, day_file.foreign_files, "[]"),
        "tests/workflow/test_recovery.py -k beside_a_day",
    ),
    Mutation(
        "declaration: a column that is archived must stay declared",
        without(start._take_over, preflight.refuse_undeclared_columns),
        "tests/workflow/test_declarations.py -k mistyped",
    ),
    Mutation(
        "archive: days that are known, and no archive at all, are refused",
        without_raise(preflight.refuse_lost_archive),
        "tests/workflow/test_lost_days.py -k not_mounted",
    ),
    Mutation(
        "archive: the first days are missed",
        gives(inventory.known_days, inventory.loaded_days, "[]"),
        "tests/workflow/test_lost_days.py -k first_archived_days",
    ),
    Mutation(
        "file: a changed description of the columns is damage",
        without(day_file._read_through, day_file._refuse_other_columns),
        "tests/archive/test_day_file.py -k columns_name",
    ),
    Mutation(
        "file: two days that are written at once have different times",
        without(parquet_writer.prove_written, "set_exact_time"),
        "tests/archive/test_parquet_writer.py -k exact_time",
    ),
    Mutation(
        "file: a file that has changed since it was loaded is not loaded again",
        without(duckdb_writer.load_day, day_file.refuse_changed),
        "tests/workflow/test_lost_days.py -k changed_since",
    ),
    Mutation(
        "file: one that cannot be read now is not replaced",
        expression(day_file.translate_read_errors, "error.errno is None", "True"),
        "tests/workflow/test_lost_days.py -k may_not_be_read",
    ),
    Mutation(
        "Snakemake's delete: the staged day is put in place",
        gives(recovery.recover_staged_days, parquet_writer.rename_durably, "shutil.rmtree(staged)"),
        "tests/workflow/test_crash_matrix.py -k extract.before_rename-kill",
    ),
    Mutation(
        "Snakemake's delete: a folder without its file is no day",
        gives(recovery._reason_to_drop, files.is_there, "day.exists()"),
        "tests/workflow/test_crashes.py -k killed_inside_snakemakes_delete",
    ),
    Mutation(
        "rename: what is in place stays, although its job fails",
        text("profiles/default/config.yaml", "keep-incomplete: true", "keep-incomplete: false"),
        "tests/workflow/test_crash_matrix.py -k extract.renamed-exception",
    ),
    Mutation(
        "rename: a log that cannot be written fails no job",
        gives(Run.extract, contextlib.suppress, "contextlib.suppress(KeyError)"),
        "tests/workflow/test_crash_matrix.py -k extract.renamed-disk_full",
    ),
    Mutation(
        "delete, insert: one transaction",
        body(database.transaction, "yield"),
        "tests/workflow/test_crash_matrix.py -k load.deleted-kill",
    ),
    Mutation(
        "insert: the table is compared with the file before the commit",
        gives(
            duckdb_writer.load_day, duckdb_writer._compare, "TableDay(None, None, None, None, None)"
        ),
        "tests/warehouse/test_duckdb_writer.py -k do_not_arrive",
    ),
    Mutation(
        "insert: values go to the column of their name, in whatever order it was declared",
        expression(comparison.column_list, "dataset.columns()", "sorted(dataset.columns())"),
        "tests/warehouse/test_duckdb_writer.py -k another_order",
    ),
    Mutation(
        "insert: a file that has changed since it was proven is proven again",
        body(Proof.holds_for, "return True"),
        "tests/warehouse/test_duckdb_writer.py -k changed_after",
    ),
    Mutation(
        "insert: damaged pages are not loaded",
        without(duckdb_writer.load_day, day_file.DayFile.prove),
        "tests/workflow/test_database.py -k page_checksums",
    ),
    Mutation(
        "commit: loading again replaces",
        without(duckdb_writer._replace_rows, "DELETE FROM"),
        "tests/workflow/test_crash_matrix.py -k load.committed-kill",
    ),
    Mutation(
        "marker: counts only with its load in the database",
        expression(recovery._stale_reason, "marker.load_id != load.load_id", "False"),
        "tests/workflow/test_reruns.py -k older_copy",
    ),
    Mutation(
        "marker: counts only for the file that was loaded",
        expression(recovery._stale_reason, "marker.file != file_stamp(part)", "False"),
        "tests/workflow/test_recovery.py",
    ),
    Mutation(
        "marker: dbt hears of every load",
        without(Run.load, Run._note_load),
        "tests/workflow/test_reruns.py",
    ),
    Mutation(
        "dbt: keeps the run's lock when the run is killed",
        gives(DbtProcess.__init__, run_lock.descriptors, "()"),
        "tests/workflow/test_crashes.py -k killed_in_dbt",
    ),
    Mutation(
        "cluster: jobs of a killed run are ended before the next one starts",
        body(cluster_jobs.end_former_jobs, "pass"),
        "tests/workflow/test_cluster.py -k jobs_of_a_killed",
    ),
    Mutation(
        "cluster: no secret in the environment goes to nodes",
        body(cluster.refuse_unshared, "pass"),
        "tests/workflow/test_cluster.py -k secret_in_the",
    ),
    Mutation(
        "dbt: options of another project are not handed on",
        expression(environment.plain_environment, "_is_option(name)", "False"),
        "tests/workflow/test_surroundings.py -k own_variables",
    ),
    Mutation(
        "dbt: built again where times that lay ahead hide what the tables hold",
        without(file_times.recover_file_times, "layout.models.unlink"),
        "tests/archive/test_file_times.py",
    ),
    Mutation(
        "tables: asked for by days of other datasets",
        body(Run.tables_request, "return []"),
        "tests/workflow/test_datasets.py -k nights",
    ),
    Mutation(
        "places: the archive is the checkout's, wherever a command is given",
        body(config.from_checkout, "return path"),
        "tests/workflow/test_places.py -k with_a_directory",
    ),
    Mutation(
        "zone rules: the locked package's, not the system's",
        text("scripts/homeiot_batch/__init__.py", "zoneinfo.reset_tzpath(())\n", ""),
        "tests/warehouse/test_zone_rules.py -k own_files",
    ),
    Mutation(
        "zone rules: a day begins where the archived one before it ends",
        body(DayBounds.day, "return LocalDay(dt, self.zone)"),
        "tests/archive/test_day_bounds.py -k goes_on",
    ),
    Mutation(
        "zone rules: what two files hold is loaded once",
        body(DayBounds.end_of_share, "return day.end"),
        "tests/workflow/test_former_zone_rules.py -k loaded_once",
    ),
    Mutation(
        "zone rules: a database by former rules is built again",
        body(database._other_wall_times, 'return ""'),
        "tests/workflow/test_zone_rules.py -k built_again",
    ),
    Mutation(
        "zone rules: a load is in the version of each local day that it has readings of",
        text(
            "dbt/macros/incremental/versions.sql",
            "['dt', local_time('first_utc') ~ '::date', local_time('last_utc') ~ '::date']",
            "['dt']",
        ),
        "tests/dbt/test_incremental.py -k former",
    ),
    Mutation(
        "balance: what a meter does not know is no smaller number",
        text("dbt/macros/balance.sql", "bool_or(part = '{{ part }}' and kwh is null)", "false"),
        "tests/dbt/test_balance.py -k does_not_know",
    ),
    Mutation(
        "balance: an hour is known by all its quarters",
        text("dbt/models/marts/fct_hourly_balance.sql", "known.quarters = hours.quarters", "true"),
        "tests/dbt/test_balance.py -k does_not_know",
    ),
    Mutation(
        "costs: a day with an unknown hour has no net cost",
        text("dbt/models/marts/fct_daily_cost.sql", "bool_or(is_unknown)", "false"),
        "tests/dbt/test_power_meters.py -k unknown_hours",
    ),
    Mutation(
        "balance: what came from nowhere is marked",
        text(
            "dbt/models/marts/fct_hourly_balance.sql",
            "explained.unexplained_kwh <= {{ var('counter_noise_kwh') }}",
            "explained.unexplained_kwh is not null",
        ),
        "tests/dbt/test_balance.py -k disagree",
    ),
    Mutation(
        "dbt: built only from all archived days",
        gives(Run.models_inputs, Run._unloaded, "[]"),
        "tests/workflow/test_database.py -k never_built_from_a_part",
    ),
    Mutation(
        "dbt: a build counts only if the database records it",
        instead(recovery._invalidate_stale_build, "the database", "pass"),
        "tests/workflow/test_reruns.py -k before_its_build",
    ),
    Mutation(
        "dbt: an edit of the tariffs is in the tables after the next run",
        body(build_inputs.changed_inputs, "return []"),
        "tests/workflow/test_house.py -k an_edit_of_the_tariffs",
    ),
    Mutation(
        "read copy: the files of a generation do not change",
        instead(read_copy._link, "return folder", "return layout.parquet"),
        "tests/warehouse/test_read_copy.py -k does_not_change",
    ),
    Mutation(
        "read copy: a file that is another one is opened again",
        expression(
            FileColumns.counted, "before.get(day, ('', ()))[0] != stamps[day]", "day not in before"
        ),
        "tests/warehouse/test_read_copy.py -k new_column",
    ),
    Mutation(
        "read copy: replaced by one rename",
        instead(
            read_copy._Place.make_current,
            "new.replace(self._current)",
            "self._current.unlink(missing_ok=True); import time; time.sleep(0.3)\n"
            "new.replace(self._current)",
        ),
        "tests/workflow/test_read_copy.py -k complete_state",
    ),
    Mutation(
        "read copy: a generation that is open stays",
        gives(read_copy._Place.drop_former, files.lock_holder, "None"),
        "tests/warehouse/test_read_copy.py -k somebody_has_it_open",
    ),
    Mutation(
        "read copy: former generations stay for some days without a lock",
        instead(read_copy, "KEPT_FOR =", "KEPT, KEPT_FOR = 1, timedelta(0)"),
        "tests/workflow/test_read_copy.py -k complete_state",
    ),
    Mutation(
        "read copy: each database has its own generations",
        gives(read_copy._Place.__init__, "bytes", "bytes(database.name, 'utf-8')"),
        "tests/warehouse/test_read_copy.py -k two_databases",
    ),
    Mutation(
        "read copy: a failed publication gives its room back",
        without(read_copy.publish, "place.drop("),
        "tests/warehouse/test_read_copy.py -k gives_its_room_back",
    ),
    Mutation(
        "read copy: what a killed publication left is removed",
        without(read_copy.publish, "place.drop_unfinished("),
        "tests/warehouse/test_read_copy.py -k killed_publication",
    ),
    Mutation(
        "read copy: only the tables that dbt built are published",
        without(read_copy._write, read_copy._refuse_other_build),
        "tests/warehouse/test_read_copy.py -k are_not_published",
    ),
    Mutation(
        "read copy: published again where its views name another place",
        expression(read_copy.is_published, "marker.get('base') != base", "False"),
        "tests/warehouse/test_read_copy.py -k moved",
    ),
    Mutation(
        "read copy: published again where older readers cannot open it",
        expression(
            read_copy.is_published,
            "marker.get('storage_version') != settings.read_copy_storage_version",
            "False",
        ),
        "tests/warehouse/test_read_copy.py -k another_duckdb",
    ),
    Mutation(
        "read copy: a reader's log of writes does not meet the next generation",
        without(read_copy._Place.make_current, "_log_of(self._current).unlink"),
        "tests/warehouse/test_read_copy.py -k written_to",
    ),
    Mutation(
        "counters: after a small fall the next rise counts from the highest value",
        expression(steps._still, "max(base.level, value)", "value"),
        "tests/counters/test_devices.py -k 'flapping and 3600'",
    ),
    Mutation(
        "counters: falls that add up are no noise",
        body(Steps._small_fall, "return _still(base, at, value, NOISE)"),
        "tests/counters/test_devices.py -k drifting_down-60",
    ),
    Mutation(
        "counters: a glitch is left out",
        body(glitches.wrong_from, "return 0"),
        "tests/counters/test_devices.py -k 'stale_value and 3600'",
    ),
    Mutation(
        "counters: a wrong value that was accepted is left out later",
        body(glitches.wrong_before, "return 0"),
        "tests/counters/test_devices.py -k 'spike_within_reach and 900'",
    ),
    Mutation(
        "counters: what a counter shows that began again is energy",
        body(Steps.restarts, "return False"),
        "tests/counters/test_devices.py -k 'restart and 3600'",
    ),
    Mutation(
        "counters: a restart delivers no more than its counter did before",
        body(State.could_deliver, "return kwh <= deliverable_kwh(limits.max_power_kw, span)"),
        "tests/counters/test_devices.py -k 'used_meter and 3600'",
    ),
    Mutation(
        "counters: a counter that goes through its highest value counts on",
        body(Steps._wrap, "return None"),
        "tests/counters/test_devices.py -k 'wrap and 3600'",
    ),
    Mutation(
        "counters: another counter's value is no energy",
        instead(Steps.leap, "kwh = 0.0", "kwh = abs(value - base.value)"),
        "tests/counters/test_devices.py -k 'swap_to_higher and 3600'",
    ),
    Mutation(
        "counters: a swap marks its day",
        instead(judge._Day._mark, "quarter.resets +=", "pass"),
        "tests/counters/test_devices.py -k 'swap_to_lower and 3600'",
    ),
    Mutation(
        "counters: an older value marks its day",
        instead(judge._Day._mark, "quarter.step_backs +=", "pass"),
        "tests/counters/test_devices.py -k 'restored_older_value and 3600'",
    ),
    Mutation(
        "counters: a counter that runs backwards marks its days",
        instead(judge._Day._mark, "quarter.backwards +=", "pass"),
        "tests/counters/test_devices.py -k falling-900",
    ),
    Mutation(
        "counters: values of one time that contradict each other are left out",
        body(judge._Day._contradict, "return False"),
        "tests/counters/test_holes.py -k contradict",
    ),
    Mutation(
        "counters: nothing is measured where all values contradict each other",
        without_raise(judge.judge_end),
        "tests/counters/test_holes.py -k contradict",
    ),
    Mutation(
        "counters: zeros between the first values are holes",
        body(judge._Day._as_runs, "return items"),
        "tests/counters/test_holes.py -k less_often",
    ),
    Mutation(
        "counters: zeros before the first value are holes where it is out of reach",
        instead(judge._Day._judge_leap, "raise ZerosWereHoles", "self.at = place + 1"),
        "tests/counters/test_holes.py -k less_often",
    ),
    Mutation(
        "counters: days before the first value are judged anew when one of them changes",
        without_raise(archive.CounterRun.restore),
        "tests/counters/test_archive.py -k zeros_before",
    ),
    Mutation(
        "counters: the days after a changed one are judged again until nothing differs",
        expression(archive.CounterRun.take, "self.stored.get(day) == text", "not self.dirty"),
        "tests/counters/test_archive.py -k judged_anew",
    ),
    Mutation(
        "power: a reading holds for max_gap_s at most",
        expression(power._Day.hold, "min(until, begin + self.longest)", "until"),
        "tests/counters/test_power.py -k gap",
    ),
    Mutation(
        "power: a quarter that is not known whole has no energy",
        expression(power._Day._add, "state.known == QUARTER", "True"),
        "tests/counters/test_power.py -k gap",
    ),
    Mutation(
        "on change: a counter that is silent for too long is not taken to stand still",
        expression(
            judge._Day.go_on, "0 < limits.writer_at - newest.at <= longest", "limits.writer_at > 0"
        ),
        "tests/counters/test_on_change.py -k dead",
    ),
    Mutation(
        "on change: silence in which the counter moved is a gap",
        expression(
            judge._Day._stood_still,
            "point.kwh <= most + TINY_KWH",
            "True",
        ),
        "tests/counters/test_on_change.py -k moved",
    ),
    Mutation(
        "on change: a silence ends with one usual step at most",
        expression(
            judge._Day._stood_still, "margin * usual.rise + digit", "2 * MARGIN * usual.rise"
        ),
        "tests/counters/test_on_change.py -k marked",
    ),
    Mutation(
        "on change: a step that may hide much is a gap",
        expression(
            judge._Day._stood_still,
            "min(margin * usual.rise + digit, MOST_OF_A_STEP_KWH)",
            "margin * usual.rise + digit",
        ),
        "tests/counters/test_on_change.py -k hide",
    ),
    Mutation(
        "on change: a step after a day and a half is no larger than usual",
        expression(judge._Day._stood_still, "point.at - point.before <= LONGEST_SILENCE", "True"),
        "tests/counters/test_on_change.py -k hide",
    ),
    Mutation(
        "on change: power stands at 0 W only while its dataset goes on",
        expression(
            power._Day.stands_at_zero,
            "any(silence.begin < until and silence.end > begin for silence in self.silences)",
            "False",
        ),
        "tests/counters/test_power.py -k stands",
    ),
    Mutation(
        "on change: power does not stand at 0 W for longer than a day and a night",
        expression(
            power._Day.stands_at_zero,
            "self.longest < until - begin <= LONGEST_SILENCE",
            "self.longest < until - begin",
        ),
        "tests/counters/test_power.py -k stands",
    ),
    Mutation(
        "on change: in doubt a register is read at an interval",
        expression(
            learned_reports.reports_of, "steps.long_rise > MOST_RISE * steps.short_rise", "False"
        ),
        "tests/warehouse/test_learned_reports.py -k interval",
    ),
    Mutation(
        "meters: a series without readings, or of several devices, is refused",
        without(meter_tables.prepare_meters, meter_tables._refuse_series),
        "tests/warehouse/test_meter_tables.py",
    ),
    Mutation(
        "meters: after a wrong reading the power is unknown",
        without(power.judge_power_day, power._Day.lose),
        "tests/counters/test_power.py -k wrong_reading",
    ),
    Mutation(
        "meters: a silent register does not stand still for long",
        expression(
            judge._Day.go_on, "min(2 * self.state.stood, LONGEST_SILENCE)", "2 * self.state.stood"
        ),
        "tests/counters/test_on_change.py -k holiday",
    ),
    Mutation(
        "meters: a sum without one of its registers is not known",
        text(
            "dbt/models/intermediate/int_quarter_energy.sql",
            "count(kwh) < any_value(registers)",
            "false",
        ),
        "tests/dbt/test_declared_meters.py -k dies",
    ),
    Mutation(
        "read copy: tables come after the days of every dataset",
        text(
            "workflow/rules/dbt.smk",
            "    priority: -1  # with all threads: after everything else, "
            "also what it does not need\n    threads: workflow.cores\n",
            "    priority: 1\n",
        ),
        "tests/workflow/test_read_copy.py -k tables_come_after",
    ),
    Mutation(
        "read copy: published again where it is gone",
        without(recovery.invalidate_stale_markers, "layout.read_marker.unlink"),
        "tests/workflow/test_read_copy.py -k follows_the_tables",
    ),
    Mutation(
        "data out: days that are not there are said",
        without(Job.write, "self.lines += missing_lines("),
        "tests/export/test_tables.py -k export_lacks_are_said",
    ),
    Mutation(
        "data out: no tables that lack an archived day",
        without(Job._write_table, "refuse_unbuilt("),
        "tests/export/test_tables.py -k lack_an_archived_day",
    ),
    Mutation(
        "data out: put in place by one rename",
        instead(places.deliver, "part.replace(place)", "place.write_bytes(part.read_bytes())"),
        "tests/export/test_places.py -k keeps_its_permissions",
    ),
    Mutation(
        "data out: no file of the house is replaced",
        without(places.refuse_place, "_refuse_own("),
        "tests/export/test_places.py -k own_files",
    ),
    Mutation(
        "data out: a name in a sheet is text",
        instead(sheet._put_text, "sheet.write_string", "sheet.write"),
        "tests/export/test_writers.py -k formula_or_a_link",
    ),
    Mutation(
        "data out: a day that nobody measured is empty",
        wording(export_queries, "if(is_known, import_kwh, NULL)", "import_kwh"),
        "tests/export/test_tables.py -k nobody_measured",
    ),
    Mutation(
        "data out: a reading in two files is there once",
        instead(Readings._end, "bounds.end_of_share(bounds.day(day))", "bounds.day(day).end"),
        "tests/export/test_readings.py -k exported_once",
    ),
    Mutation(
        "report: a page is put in place by one rename",
        instead(files.write_text, "part.replace(path)", "path.write_text(text, encoding='utf-8')"),
        "tests/report/test_page.py -k replaced_whole",
    ),
    Mutation(
        "report: a day without a row is no data",
        wording(queries, "FROM calendar LEFT JOIN", "FROM calendar JOIN"),
        "tests/report/test_figures.py -k table_of_days",
    ),
    Mutation(
        "report: a name is text",
        keyword(page.environment, "autoescape", "False"),
        "tests/report/test_page.py -k name_is_text",
    ),
    Mutation(
        "report: written again where it is gone",
        without(recovery.invalidate_stale_markers, "layout.report_marker.unlink"),
        "tests/workflow/test_report.py -k follows_the_tables",
    ),
    Mutation(
        "runs: one at a time",
        without(run_lock._locked, "fcntl.flock("),
        "tests/workflow/test_zone_and_lock.py -k second_run_refuses",
    ),
    Mutation(
        "database: a damaged one is set aside",
        handler(recovery._unusable, DatabaseDamaged, "return ''"),
        "tests/workflow/test_database.py -k set_aside_and_built_again",
    ),
    Mutation(
        "night: damaged files in the window are read again",
        without(night._read_damaged_again, "plan.forced.append("),
        "tests/workflow/test_database.py -k read_again_by_the_night",
    ),
    Mutation(
        "export: a day with a hole between two exports is refused",
        without_raise(Coverage._refuse_uncovered),
        "tests/sources/exports/test_coverage.py -k hole",
    ),
    Mutation(
        "export: the span of another database covers nothing",
        body(Section.is_for, "return True"),
        "tests/sources/exports/test_coverage.py -k other_data",
    ),
    Mutation(
        "export: a day after the last reading is refused",
        without_raise(Coverage.refuse),
        "tests/sources/exports/test_coverage.py -k wrong_clock",
    ),
    Mutation(
        "export: single readings after a long silence prove nothing",
        body(export_evidence.stray_days, "return set()"),
        "tests/sources/exports/test_coverage.py -k wrong_clock",
    ),
    Mutation(
        "export: an hour of readings is not missing without a word",
        body(Evidence.quiet_ns, "return MOST_QUIET_NS"),
        "tests/sources/exports/test_coverage.py -k interval",
    ),
    Mutation(
        "export: zero bytes in the place of readings are refused",
        without_raise(ExportPass._sort),
        "tests/sources/exports/test_scan.py -k zero_bytes",
    ),
    Mutation(
        "export: times in another unit are refused",
        without_raise(ExportReader._refuse_other_units),
        "tests/sources/exports/test_coverage.py -k unit",
    ),
    Mutation(
        "export: a damaged line that may be a reading is refused",
        without_raise(ExportPass._judge),
        "tests/sources/exports/test_scan.py -k may_be_a_reading",
    ),
    Mutation(
        "export: points of a file without a database are not taken for the house's",
        body(ExportReader._without_context, "return None"),
        "tests/sources/exports/test_coverage.py -k rest_of_another",
    ),
    Mutation(
        "collect: the broker keeps what the gateway has not stored",
        text("collect/telegraf/telegraf.conf", "persistent_session = true", ""),
        "tests/repository/test_collect_files.py -k stored",
    ),
    Mutation(
        "collect: what waits in the broker outlives a restart",
        text("collect/mosquitto/mosquitto.conf", "persistence true", "persistence false"),
        "tests/repository/test_collect_files.py -k waits",
    ),
    Mutation(
        "report: the page of a month is written again after a repair of a day",
        text(
            "scripts/homeiot_batch/report/month_figures.py",
            "(*meter.days, *meter.months, *meter.costs)",
            "(*meter.months, *meter.costs)",
        ),
        "tests/report/test_months.py -k repaired",
    ),
    Mutation(
        "report: the pages of months are written again after a repair of how numbers are written",
        text("scripts/homeiot_batch/report/month_figures.py", ', "words/**/*.py")', ")"),
        "tests/report/test_months.py -k nothing_that_makes",
    ),
    Mutation(
        "report: no page stays of a month that is no longer there",
        text("scripts/homeiot_batch/report/old_pages.py", "file.unlink()", "continue"),
        "tests/report/test_months.py -k 'no_page_stays or without_data_has'",
    ),
    Mutation(
        "page: without a password it is not served",
        text("page/serve.sh", '[ -n "$password" ] ||', "true ||"),
        "tests/integration/test_served_page.py -k not_served",
    ),
    Mutation(
        "page: nobody sees it without the password",
        text("page/Caddyfile", "\tbasic_auth {", "\tbasic_auth /nothing {"),
        "tests/integration/test_served_page.py -k nobody",
    ),
    Mutation(
        "page: no other file of the folder is shown",
        text("page/Caddyfile", "@page path_regexp ^/(index\\.html|", "@page path_regexp (|"),
        "tests/integration/test_served_page.py -k reachable",
    ),
    Mutation(
        "collect: what is no number is no reading",
        text("collect/telegraf/telegraf.conf", 'type(value) != "float"', "False"),
        "tests/integration/test_collect_devices.py -k every_message",
    ),
    Mutation(
        "collect: a time that InfluxDB would refuse for ever is dropped",
        text("collect/telegraf/telegraf.conf", "age > 30 * DAY", "False"),
        "tests/integration/test_collect_devices.py -k every_message",
    ),
    Mutation(
        "collect: what is sold has a sign",
        text("collect/telegraf/devices/broute.conf", "power -= 0x100000000", "power -= 0"),
        "tests/integration/test_collect_devices.py -k every_message",
    ),
    Mutation(
        "collect: an answer without data is no energy",
        text("collect/telegraf/devices/broute.conf", "count > HIGHEST_COUNT", "False"),
        "tests/integration/test_collect_devices.py -k every_message",
    ),
    Mutation(
        "collect: energy without its coefficient is not known",
        text(
            "collect/telegraf/devices/broute.conf",
            "COEFFICIENT_WITHOUT_D3 = 0",
            "COEFFICIENT_WITHOUT_D3 = 1",
        ),
        "tests/integration/test_collect_devices.py -k every_message",
    ),
    Mutation(
        "collect: secrets that are there stay",
        text("collect/first_start.py", "    if path.exists():\n        return\n", ""),
        "tests/integration/test_collect_first_start.py -k random",
    ),
    Mutation(
        "collect: a secret that InfluxDB does not take is told",
        text("collect/first_start.py", "answer.status in (UNAUTHORIZED, FORBIDDEN)", "False"),
        "tests/integration/test_collect_first_start.py -k least",
    ),
]


def main(words: list[str]) -> int:
    """Try the mutations, one on each core. How many were not noticed."""
    chosen = [
        mutation
        for mutation in MUTATIONS
        if not words or any(word in mutation.name for word in words)
    ]
    with ThreadPoolExecutor(os.cpu_count()) as cores:
        return list(cores.map(_is_noticed_and_told, chosen)).count(False)


def _is_noticed_and_told(mutation: Mutation) -> bool:
    started = time.monotonic()
    noticed = is_noticed(mutation)
    print(
        f"{'noticed' if noticed else 'NOT NOTICED':<12} {mutation.name} ({mutation.tests}, "
        f"{time.monotonic() - started:.0f} s)",
        flush=True,
    )
    return noticed


def is_noticed(mutation: Mutation) -> bool:
    """Whether a test fails (not: cannot be run) in a copy of the project without the protection."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for part in PARTS:
            (shutil.copytree if (ROOT / part).is_dir() else shutil.copy)(ROOT / part, copy / part)
        mutation.patch.apply(copy)
        in_one_process = ["--numprocesses", "0"]
        tests = shlex.split(mutation.tests)
        command = [sys.executable, "-m", "pytest", "-x", "-q", *in_one_process, *tests]
        env = os.environ | {"PYTHONPATH": str(copy / "scripts"), "INTEGRATION_TESTS": "1"}
        done = subprocess.run(
            command, cwd=copy, env=env, capture_output=True, text=True, check=False
        )
        return done.returncode != 0 and "\nFAILED " in done.stdout


if __name__ == "__main__":
    raise SystemExit(min(main(sys.argv[1:]), 1))
