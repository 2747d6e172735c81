"""Local days from an export, as `influx_inspect export` and `influxd inspect export-lp` write it.

An export holds a field a line, in no order of time, so its lines are sorted into a spool on disk,
in one pass for all days that are wanted, and each day is then put together from there.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from homeiot_batch.config import Settings
from homeiot_batch.core.datasets import Dataset, how_to_declare
from homeiot_batch.core.days import LocalDay, instant_of, nanoseconds
from homeiot_batch.errors import SourceError
from homeiot_batch.sources.exports.coverage import Coverage
from homeiot_batch.sources.exports.files import export_files, export_path
from homeiot_batch.sources.exports.notices import listed
from homeiot_batch.sources.exports.scan import ExportPass
from homeiot_batch.sources.exports.sections import Section, rest_of_another
from homeiot_batch.sources.exports.spool import Spool
from homeiot_batch.sources.exports.units import Suspicion
from homeiot_batch.sources.exports.wanted import Wanted

WantedDays = Mapping[str, Sequence[LocalDay]]
MOST_NAMES = 20


class ExportReader:
    """Reads days from a file or a folder of files of line protocol, plain or gzip."""

    def __init__(self, settings: Settings, wanted: WantedDays, staging: Path) -> None:
        self._settings = settings
        self._path = export_path(settings.influx_url)
        self._days = wanted
        self._staging = staging
        self._spool: Spool | None = None
        self._found: dict[tuple[str, LocalDay], Wanted] = {}
        self._coverage: dict[str, Coverage] = {}
        self._unusable: dict[str, SourceError] = {}
        self._damage: SourceError | None = None
        self._notices: list[str] = []
        self._lock = threading.Lock()

    def describe(self, dataset: Dataset) -> dict[str, object]:
        """Path, database and measurement."""
        return {
            "kind": "export",
            "path": str(self._path),
            "database": self._settings.influx_bucket,
            "retention_policy": self._settings.influx_retention_policy,
            "measurement": dataset.measurement,
        }

    def read(self, dataset: Dataset, day: LocalDay) -> Iterator[pa.RecordBatch]:
        """See `Source.read`. The first call reads the whole export."""
        with self._lock:
            spool = self._spooled(dataset, day)
            self._refuse_other_units(dataset, day)
            self._coverage[dataset.name].refuse(day)
            batches = spool.read(dataset, day)
        yield from batches

    def warnings(self, dataset: Dataset, day: LocalDay) -> list[str]:
        """Where the export may begin, end or have a hole in the day, and single lines left out."""
        warnings = self._coverage[dataset.name].warnings(day)
        suspicion = self._suspicion(dataset, day)
        if suspicion is None:
            return warnings
        left_out = f"{_suspected(suspicion, day)}; it is left out"
        return [left_out, *warnings]

    def first_reading(self, dataset: Dataset, since: datetime) -> datetime | None:
        """See `Source.first_reading`. None before the export was read."""
        coverage = self._coverage.get(dataset.name)
        if coverage is None:
            return None
        first = coverage.first(nanoseconds(since))
        if first is None:
            return None
        return instant_of(first)

    def notices(self) -> list[str]:
        """What an export holds beside the readings, after it was read."""
        return self._notices

    # how

    def _spooled(self, dataset: Dataset, day: LocalDay) -> Spool:
        """The spool with the day in it. The same SourceError again for a damaged export."""
        if self._damage is not None:
            raise self._damage
        try:
            if self._spool is None:
                self._spool = Spool(self._staging)
                self._pass(self._spool, self._days)
            if (dataset.name, day) not in self._found:
                self._pass(self._spool, {dataset.name: [day]})
        except SourceError as error:
            self._damage = error
            raise
        if dataset.name in self._unusable:
            raise self._unusable[dataset.name]
        return self._spool

    def _pass(self, spool: Spool, days: WantedDays) -> None:
        """Read all files for these days."""
        wanted = []
        for name, own in days.items():
            wanted.append(Wanted(self._settings.datasets[name], own))
        for entry in wanted:
            spool.prepare(entry.dataset)
        done = ExportPass(self._settings, wanted, spool)
        done.run(export_files(self._settings.influx_url))
        for entry in wanted:
            self._conclude(entry, done)
        self._notice(listed(done.files))

    def _conclude(self, entry: Wanted, done: ExportPass) -> None:
        """What the pass has found of one dataset."""
        name = entry.dataset.name
        self._found |= {(name, day): entry for day in entry.days}
        if problem := self._absent_or_ambiguous(entry, done):
            self._unusable[name] = SourceError(problem)
            return
        coverage = self._coverage_of(entry)
        self._coverage[name] = coverage
        self._notice(coverage.notices(entry.days))

    def _coverage_of(self, entry: Wanted) -> Coverage:
        found_policy = next(iter(entry.policies), None)
        policy = self._settings.influx_retention_policy or found_policy
        database = self._settings.influx_bucket
        evidence = entry.evidence
        sections = [section for section in evidence.sections if section.is_for(database, policy)]
        return Coverage(self._path, entry.dataset, self._settings.zone, evidence, sections)

    def _notice(self, lines: list[str]) -> None:
        """Keep what is new: a second pass finds the same lines again."""
        new = [line for line in lines if line not in self._notices]
        self._notices += new

    def _absent_or_ambiguous(self, entry: Wanted, done: ExportPass) -> str | None:
        """Why the export cannot serve the dataset, or None if it can."""
        measurement = entry.dataset.measurement
        if not done.measurements[measurement]:
            database = self._settings.influx_bucket
            found = f"{_names(done.measurements)}{_other_databases(done)}"
            return (
                f"{self._path} holds no point of measurement {measurement!r} in database "
                f"{database!r} (it holds {found}); "
                "check INFLUX_MEASUREMENT, INFLUX_BUCKET and INFLUX_RETENTION_POLICY"
                f"{how_to_declare(entry.dataset)}"
            )
        if len(entry.policies) > 1:
            names = ", ".join(sorted(entry.policies))
            return (
                f"{self._path} holds {measurement!r} in several retention policies ({names}); "
                "set INFLUX_RETENTION_POLICY to one"
            )
        return self._without_context(entry, done)

    def _without_context(self, entry: Wanted, done: ExportPass) -> str | None:
        """Whether points without a database beside them may be another database's."""
        measurement = entry.dataset.measurement
        for section in self._suspects(entry, done):
            if entry.evidence.hull(section):
                others = ", ".join(sorted(done.elsewhere))
                return (
                    f"{section.file} does not say which database its points of {measurement!r} are "
                    f"of, and beside it lies an export of {others}; "
                    "join the parts of a split export (cat), put files of another database "
                    "elsewhere, or add the line '# CONTEXT-DATABASE:"
                    f"{self._settings.influx_bucket}' at its beginning"
                )
        return None

    def _suspects(self, entry: Wanted, done: ExportPass) -> list[Section]:
        """Sections without a database that may be of another one."""
        settings = self._settings
        sections = entry.evidence.sections
        measurement = entry.dataset.measurement
        if any(measurement in counts for counts in done.elsewhere.values()):
            return [section for section in sections if not section.contexts]
        policy = settings.influx_retention_policy
        return list(rest_of_another(sections, settings.influx_bucket, policy))

    def _suspicion(self, dataset: Dataset, day: LocalDay) -> Suspicion | None:
        found = self._found[dataset.name, day]
        number = found.days.index(day)
        return found.units.of(number)

    def _refuse_other_units(self, dataset: Dataset, day: LocalDay) -> None:
        """SourceError for a day of which lines have times in another unit: they would be missing.

        A single one among a meter's many others is a device's clock that began in 1970.
        """
        suspicion = self._suspicion(dataset, day)
        if suspicion is None:
            return
        found = self._found[dataset.name, day]
        lines = found.units.lines
        readings = found.evidence.readings
        has_no_others = any(lines[meter] == readings[meter] for meter in suspicion.meters)
        if suspicion.meters.total() > 1 or has_no_others:
            raise SourceError(
                f"{_suspected(suspicion, day)}, but exports have nanoseconds; "
                f"{suspicion.advice()} in a copy of the file and use that, or take the file away"
            )


def _suspected(suspicion: Suspicion, day: LocalDay) -> str:
    lines = suspicion.meters.total()
    return (
        f"{suspicion.place}: the time {suspicion.time} lies in {day} if it is in "
        f"{suspicion.unit} ({lines} such lines of this day)"
    )


def _names(counts: Mapping[str, int]) -> str:
    if not counts:
        return "no measurement"
    names = ", ".join(sorted(counts)[:MOST_NAMES])
    if len(counts) > MOST_NAMES:
        return f"{names}, ..."
    return names


def _other_databases(done: ExportPass) -> str:
    if not done.elsewhere:
        return ""
    texts = [f"{name} ({_names(counts)})" for name, counts in sorted(done.elsewhere.items())]
    return f", and of other databases it holds {', '.join(texts[:MOST_NAMES])}"
