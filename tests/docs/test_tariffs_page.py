"""The tariffs of docs/how-to/tariffs.md are ones that a run takes, and its columns are all."""

import re

from homeiot_batch.warehouse.tariff_file import COLUMNS, HEADER, parse_tariffs
from homeiot_batch.warehouse.tariff_rules import contradictions
from tests.docs.pages import blocks, page

PAGE = page("how-to/tariffs.md")


def test_the_examples_are_good() -> None:
    """Each file, and each line that is to be added to one."""
    _, whole, later, _ = blocks(PAGE, "text")
    for text in (whole, f"{HEADER}\n{later}"):
        tariffs, mistakes = parse_tariffs(text.encode())
        assert (len(tariffs), mistakes, contradictions(tariffs)) == (2, [], [])


def test_every_column_is_described() -> None:
    """In the order of the first line."""
    assert tuple(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == COLUMNS


def test_the_message_is_the_one_of_a_run() -> None:
    """A reader finds it word for word."""
    row = "a,10/11/2026,,1234567,00:00,24:00,1,,JPY"
    _, [mistake] = parse_tariffs(f"{HEADER}\n{row}\n".encode())
    assert f"failed: dbt: data/house/tariffs.csv {mistake}\n" in PAGE
