"""The files of the pages of sources, beside the index of a house with many."""

import hashlib
import re

from homeiot_batch.report.panel import slug

FOLDER = "sources"
HOUSE = "house.html"
NAME = re.compile(r"[a-z0-9-]+-[0-9a-f]{16}\.html|house\.html")


def file_of_source(name: str) -> str:
    """The name of a source's page: always the same, and that of no other source.

    Names of sources may hold any letter, be long, and differ only in case.
    """
    digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()
    return f"{slug(name).lower()}-{digest[:16]}.html"
