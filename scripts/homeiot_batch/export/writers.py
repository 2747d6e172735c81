"""Writes the rows of an export as CSV, JSON, Parquet or a sheet."""

from dataclasses import dataclass
from pathlib import Path

from homeiot_batch.core.sql_text import literal, quoted
from homeiot_batch.export.columns import Column, Kind, header
from homeiot_batch.export.request import Request
from homeiot_batch.export.rows import Rows, copy_rows
from homeiot_batch.export.words import Words
from homeiot_batch.words.languages import Language

# numbers that may be NaN or infinite, which JSON does not have
FRACTIONS: tuple[Kind, ...] = ("kwh", "w", "share", "money", "seconds")


@dataclass(frozen=True)
class About:
    """What an export is of, the zone of its local times, and the language of its headers."""

    request: Request
    zone: str
    language: Language

    def headers(self, rows: Rows) -> list[str]:
        """What stands above each column for people."""
        words = Words(self.language)
        return [header(column, self.zone, rows.currency, words) for column in rows.columns]


def write(rows: Rows, form: str, path: Path, about: About) -> None:
    """Write the rows to the file. HomeIotError if they cannot be read, or it cannot be written."""
    if form == "xlsx":
        from homeiot_batch.export.sheet import write_sheet  # noqa: PLC0415 - only a sheet needs it

        write_sheet(rows, path, about.request.what, about.headers(rows))
        return
    if form == "csv":
        columns = zip(rows.columns, about.headers(rows), strict=True)
        shown = [f"{quoted(column.name)} AS {quoted(text)}" for column, text in columns]
        copy_rows(rows, ", ".join(shown), path, "FORMAT csv, HEADER true")
        return
    zone = f"{literal(about.zone)} AS zone"
    if form == "json":
        shown = [_as_json(column) for column in rows.columns]
        copy_rows(rows, ", ".join([*shown, zone]), path, "FORMAT json, ARRAY true")
        return
    shown = [_as_parquet(column) for column in rows.columns]
    copy_rows(rows, ", ".join([*shown, zone]), path, "FORMAT parquet, COMPRESSION zstd")


def _as_json(column: Column) -> str:
    """Times as ISO 8601 says an instant: any program reads them alike."""
    name = quoted(column.name)
    text = f"replace({name}::VARCHAR, ' ', 'T')"
    if column.kind == "utc_time":
        return f"{text} || 'Z' AS {name}"
    if column.kind == "local_time":
        return f"{text} || utc_offset[4:] AS {name}"
    if column.kind in FRACTIONS:
        return f"if(isfinite({name}), {name}, NULL) AS {name}"
    return name


def _as_parquet(column: Column) -> str:
    """The instant with its zone, which every reader of Parquet then shows as UTC."""
    name = quoted(column.name)
    if column.kind == "utc_time":
        return f"timezone('UTC', {name}) AS {name}"
    return name
