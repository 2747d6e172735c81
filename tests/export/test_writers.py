"""The files of exports, as other programs read them."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl.utils.escape import unescape

from homeiot_batch.errors import ArchiveError, SettingsError
from homeiot_batch.export.columns import Column, header
from homeiot_batch.export.queries import TABLES
from homeiot_batch.export.readings import COLUMNS
from homeiot_batch.export.request import Request
from homeiot_batch.export.rows import Rows
from homeiot_batch.export.words import Words
from homeiot_batch.export.writers import About, write
from homeiot_batch.words.languages import LANGUAGES, Language
from homeiot_batch.words.phrases import read_catalogue

DAY = date(2026, 10, 25)
ABOUT = About(Request("hours", DAY, DAY), "Europe/Berlin", "en")
JAPANESE = replace(ABOUT, zone="Asia/Tokyo", language="ja")
SHOWN = (
    Column("start_utc", "utc_time"),
    Column("start_local", "local_time"),
    Column("utc_offset", "offset"),
    Column("source", "text"),
    Column("import_kwh", "kwh"),
    Column("readings", "number"),
    Column("import_cost", "money"),
    Column("day", "date"),
    Column("complete", "flag"),
)
SCHEMA = pa.schema(
    [
        ("start_utc", pa.timestamp("us")),
        ("start_local", pa.timestamp("us")),
        ("utc_offset", pa.string()),
        ("source", pa.string()),
        ("import_kwh", pa.float64()),
        ("readings", pa.int64()),
        ("import_cost", pa.float64()),
        ("day", pa.date32()),
        ("complete", pa.bool_()),
    ]
)
HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "=cmd|' /C calc'!A0", "{=1}", "http://x", "0012"]
HOSTILE += ['a,"b"', "a\nb", "日本語 😀", "\x01", "_x0041_", ""]
FIRST: tuple[Any, ...] = (
    datetime(2026, 10, 25, 0),
    datetime(2026, 10, 25, 2),
    "UTC+02:00",
    "a",
    0.3,
    3,
    1.5,
    DAY,
    True,
)
NOTHING: tuple[Any, ...] = (datetime(2026, 10, 25, 1, 0, 0, 500000), None, None, *[None] * 6)


def rows(*values: Sequence[Any]) -> Rows:
    """The rows in a batch each."""
    names = SCHEMA.names
    batches = []
    for row in values:
        content = [dict(zip(names, row, strict=True))]
        batches.append(pa.RecordBatch.from_pylist(content, schema=SCHEMA))
    return Rows(SHOWN, SCHEMA, iter(batches), "JPY")


def named(source: str) -> tuple[Any, ...]:
    """The first row with another source."""
    return (*FIRST[:3], source, *FIRST[4:])


HEADERS = (
    "Start (UTC)",
    "Start (Europe/Berlin)",
    "Offset from UTC",
    "Meter",
    "Imported (kWh)",
    "Readings",
    "Cost of the import (JPY)",
    "Day (Europe/Berlin)",
    "Complete",
)


def sheet(path: Path) -> list[list[Any]]:
    """The cells of the file's one sheet: formulas would be texts that begin with =."""
    book = openpyxl.load_workbook(path)
    [found] = book.worksheets
    return [list(row) for row in found.iter_rows()]


def test_csv(tmp_path: Path) -> None:
    """ISO times that sort, NULL is empty, quotes where a value needs them."""
    write(rows(FIRST, NOTHING, named('a,"b"')), "csv", tmp_path / "x", ABOUT)
    assert (tmp_path / "x").read_text() == (
        f"{','.join(HEADERS)}\n"
        "2026-10-25 00:00:00,2026-10-25 02:00:00,UTC+02:00,a,0.3,3,1.5,2026-10-25,true\n"
        "2026-10-25 01:00:00.5,,,,,,,,\n"
        '2026-10-25 00:00:00,2026-10-25 02:00:00,UTC+02:00,"a,""b""",0.3,3,1.5,2026-10-25,true\n'
    )


def test_json(tmp_path: Path) -> None:
    """An array of objects with the names of the columns, and times that say their instant."""
    write(rows(FIRST, NOTHING), "json", tmp_path / "x", ABOUT)
    first, nothing = json.loads((tmp_path / "x").read_text())
    assert first == {
        "start_utc": "2026-10-25T00:00:00Z",
        "start_local": "2026-10-25T02:00:00+02:00",
        "utc_offset": "UTC+02:00",
        "source": "a",
        "import_kwh": 0.3,
        "readings": 3,
        "import_cost": 1.5,
        "day": "2026-10-25",
        "complete": True,
        "zone": "Europe/Berlin",
    }
    assert nothing == dict.fromkeys(first) | {
        "start_utc": "2026-10-25T01:00:00.5Z",
        "zone": "Europe/Berlin",
    }


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_json_has_no_value_that_json_lacks(value: float, tmp_path: Path) -> None:
    """It is null. Any program can read the file."""
    write(rows((*FIRST[:4], value, *FIRST[5:])), "json", tmp_path / "x", ABOUT)
    text = (tmp_path / "x").read_text()
    [found] = json.loads(text, parse_constant=pytest.fail)
    assert found["import_kwh"] is None


def test_parquet(tmp_path: Path) -> None:
    """The types are kept, and UTC is marked as such."""
    write(rows(FIRST, NOTHING), "parquet", tmp_path / "x", ABOUT)
    table = pq.read_table(tmp_path / "x")
    assert {field.name: str(field.type) for field in table.schema} == {
        "start_utc": "timestamp[us, tz=UTC]",
        "start_local": "timestamp[us]",
        "utc_offset": "string",
        "source": "string",
        "import_kwh": "double",
        "readings": "int64",
        "import_cost": "double",
        "day": "date32[day]",
        "complete": "bool",
        "zone": "string",
    }
    query = f"SELECT * EXCLUDE (start_utc) FROM read_parquet('{tmp_path / 'x'}')"
    with duckdb.connect() as connection:
        found = connection.execute(query).fetchall()
    assert found == [(*FIRST[1:], "Europe/Berlin"), (*NOTHING[1:], "Europe/Berlin")]


def test_a_sheet_has_numbers_and_true_dates(tmp_path: Path) -> None:
    """Header in sight, each cell of its type, NULL is an empty cell."""
    write(rows(FIRST, NOTHING), "xlsx", tmp_path / "x.xlsx", ABOUT)
    head, first, nothing = sheet(tmp_path / "x.xlsx")
    assert [cell.value for cell in head] == list(HEADERS)
    assert [cell.value for cell in first] == [*FIRST[:7], datetime(2026, 10, 25), True]
    assert [cell.data_type for cell in first] == ["d", "d", "s", "s", "n", "n", "n", "d", "b"]
    assert [cell.number_format for cell in first] == [
        "yyyy-mm-dd hh:mm:ss",
        "yyyy-mm-dd hh:mm:ss",
        "General",
        "General",
        "0.000",
        "General",
        "0.00",
        "yyyy-mm-dd",
        "General",
    ]
    assert [cell.value for cell in nothing] == list(NOTHING)
    [found] = openpyxl.load_workbook(tmp_path / "x.xlsx").worksheets
    assert (found.title, found.freeze_panes, found.auto_filter.ref) == ("hours", "A2", "A1:I3")


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_is_a_formula_or_a_link_of_a_sheet(name: str, tmp_path: Path) -> None:
    """It is a text with the same letters."""
    write(rows(named(name)), "xlsx", tmp_path / "x.xlsx", ABOUT)
    _, [*_, cell, _, _, _, _, _] = sheet(tmp_path / "x.xlsx")
    assert (unescape(cell.value or ""), cell.hyperlink) == (name, None)
    assert cell.data_type in {"s", "n" if not name else "s"}


@pytest.mark.parametrize(
    ("value", "shown"),
    [(math.nan, "nan"), (math.inf, "inf"), (-math.inf, "-inf"), (1e300, 1e300)],
)
def test_what_is_no_number_of_a_sheet_is_text(value: float, shown: object, tmp_path: Path) -> None:
    """Not an error, and not another number."""
    write(rows((*FIRST[:4], value, *FIRST[5:])), "xlsx", tmp_path / "x.xlsx", ABOUT)
    assert sheet(tmp_path / "x.xlsx")[1][4].value == shown


def test_a_count_of_more_digits_than_a_sheet_keeps_is_text(tmp_path: Path) -> None:
    """A sheet would round it."""
    write(rows((*FIRST[:5], 2**60, *FIRST[6:])), "xlsx", tmp_path / "x.xlsx", ABOUT)
    assert sheet(tmp_path / "x.xlsx")[1][5].value == str(2**60)


def test_a_text_that_no_cell_holds_is_refused(tmp_path: Path) -> None:
    """It would be left out."""
    with pytest.raises(SettingsError, match="a cell holds 32767 letters"):
        write(rows(named("x" * 32_768)), "xlsx", tmp_path / "x.xlsx", ABOUT)


@pytest.mark.parametrize("form", ["csv", "json", "parquet", "xlsx"])
def test_what_ends_the_reading_ends_the_export(form: str, tmp_path: Path) -> None:
    """With its own message, whatever writes the rows."""
    found = rows(FIRST)

    def broken() -> Any:
        yield from found.batches
        raise ArchiveError("the day is gone; run again")

    with pytest.raises(ArchiveError, match=r"^the day is gone; run again$"):
        write(Rows(SHOWN, SCHEMA, broken()), form, tmp_path / "x", ABOUT)


def test_every_column_has_a_header_in_every_language() -> None:
    """And no header is there without a column."""
    columns = {column.name for _, columns in TABLES.values() for column in columns}
    columns |= {column.name for column in COLUMNS}
    for language in LANGUAGES:
        words = read_catalogue(language, "export").texts
        headings = {key.removeprefix("columns.") for key in words if key.startswith("columns.")}
        assert headings == columns


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("what", [*TABLES, "readings"])
def test_no_two_columns_have_one_header(what: str, language: Language) -> None:
    """A program that reads by header would take one for the other."""
    columns = COLUMNS
    if what in TABLES:
        _, columns = TABLES[what]
    words = Words(language)
    headers = [header(column, "Asia/Tokyo", "JPY", words) for column in columns]
    assert len(set(headers)) == len(headers)


def test_headers_in_japanese(tmp_path: Path) -> None:
    """In CSV and sheets. The rows, and the names that programs read, are those of any language."""
    for form in ("csv", "json", "parquet"):
        write(rows(FIRST), form, tmp_path / f"{form}.en", replace(ABOUT, zone="Asia/Tokyo"))
        write(rows(FIRST), form, tmp_path / f"{form}.ja", JAPANESE)
    english, *english_rows = (tmp_path / "csv.en").read_text().splitlines()
    japanese, *japanese_rows = (tmp_path / "csv.ja").read_text().splitlines()
    assert japanese == (
        "開始(UTC),開始(Asia/Tokyo),UTCとの時差,メーター,正方向の電力量(kWh),計測回数,買電料金(円),"
        "日付(Asia/Tokyo),欠測なし"
    )
    assert english != japanese
    assert japanese_rows == english_rows
    for form in ("json", "parquet"):
        files = [tmp_path / f"{form}.{language}" for language in LANGUAGES]
        first, second = [file.read_bytes() for file in files]
        assert first == second


def test_a_sheet_in_japanese_shows_its_headers(tmp_path: Path) -> None:
    """A column has room for its header, whose letters are twice as wide as Latin ones."""
    write(rows(FIRST), "xlsx", tmp_path / "x.xlsx", JAPANESE)
    book = openpyxl.load_workbook(tmp_path / "x.xlsx")
    headers, _ = sheet(tmp_path / "x.xlsx")
    assert headers[4].value == "正方向の電力量(kWh)"
    assert book.active.column_dimensions["E"].width >= 2 * len("正方向の電力量") + len("(kWh)")


def test_the_header_has_the_unit() -> None:
    """Money has none where currencies differ."""
    cost = Column("net_cost", "money")
    words = Words("en")
    assert header(cost, "Asia/Tokyo", "JPY", words) == "Net cost (JPY)"
    assert header(cost, "Asia/Tokyo", None, words) == "Net cost"
    assert header(Column("peak_w", "w"), "Asia/Tokyo", "JPY", words) == "Peak power (W)"
