"""The pages of the months on disk: each is written when what it shows has changed."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from homeiot_batch.core.files import write_text
from homeiot_batch.report.month_figures import HouseMonth
from homeiot_batch.report.month_page import file_of, month_page
from homeiot_batch.report.old_pages import remove_other_pages
from homeiot_batch.report.words import Words
from homeiot_batch.words.languages import Language

if TYPE_CHECKING:
    import jinja2

FOLDER = "months"
NAME = re.compile(r"\d{4}-\d{2}\.html")
KEY = re.compile(rb"<!-- figures ([0-9a-f]{64}) -->\s*\Z")  # as month.html.j2 ends


def write_months(
    folder: Path, months: Sequence[HouseMonth], templates: "jinja2.Environment", language: Language
) -> list[str]:
    """Write the pages that are missing or show something else, each by one rename.

    Pages of months that the house has no data of are removed. The names of the pages that were
    written. ArchiveError if the disk refuses.
    """
    words = Words(language)
    written = []
    for month in months:
        file = folder / file_of(month.first)
        key = month.key(language)
        if _key_of(file) != key:
            write_text(file, month_page(month, templates, words, key))
            written.append(file.name)
    remove_other_pages(folder, NAME, {file_of(month.first) for month in months})
    return written


def _key_of(file: Path) -> str:
    """The key at the end of the page, "" where there is no page of ours."""
    try:
        text = file.read_bytes()
    except OSError:
        return ""
    found = KEY.search(text[-100:])
    return found[1].decode() if found else ""
