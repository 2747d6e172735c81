"""One export from its request to the file, with what its user must know of it."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from homeiot_batch.archive.zone_record import require_zone
from homeiot_batch.config import Settings
from homeiot_batch.errors import DatabaseError
from homeiot_batch.export.coverage import (
    ArchivedDays,
    find_archived,
    lines_of_readings,
    lines_of_tables,
    missing_lines,
    refuse_unarchived,
    refuse_unbuilt,
    refuse_unpublished,
    spans,
    unarchived_days,
    unbuilt_days,
)
from homeiot_batch.export.readings import (
    Complete,
    Readings,
    archived_sources,
    reading_rows,
    refuse_no_meters,
)
from homeiot_batch.export.request import Request
from homeiot_batch.export.rows import Rows, spool
from homeiot_batch.export.sheet_size import refuse_too_many
from homeiot_batch.export.tables import (
    complete_days,
    count_rows,
    known_sources,
    open_tables,
    refuse_no_balance,
    refuse_unknown_sources,
    table_rows,
)
from homeiot_batch.export.writers import About, write


@dataclass
class Job:
    """One export. `lines` are what its user must know of it."""

    settings: Settings
    request: Request
    form: str
    lines: list[str] = field(default_factory=list)

    @functools.cached_property
    def archived(self) -> ArchivedDays:
        """The archived days of the range, as they are when the export begins."""
        return find_archived(self.settings, self.request)

    def write(self, part: Path) -> int:
        """Write the export to the file, and return the number of its rows.

        Beside the file there is nothing of others. HomeIotError for what cannot be exported.
        """
        require_zone(self.settings.layout, self.settings.tz)
        refuse_no_meters(self.settings)
        refuse_unarchived(self.settings, self.request, self.archived)
        self.lines += missing_lines(self.settings, self.request, self.archived)
        if self.request.what == "readings":
            return self._write_readings(part)
        return self._write_table(part)

    def _write_table(self, part: Path) -> int:
        refuse_unbuilt(self.settings.layout, self.request.what, self.archived)
        with open_tables(self.settings, self.request.what) as connection:
            refuse_unknown_sources(known_sources(connection), self.request)
            if self.request.what == "balance":
                refuse_no_balance(connection)
            said = unarchived_days(self.request, self.archived)
            self.lines += lines_of_tables(connection, self.request, said)
            if self.form == "xlsx":
                refuse_too_many(count_rows(connection, self.request))
            rows = table_rows(connection, self.request)
            if self.request.what != "quarters":
                self._write(rows, part)
                return rows.count
            # a night waits for the database
            rows = spool(rows, part.with_name("spool.parquet"))
        self._write(rows, part)
        return rows.count

    def _write_readings(self, part: Path) -> int:
        if self.request.sources:
            known = archived_sources(self.settings, self.archived)
            refuse_unknown_sources(known, self.request)
        complete = self._complete()
        if self.form == "xlsx":
            for count in self._readings(complete).counts():
                refuse_too_many(count)
        readings = self._readings(complete)
        rows = reading_rows(readings)
        self._write(rows, part)
        said = unarchived_days(self.request, self.archived)
        self.lines += lines_of_readings(readings.seen, self.request, said)
        return rows.count

    def _readings(self, complete: Complete) -> Readings:
        return Readings(self.settings, self.request, self.archived, complete)

    def _write(self, rows: Rows, part: Path) -> None:
        about = About(self.request, self.settings.tz, self.settings.language)
        write(rows, self.form, part, about)

    def _complete(self) -> Complete:
        """Which days are complete, as far as the tables have them as they are archived."""
        unbuilt = set(self._unbuilt())
        try:
            refuse_unpublished(self.settings.layout)
            with open_tables(self.settings, "days") as connection:
                found = complete_days(connection, self.request)
        except DatabaseError as error:
            self.lines.append(f"`day_complete` is empty everywhere: {error}")
            return {}
        if unbuilt:
            self.lines.append(
                f"`day_complete` is empty of {spans(sorted(unbuilt))}, which the tables lack"
            )
        return {day: flags for day, flags in found.items() if day not in unbuilt}

    def _unbuilt(self) -> Iterator[date]:
        for name, days in self.archived.items():
            yield from unbuilt_days(self.settings.layout, name, days)
