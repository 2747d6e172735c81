"""Names that a server has, to show where the declared one is not among them."""

import difflib

from homeiot_batch.sources.influxdb.client import InfluxClient

SYSTEM = {"_internal", "_monitoring", "_tasks"}
SHOWN_NAMES = 10
SHOWN_NEAR = 5


def visible_databases(client: InfluxClient) -> list[str]:
    """Names that the credentials may see, without the server's own.

    Databases of InfluxDB 1.x, buckets and mapped names of 2.x.
    """
    return sorted(set(client.databases()) - SYSTEM)


def near(name: str, names: list[str]) -> str:
    """The names that look like `name`, or else the first ten."""
    close = difflib.get_close_matches(name, names, n=SHOWN_NEAR)
    if close:
        return f"near it {_are(close)}"
    there = f"there {_are(names[:SHOWN_NAMES])}"
    if len(names) > SHOWN_NAMES:
        there += " and more"
    return there


def _are(names: list[str]) -> str:
    if not names:
        return "is nothing that can be seen"
    listed = ", ".join(map(repr, names))
    if len(names) == 1:
        return f"is {listed}"
    return f"are {listed}"
