"""The file of tariffs, `tariffs.csv`, and its mistakes: where each is, and what to write.

It may come from a text editor or a spreadsheet, in UTF-8, or in UTF-16 with its mark. Commas,
semicolons or tabs stand between its cells. Where it is not commas, a price may have one as its
decimal mark.
"""

import csv
import io
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from homeiot_batch.core.near_names import hint

COLUMNS = (
    "source",
    "valid_from",
    "valid_to",
    "weekdays",
    "from_time",
    "to_time",
    "import_price",
    "feed_in_price",
    "currency",
)
HEADER = ",".join(COLUMNS)
PRICES = ("import_price", "feed_in_price")
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class Tariff:
    """Prices of a meter in a span of local dates, on days of the week, at times of day.

    Both dates are included. Weekdays are digits, 1 is Monday. Times are HH:MM on a quarter of an
    hour, and from 22:00 to 06:00 is the night. Prices are of a kWh, None if there is none.
    """

    line: int
    source: str
    valid_from: date
    valid_to: date | None
    weekdays: str
    from_time: str
    to_time: str
    import_price: float | None
    feed_in_price: float | None
    currency: str | None

    def place(self, column: str) -> str:
        """Where the cell stands in the file."""
        return f"line {self.line}, column {column}"


@dataclass(frozen=True)
class _Record:
    """A line of the file: its number, and its cells by column."""

    line: int
    cells: dict[str, str]


class _Mistakes(Exception):
    """What keeps the file as a whole from being read."""


def parse_tariffs(content: bytes) -> tuple[list[Tariff], list[str]]:
    """The tariffs in the order of their lines, and the mistakes in the file.

    A mistake is named by line, column and value, and by what to write after the first semicolon.
    With a mistake in the file as a whole, as in its first line, there are no tariffs.
    """
    try:
        text = _text(content)
        separator = _separator(text)
        records = _records(text, separator)
    except _Mistakes as error:
        return [], list(error.args)
    found: list[Tariff] = []
    mistakes: list[str] = []
    decimal_mark = _decimal_mark(records, separator)
    for record in records:
        values, wrong = _values(record, decimal_mark)
        mistakes += wrong
        if not wrong:
            found.append(Tariff(line=record.line, **values))
    return found, mistakes


# the file as a whole


def _text(content: bytes) -> str:
    encoding = "utf-8-sig"
    if content.startswith(UTF16_MARKS):
        encoding = "utf-16"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _Mistakes(
            f"line {line}: not all of it is UTF-8; save the file as `CSV UTF-8`"
        ) from None
    if "\0" in text:
        raise _Mistakes("line 1: it is no text; save the file as `CSV UTF-8`")
    if not text.strip():
        raise _Mistakes(
            f"line 1: the file is empty; write `{HEADER}` as its first line, "
            "or delete the file if there are no tariffs"
        )
    return text


def _separator(text: str) -> str:
    """What stands between the names of the columns."""
    first_line, _, _ = text.lstrip().partition("\n")
    return max(",;\t", key=first_line.count)


def _records(text: str, separator: str) -> list[_Record]:
    """The lines that hold something, below the first one, which names the columns."""
    lines = list(_lines(text, separator))
    (first, names), *rest = lines
    columns = _columns(first, names)
    records = []
    mistakes = []
    for line, cells in rest:
        # empty cells at the end may be missing
        if len(cells) > len(columns):
            mistakes.append(_too_many_cells(line, len(cells), len(columns)))
        by_column = dict(zip(columns, cells, strict=False))
        records.append(_Record(line, by_column))
    if mistakes:
        raise _Mistakes(*mistakes)
    return records


def _lines(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of each line with something in it. Empty cells at the end are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            while stripped and not stripped[-1]:
                stripped.pop()
            if stripped:
                yield line, stripped
            line = reader.line_num + 1
    except csv.Error as error:
        raise _Mistakes(
            f"line {line}: a quotation mark stands in a wrong place ({error}); "
            "write the cells without any"
        ) from None


def _columns(line: int, names: Sequence[str]) -> list[str]:
    columns = [name.lower() for name in names]
    if not set(columns) & set(COLUMNS):
        raise _Mistakes(
            f"line {line}: it does not name the columns; write `{HEADER}` as the first line"
        )
    mistakes = list(_wrong_columns(line, columns))
    if mistakes:
        raise _Mistakes(*mistakes)
    return columns


def _wrong_columns(line: int, columns: Sequence[str]) -> Iterator[str]:
    """The names that are unknown, come twice, or are missing."""
    for name in columns:
        if name not in COLUMNS:
            what_to_do = hint(name, COLUMNS)
            yield f"line {line}, column {name!r}: there is no such column; {what_to_do}"
    for name in COLUMNS:
        if columns.count(name) > 1:
            yield f"line {line}, column {name}: it stands twice; remove one of both"
    for name in COLUMNS:
        if name not in columns:
            yield f"line {line}: the column {name} is missing; write `{HEADER}` as the first line"


def _too_many_cells(line: int, cells: int, columns: int) -> str:
    return (
        f"line {line}: it has {cells} cells, and the first line names {columns} columns; "
        "write decimals with a point, like 0.30, and nothing after the last column"
    )


# cells


def _decimal_mark(records: Sequence[_Record], separator: str) -> str:
    """A comma where no price of the file has a point, and commas are not between the cells."""
    if separator == ",":
        return "."
    prices = []
    for record in records:
        prices += [record.cells.get(name, "") for name in PRICES]
    has_points = any("." in price for price in prices)
    has_commas = any("," in price for price in prices)
    if has_commas and not has_points:
        return ","
    return "."


def _values(record: _Record, decimal_mark: str) -> tuple[dict[str, Any], list[str]]:
    values: dict[str, Any] = {}
    mistakes: list[str] = []
    for column in COLUMNS:
        cell = record.cells.get(column, "")
        try:
            values[column] = _value(column, cell, decimal_mark)
        except ValueError as error:
            shown = "it"
            if cell:
                shown = repr(cell)
            mistakes.append(f"line {record.line}, column {column}: {shown} {error}")
    return values, mistakes


def _value(column: str, cell: str, decimal_mark: str) -> object:
    if column in PRICES:
        return _price(cell, decimal_mark)
    return READ[column](cell)


def _problem(cell: str, of_text: str) -> str:
    """What is wrong with the cell: it is empty, or its text is not what it should be."""
    if not cell:
        return "is empty"
    return of_text


def _source(cell: str) -> str:
    if not cell:
        raise ValueError("is empty; write the name of the meter, as in the column source")
    if "\n" in cell or "\r" in cell:
        raise ValueError("has two lines; write the name of the meter on one")
    return cell


def _day(cell: str) -> date:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", cell):
        problem = _problem(cell, "is not a day as YYYY-MM-DD")
        raise ValueError(f"{problem}; write one like 2026-04-01")
    try:
        return date.fromisoformat(cell)
    except ValueError:
        raise ValueError("is a day that does not exist; write one like 2026-04-01") from None


def _last_day(cell: str) -> date | None:
    if not cell:
        return None
    return _day(cell)


def _weekdays(cell: str) -> str:
    if not re.fullmatch(r"[1-7]+", cell):
        problem = _problem(cell, "is not made of the digits 1 to 7")
        raise ValueError(
            f"{problem}; write the days of the week as digits, 1 is Monday: 12345, 67 or 1234567"
        )
    return cell


def _time(cell: str) -> str:
    """HH:MM. A spreadsheet may have made 6:00 or 06:00:00 of it."""
    match = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})(:00)?", cell)
    if match is None or not _is_time_of_day(int(match[1]), int(match[2])):
        problem = _problem(cell, "is not a time of day as HH:MM")
        raise ValueError(f"{problem}; write one from 00:00 to 24:00, like 22:00")
    hour = int(match[1])
    minute = int(match[2])
    after_quarter = minute % 15
    if after_quarter:
        near = f"{hour:02}:{minute - after_quarter:02}"
        raise ValueError(f"is not on a quarter of an hour; write {near} or another")
    return f"{hour:02}:{minute:02}"


def _is_time_of_day(hour: int, minute: int) -> bool:
    """From 00:00 to 24:00."""
    return minute < 60 and 60 * hour + minute <= 24 * 60


def _price(cell: str, decimal_mark: str) -> float | None:
    """A finite number, None for an empty cell."""
    if not cell:
        return None
    if re.search(r"[^0-9.,+eE -]", cell):
        raise ValueError(
            "is no number; write it alone, like 0.30, the currency has a column of its own"
        )
    number = cell
    if decimal_mark == "," and cell.count(",") == 1:
        number = cell.replace(",", ".")
    if not NUMBER.fullmatch(number) or not math.isfinite(float(number)):
        raise ValueError(
            "is no number as it stands; write it with a point and with nothing between thousands, "
            "like 1234.50"
        )
    return float(number)


def _currency(cell: str) -> str | None:
    return cell or None


READ: dict[str, Callable[[str], object]] = {
    "source": _source,
    "valid_from": _day,
    "valid_to": _last_day,
    "weekdays": _weekdays,
    "from_time": _time,
    "to_time": _time,
    "currency": _currency,
}
