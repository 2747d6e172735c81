"""How servers differ that answer /query, and which of them cannot be read."""

import json
import re

from homeiot_batch.config import Settings
from homeiot_batch.errors import SourceError

# the first 3.x whose /query answers as that of 1.x does
FIRST_LIKE_1 = (3, 7)


def is_3(version: str) -> bool:
    """Whether the version is one of InfluxDB 3."""
    return version.startswith("3.")


def is_like_1(version: str) -> bool:
    """Whether /query answers SHOW DATABASES and SHOW RETENTION POLICIES: not before 3.7."""
    return not is_3(version) or _number(version) >= FIRST_LIKE_1


def is_silent_without_rows(version: str) -> bool:
    """Whether an answer in chunks is empty where there are no rows: from 3.7 on."""
    return is_3(version) and is_like_1(version)


def has_msgpack(version: str) -> bool:
    """Whether a server of that version writes in msgpack what it writes in JSON.

    1.x and 2.x do, also builds without a number. InfluxDB 3 writes arrays in place of maps. A proxy
    may hide the version.
    """
    is_number = version[:1].isdigit()
    return version[:1] in {"1", "2"} or bool(version and not is_number)


def refuse_unsupported(version: str, settings: Settings) -> None:
    """SourceError for a server, by its version, that would read another database than is meant."""
    policy = settings.influx_retention_policy
    if is_3(version) and policy:
        database = f"{settings.influx_bucket}/{policy}"
        raise SourceError(
            f"INFLUX_RETENTION_POLICY={policy!r}: InfluxDB {version} ignores it; leave it unset, "
            f"and set INFLUX_BUCKET to the whole name of the database, such as '{database}'"
        )


def _number(version: str) -> tuple[int, ...]:
    """Major and minor version. Nothing, which is less than any, if it names none."""
    found = re.match(r"(\d+)\.(\d+)", version)
    if found is None:
        return ()
    return tuple(map(int, found.groups()))


def refuse_imitation(databases: object, fields: object, url: str) -> None:
    """SourceError if SHOW DATABASES and SHOW FIELD KEYS have the same answer, a list of databases.

    VictoriaMetrics takes what is written for InfluxDB, but gives that list to every question.
    """
    if fields == databases and '"databases"' in json.dumps(databases):
        raise imitation(url)


def is_imitation(query: str, name: object, columns: object) -> bool:
    """Whether a series of that name and columns is a list of databases in place of an answer."""
    return (name, columns) == ("databases", ["name"]) and query != "SHOW DATABASES"


def imitation(url: str) -> SourceError:
    """The error for a server that gives its list of databases to every question."""
    return SourceError(
        f"{url} answers every question with a list of databases, as VictoriaMetrics does, so no "
        "reading can be asked for; name an InfluxDB or an export in INFLUX_URL"
    )
