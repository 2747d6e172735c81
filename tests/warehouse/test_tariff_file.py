"""The file of tariffs: what is accepted, and each mistake with line, column and what to write."""

from dataclasses import astuple
from datetime import date

import pytest

from homeiot_batch.warehouse import tariff_rules
from homeiot_batch.warehouse.tariff_file import HEADER, Tariff, parse_tariffs
from homeiot_batch.warehouse.tariff_rules import contradictions

ROW = "a,2026-03-01,,1234567,00:00,24:00,0.30,0.05,EUR"
READ = Tariff(2, "a", date(2026, 3, 1), None, "1234567", "00:00", "24:00", 0.3, 0.05, "EUR")
PRICED = "a;2026-03-01;;1234567;00:00;24:00;{};{};EUR"
SEMICOLONS = HEADER.replace(",", ";")

# each is fine: currencies that change from one day to the next or with the day of the week, also
# within common spans; lines that overlap in dates and times, but on no day; prices left out
SOUND = """\
a,2026-03-01,2026-03-19,1234567,22:00,06:00,10,5,BGN
a,2026-03-01,2026-03-19,1234567,06:00,22:00,20,,BGN
a,2026-03-20,,12345,00:00,24:00,0.3,0.05,EUR
a,2026-03-20,,67,00:00,24:00,60,,JPY
b,2026-03-02,2026-03-06,13,00:00,12:00,1,,JPY
b,2026-03-05,,1245,12:00,24:00,1,,EUR
c,2026-03-20,2026-03-20,5,23:45,24:00,-1,0,
d,2026-03-02,2026-03-06,567,00:00,12:00,1,,JPY
d,2026-03-02,2026-03-04,345,00:00,12:00,1,,JPY
e,2024-02-29,2024-02-29,4,24:00,06:00,1,,
e,9999-12-31,9999-12-31,5,00:00,00:00,1,,
"""


def file(*rows: str) -> bytes:
    """The bytes of a file with these rows."""
    return "\n".join([HEADER, *rows, ""]).encode()


@pytest.mark.parametrize(
    "content",
    [
        file(ROW),
        file(ROW).rstrip(),
        f"{HEADER}\n{ROW}\n".encode("utf-8-sig"),
        f"{HEADER}\n{ROW}\n".encode("utf-16"),
        b"\xfe\xff" + f"{HEADER}\n{ROW}\n".encode("utf-16-be"),
        f"{HEADER}\r\n{ROW}\r\n".encode(),
        f"{HEADER}\r{ROW}\r".encode(),
        f"{HEADER}\n{ROW}\n".replace(",", ";").encode(),
        f"{HEADER}\n{ROW}\n".replace(",", "\t").encode("utf-16"),
        f"{SEMICOLONS}\r\n{PRICED.format('0,30', '0,05')}\r\n".encode("utf-8-sig"),
        f"{HEADER},,\n{ROW},,\n,,,,,,,,,,\n".encode(),
        f"{HEADER.upper()}\n{ROW}\n".encode(),
        f"{HEADER.replace(',', ' , ')}\n{ROW.replace(',', ' , ')}\n".encode(),
        ",".join(f'"{cell}"' for cell in HEADER.split(",")).encode() + b"\n" + ROW.encode(),
        file("a,2026-03-01,,1234567,0:00,24:00:00,+3e-1,.05,EUR"),
    ],
    ids=[
        *("as documented", "no last line end", "byte order mark", "UTF-16", "UTF-16 big-endian"),
        *("CR LF", "CR", "semicolons", "tabs", "decimal commas", "empty columns at the end"),
        *("capitals", "spaces", "quotes", "times and numbers of a spreadsheet"),
    ],
)
def test_what_editors_and_spreadsheets_make_of_a_file(content: bytes) -> None:
    """The same tariff, whichever program wrote it."""
    assert parse_tariffs(content) == ([READ], [])


def test_columns_may_stand_in_any_order() -> None:
    """They go by their names. Cells that are empty at the end of a line may be missing."""
    names = [*reversed(HEADER.split(","))]
    cells = [*reversed(ROW.split(","))]
    content = f"{','.join(names)}\n{','.join(cells)}\n".encode()
    assert parse_tariffs(content) == ([READ], [])
    short = file("", "  ", "a,2026-03-01,,1234567,00:00,24:00,0.30")
    assert parse_tariffs(short)[0] == [Tariff(4, *astuple(READ)[1:7], 0.3, None, None)]


def test_no_tariffs() -> None:
    """As shipped: the first line alone."""
    assert parse_tariffs(file()) == ([], [])


def test_sound_tariffs_pass() -> None:
    """No rule refuses what it should not."""
    tariffs, mistakes = parse_tariffs(file(*SOUND.splitlines()))
    assert (len(tariffs), mistakes, contradictions(tariffs)) == (11, [], [])


def row(**cells: str) -> str:
    """The good row with other cells."""
    values = dict(zip(HEADER.split(","), ROW.split(","), strict=True)) | cells
    return ",".join(values.values())


DIGITS = "write the days of the week as digits, 1 is Monday: 12345, 67 or 1234567"
ALONE = "is no number; write it alone, like 0.30, the currency has a column of its own"
AS_IT_STANDS = (
    "is no number as it stands; write it with a point and with nothing between thousands, "
    "like 1234.50"
)
NO_DAY = "is not a day as YYYY-MM-DD; write one like 2026-04-01"
NO_TIME = "is not a time of day as HH:MM; write one from 00:00 to 24:00, like 22:00"


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("source", "", "it is empty; write the name of the meter, as in the column source"),
        ("source", '"a\nb"', "'a\\nb' has two lines; write the name of the meter on one"),
        *(
            ("valid_from", day, f"'{day}' {NO_DAY}")
            for day in ("10/11/2026", "2026/11/10", "10.11.2026", "2026-11-1", "20261110")
        ),
        ("valid_from", "2026-11-10T00:00", f"'2026-11-10T00:00' {NO_DAY}"),
        ("valid_from", "２０２６-11-10", f"'２０２６-11-10' {NO_DAY}"),
        ("valid_from", "", "it is empty; write one like 2026-04-01"),
        *(
            (
                "valid_to",
                day,
                f"'{day}' is a day that does not exist; write one like 2026-04-01",
            )
            for day in ("2026-02-29", "2026-02-30", "2026-13-01", "2026-00-10", "0000-01-01")
        ),
        *(
            ("weekdays", days, f"'{days}' is not made of the digits 1 to 7; {DIGITS}")
            for days in ("1-5", "Mon-Fri", "0123456", "1 2 3", "月火水", "8")
        ),
        ("weekdays", "", f"it is empty; {DIGITS}"),
        *(
            ("from_time", time, f"'{time}' {NO_TIME}")
            for time in ("24:15", "25:00", "6", "6 pm", "06.00", "-1:00", "06:60", "06:00:30")
        ),
        ("from_time", "", "it is empty; write one from 00:00 to 24:00, like 22:00"),
        ("to_time", "06:20", "'06:20' is not on a quarter of an hour; write 06:15 or another"),
        ("to_time", "23:59", "'23:59' is not on a quarter of an hour; write 23:45 or another"),
        *(
            ("import_price", price, f"'{price}' {ALONE}")
            for price in ("€0.30", "0.30 EUR", "30円", "$1", "inf", "nan", "-", "１", "0·30")
            if price != "-"
        ),
        *(
            ("import_price", price, f"'{price}' {AS_IT_STANDS}")
            for price in ("-", "1 234", "0.3.0", "1e999", "--1", "e", ".")
        ),
        ("feed_in_price", '"0,30"', f"'0,30' {AS_IT_STANDS}"),
        ("feed_in_price", '"1,234.50"', f"'1,234.50' {AS_IT_STANDS}"),
    ],
)
def test_a_wrong_cell_is_named(column: str, cell: str, said: str) -> None:
    """By line and column, with its value and what to write. The other lines are read."""
    content = file(ROW, "", row(**{column: cell}))
    assert parse_tariffs(content) == ([READ], [f"line 4, column {column}: {said}"])


def test_all_mistakes_are_named() -> None:
    """Each cell's, not the first one's alone."""
    rows = [row(valid_from="1.4.2026", import_price="€1"), row(source="")]
    _, mistakes = parse_tariffs(file(*rows))
    assert [mistake.partition(": ")[0] for mistake in mistakes] == [
        "line 2, column valid_from",
        "line 2, column import_price",
        "line 3, column source",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", f"line 1: the file is empty; write `{HEADER}` as its first line, or delete"),
        (b"\xef\xbb\xbf\r\n \n", "line 1: the file is empty; "),
        (f"{ROW}\n".encode(), f"line 1: it does not name the columns; write `{HEADER}` as"),
        (b"sep=;\n", "line 1: it does not name the columns; "),
        (b"PK\x03\x04\x00\x00", "line 1: it is no text; save the file as `CSV UTF-8`"),
        (HEADER.encode("utf-16-le"), "line 1: it is no text; save the file as `CSV UTF-8`"),
        (
            f"{HEADER}\n{ROW}\n{row(source='電気')}\n".encode("shift_jis"),
            "line 3: not all of it is UTF-8; save the file as `CSV UTF-8`",
        ),
        (
            HEADER.replace("import_price", "importprice").encode(),
            "line 1, column 'importprice': there is no such column; did you mean import_price?",
        ),
        (f"{HEADER},note\n".encode(), "line 1, column 'note': there is no such column; known are"),
        (f"{HEADER},source\n".encode(), "line 1, column source: it stands twice; remove one of"),
        (
            HEADER.replace(",currency", "").encode(),
            f"line 1: the column currency is missing; write `{HEADER}` as the first line",
        ),
        (
            file(ROW, "a,2026-03-01,,1234567,00:00,24:00,0,30,0,05,EUR"),
            "line 3: it has 11 cells, and the first line names 9 columns; write decimals with a",
        ),
        (file(ROW, f"{ROW},a note"), "line 3: it has 10 cells, and the first line names 9"),
        (
            file(ROW, 'a,2026-03-01,,1234567,00:00,24:00,"0.30,0.05,EUR', ROW),
            "line 3: a quotation mark stands in a wrong place (unexpected end of data); write the",
        ),
        (
            file('"a"b,2026-03-01,,1234567,00:00,24:00,0.30,0.05,EUR'),
            "line 2: a quotation mark stands in a wrong place (",
        ),
    ],
)
def test_a_file_that_is_wrong_as_a_whole(content: bytes, said: str) -> None:
    """What keeps it from being read is named. No tariff is taken from it."""
    tariffs, mistakes = parse_tariffs(content)
    assert tariffs == []
    assert mistakes[0].startswith(said)


def test_both_decimal_marks_in_one_file() -> None:
    """1.234 beside 0,30 may be a thousand: such a file has a mistake, not a price."""
    rows = [SEMICOLONS, PRICED.format("1.234", "0,05"), PRICED.format("1", "1.234,50"), ""]
    _, mistakes = parse_tariffs("\n".join(rows).encode())
    assert mistakes == [
        f"line 2, column feed_in_price: '0,05' {AS_IT_STANDS}",
        f"line 3, column feed_in_price: '1.234,50' {AS_IT_STANDS}",
    ]


OTHER = "d,2026-03-02,,12345,08:00,20:00,1,,JPY"
BEFORE = "end one of them before (valid_to), or give them other weekdays or times"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            ["d,2026-03-20,2026-03-19,1234567,00:00,24:00,1,1,EUR"],
            (
                "line 2, column valid_to: '2026-03-19' lies before valid_from 2026-03-20; write a "
                "later day, or nothing if the price still holds"
            ),
        ),
        (
            ["d,2026-03-20,,1234567,24:00,00:00,1,1,EUR"],
            (
                "line 2, column from_time: from 24:00 to 00:00 is no time; write from 00:00 to "
                "24:00 "
                "for the whole day"
            ),
        ),
        (
            ["d,2026-03-02,2026-03-06,67,00:00,24:00,1,1,EUR"],
            (
                "line 2, column weekdays: '67' does not occur from 2026-03-02 to 2026-03-06; write "
                "other days, 1 is Monday"
            ),
        ),
        (
            [OTHER, OTHER],
            "line 3: meter 'd' has a price at 08:00 on 2026-03-02 (Monday) by line 2 too; "
            + BEFORE,
        ),
        (
            ["d,2026-06-01,,5,05:00,09:00,2,,JPY", OTHER],
            "line 3: meter 'd' has a price at 08:00 on 2026-06-05 (Friday) by line 2 too; "
            + BEFORE,
        ),
        (
            [OTHER, "d,2026-03-31,2026-04-01,3,19:45,06:00,2,,JPY"],
            "line 3: meter 'd' has a price at 19:45 on 2026-04-01 (Wednesday) by line 2 too; "
            + BEFORE,
        ),
        (
            [OTHER, "d,2026-03-01,,12345,20:00,08:00,2,,EUR"],
            (
                "line 3, column currency: 'EUR' holds on 2026-03-02 (Monday), as does 'JPY' of "
                "line 2; "
                "write one currency for a day of a meter"
            ),
        ),
        (
            ["d,2026-03-01,2026-03-06,15,08:00,20:00,1,,JPY", "d,2026-03-06,,1245,20:00,08:00,2,,"],
            (
                "line 3, column currency: '' holds on 2026-03-06 (Friday), as does 'JPY' of line "
                "2; "
                "write one currency for a day of a meter"
            ),
        ),
    ],
)
def test_tariffs_that_mean_nothing_or_two_things(lines: list[str], said: str) -> None:
    """Named with the line, and the other line and the first common day where there are two."""
    tariffs, mistakes = parse_tariffs(file(*lines))
    assert (mistakes, contradictions(tariffs)) == ([], [said])


def test_only_lines_with_a_common_day_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prices by the hour are 8,784 lines a year: not each is compared with all others."""
    pairs: list[tuple[Tariff, Tariff]] = []
    monkeypatch.setattr(tariff_rules, "_clash", lambda *pair: pairs.append(pair) or "")
    first = date(2024, 1, 1).toordinal()
    days = [date.fromordinal(first + n) for n in range(366)]
    rows = [
        f"a,{day},{day},{day.isoweekday()},{hour:02}:00,{hour + 1:02}:00,0.{hour},,EUR"
        for day in days
        for hour in range(24)
    ]
    tariffs, mistakes = parse_tariffs(file(*rows))
    assert (len(tariffs), mistakes, contradictions(tariffs)) == (366 * 24, [], [])
    assert len(pairs) == 366 * 24 * 23 / 2
