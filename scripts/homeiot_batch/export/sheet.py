"""Writes a sheet for Excel and LibreOffice, a row at a time."""

import contextlib
import math
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from functools import partial
from pathlib import Path

import xlsxwriter
import xlsxwriter.exceptions
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from homeiot_batch.errors import SettingsError
from homeiot_batch.export.columns import Column
from homeiot_batch.export.rows import Rows, not_written
from homeiot_batch.export.sheet_size import refuse_too_many
from homeiot_batch.words.letter_widths import wide_letters

MOST_LETTERS = 32_767  # in a cell
MOST_DIGITS = 10**15  # a sheet keeps 15 of a number
NARROWEST = 12
WIDTHS = {"utc_time": 20, "local_time": 20, "text": 20}
TIMES = ("date", "utc_time", "local_time")
NUMBER_FORMATS = {
    "date": "yyyy-mm-dd",
    "utc_time": "yyyy-mm-dd hh:mm:ss",
    "local_time": "yyyy-mm-dd hh:mm:ss",
    "kwh": "0.000",
    "w": "0.0",
    "share": "0.0000",
    "money": "0.00",
    "seconds": "0.0",
}
OPTIONS = {"constant_memory": True, "use_zip64": True}

Put = Callable[[int, int, object], None]


def write_sheet(rows: Rows, path: Path, name: str, headers: Sequence[str]) -> None:
    """Write the rows to the file, with the headers above them, which stay in sight.

    SettingsError if a sheet does not hold them. ArchiveError if the disk refuses.
    """
    book = xlsxwriter.Workbook(path, OPTIONS | {"tmpdir": str(path.parent)})
    try:
        sheet = book.add_worksheet(name)
        _write_header(sheet, rows, headers, book.add_format({"bold": True}))
        _write_rows(book, sheet, rows)
        sheet.autofilter(0, 0, rows.count, len(rows.columns) - 1)
        book.close()
    except (OSError, xlsxwriter.exceptions.FileCreateError) as error:
        raise not_written(path, _cause(error)) from None
    except BaseException:
        _abandon(book)
        raise


def _abandon(book: xlsxwriter.Workbook) -> None:
    """Close the library's own files. What it writes is deleted with the folder."""
    with contextlib.suppress(OSError, xlsxwriter.exceptions.FileCreateError):
        book.close()


def _cause(error: Exception) -> Exception:
    """What the system said, which the library wraps."""
    for inner in error.args:
        if isinstance(inner, OSError):
            return inner
    return error


def _write_header(sheet: Worksheet, rows: Rows, headers: Sequence[str], bold: Format) -> None:
    sheet.freeze_panes(1, 0)
    for number, (column, text) in enumerate(zip(rows.columns, headers, strict=True)):
        letters = len(text) + wide_letters(text)
        width = max(letters + 4, WIDTHS.get(column.kind, NARROWEST))
        sheet.set_column(number, number, width)
        sheet.write_string(0, number, text, bold)


def _write_rows(book: xlsxwriter.Workbook, sheet: Worksheet, rows: Rows) -> None:
    puts = [_put(book, sheet, column) for column in rows.columns]
    number = 0
    for batch in rows:
        refuse_too_many(rows.count)
        for values in zip(*batch.to_pydict().values(), strict=True):
            number += 1
            for place, (put, value) in enumerate(zip(puts, values, strict=True)):
                if value is not None:
                    put(number, place, value)


def _put(book: xlsxwriter.Workbook, sheet: Worksheet, column: Column) -> Put:
    """What writes a value of the column into a row."""
    if column.kind in ("text", "offset"):
        return partial(_put_text, sheet)
    if column.kind == "flag":
        return partial(_put_flag, sheet)
    looks: Format | None = None
    if column.kind in NUMBER_FORMATS and not column.exact:
        looks = book.add_format({"num_format": NUMBER_FORMATS[column.kind]})
    if column.kind in TIMES:
        return partial(_put_time, sheet, looks)
    return partial(_put_number, sheet, looks)


def _put_text(sheet: Worksheet, row: int, place: int, value: object) -> None:
    """As text, whatever it begins with: no cell is a formula or a link."""
    text = str(value)
    if len(text) > MOST_LETTERS:
        raise SettingsError(
            f"--format=xlsx: a cell holds {MOST_LETTERS} letters, and {text[:40]!r}... has "
            f"{len(text)}; give --format csv or parquet"
        )
    sheet.write_string(row, place, text)


def _put_flag(sheet: Worksheet, row: int, place: int, value: object) -> None:
    sheet.write_boolean(row, place, bool(value))


def _put_time(sheet: Worksheet, looks: Format | None, row: int, place: int, value: object) -> None:
    assert isinstance(value, date)
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    sheet.write_datetime(row, place, value, looks)


def _put_number(
    sheet: Worksheet, looks: Format | None, row: int, place: int, value: object
) -> None:
    """As a number, or as text where a sheet has no such number: NaN, infinite, or too long."""
    assert isinstance(value, int | float)
    is_long = isinstance(value, int) and abs(value) >= MOST_DIGITS
    if is_long or not math.isfinite(value):
        sheet.write_string(row, place, str(value))
    else:
        sheet.write_number(row, place, value, looks)
