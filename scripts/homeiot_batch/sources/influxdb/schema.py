"""The measurements of a server and their fields and tags, asked in a way that each version answers.

InfluxDB 2.x answers SHOW MEASUREMENTS, SHOW TAG KEYS and SHOW TAG VALUES for the default retention
policy, whatever policy the question names. There SELECT and SHOW FIELD KEYS are asked instead.
A `source` is what stands after FROM.
"""

from collections.abc import Mapping

from homeiot_batch.sources.influxdb.answers import FieldKey, Name, TagKey
from homeiot_batch.sources.influxdb.client import InfluxClient, quote_ident

# the types that each field has on the server: one for each shard, in the worst case
Types = dict[str, set[str]]


def field_types(client: InfluxClient, source: str) -> Types:
    """The fields of a measurement, or None if the measurement does not exist."""
    types: Types = {}
    for key in client.rows(f"SHOW FIELD KEYS FROM {source}", FieldKey):
        types.setdefault(key.name, set()).add(key.kind)
    return types


def tag_keys(client: InfluxClient, source: str, types: Types) -> set[str]:
    """The tags of a measurement that has fields of these types."""
    if client.major != "2":
        keys = client.rows(f"SHOW TAG KEYS FROM {source}", TagKey)
        return {key.name for key in keys}
    found: set[str] = set()
    for field in types:
        query = f"SELECT first({quote_ident(field)}::field) FROM {source} GROUP BY * SLIMIT 1"
        for series in client.series(query):
            found |= series.tags.keys()
    return found


def tag_values(client: InfluxClient, source: str, tag: str) -> int:
    """How many values a tag has."""
    if client.major != "2":
        query = f"SHOW TAG VALUES FROM {source} WITH KEY = {quote_ident(tag)}"
        return sum(len(series.values) for series in client.series(query))
    query = f"SELECT last(*) FROM {source} GROUP BY {quote_ident(tag)}"
    found = {series.tags.get(tag) for series in client.series(query)}
    return len(found - {"", None})


def measurements(client: InfluxClient, policy: str | None) -> list[str]:
    """The measurements in a retention policy, or in the default one.

    InfluxDB 1.x names those of the whole database.
    """
    if client.major != "2":
        return [row.name for row in client.rows("SHOW MEASUREMENTS", Name)]
    source = "/.*/"
    if policy:
        source = f"{quote_ident(policy)}./.*/"
    query = f"SHOW FIELD KEYS FROM {source}"
    return sorted({series.name for series in client.series(query)})


def deletion(measurement: str, tags: Mapping[str, str], time: int) -> str:
    """InfluxQL that deletes one point. Tags that it does not have are given as ''.

    A tag of which there is a field too must be called a tag, or the server refuses.
    """
    conditions = []
    for tag, value in tags.items():
        conditions.append(f"{quote_ident(tag)}::tag = {_literal(value)}")
    conditions.append(f"time = {time}")
    return f"DELETE FROM {quote_ident(measurement)} WHERE {' AND '.join(conditions)}"


def _literal(text: str) -> str:
    """A text as InfluxQL writes it."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"
