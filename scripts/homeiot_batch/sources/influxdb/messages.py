"""What the messages of an InfluxDB server mean: which of them pass by themselves, what to do."""

import re

from homeiot_batch.config import Settings

# such a message comes with status 200 too
BUSY = re.compile(
    r"max-concurrent-queries|too many (concurrent )?(requests|queries)|rate limit"
    r"|service unavailable",
    re.IGNORECASE,
)
BUSY_STATUSES = {429, 503}
LIMIT = re.compile(r"\b(max-[a-z]+(?:-[a-z]+)+|query-timeout|query-file-limit)\b")
# InfluxDB 3.0 to 3.7, and later ones
FILE_LIMIT = re.compile(r"exceed(ing the)? file limit", re.IGNORECASE)
COORDINATOR = "in the section [coordinator] of the server's configuration"
CREDENTIALS = (
    "check INFLUX_TOKEN (2.x) or INFLUX_USERNAME and INFLUX_PASSWORD (1.x), "
    "and that they may read the database"
)
ADVICE_BY_LIMIT = {
    "max-concurrent-queries": "run again when fewer programs ask the server, "
    f"or raise max-concurrent-queries {COORDINATOR}",
    "query-timeout": "run again when the server is less busy, "
    f"or raise query-timeout {COORDINATOR}",
    "query-file-limit": "raise --query-file-limit of the server",
}
ADVICE_BY_STATUS = {
    401: CREDENTIALS,
    403: CREDENTIALS,
    404: "check the path in INFLUX_URL",
    429: "run again later, or let fewer programs ask the server at once",
    503: "run again later, or let fewer programs ask the server at once",
}


def is_busy(message: str) -> bool:
    """Whether the message is that of a server that is asked too much at once."""
    return bool(BUSY.search(message))


def is_beyond_files(message: str) -> bool:
    """Whether InfluxDB 3 refuses a question because it would read too many files."""
    return bool(FILE_LIMIT.search(message))


def advice(message: str, status: int | None, settings: Settings) -> str:
    """What to do about a message that came with an HTTP status, or inside of an answer (None)."""
    if named := _named_limit(message):
        return _advice_on_limit(named)
    if re.search("database (.* )?not found", message, re.IGNORECASE):
        bucket = settings.influx_bucket
        return (
            f"check INFLUX_BUCKET={bucket!r}, and that the credentials may read it, not only write"
        )
    if re.search("retention policy not (found|set)", message):
        return _advice_on_policy(settings.influx_retention_policy)
    if is_busy(message):
        return ADVICE_BY_STATUS[429]
    if status not in ADVICE_BY_STATUS and re.search("timeout|interrupted", message):
        return "run again when the server is less busy"
    return ADVICE_BY_STATUS.get(status or 200, "read the server's log")


def _named_limit(message: str) -> str | None:
    """The server's setting that the message is about, if it is a limit."""
    if is_beyond_files(message):
        return "query-file-limit"
    if named := LIMIT.search(message):
        return named[1]
    return None


def _advice_on_policy(policy: str | None) -> str:
    if policy:
        return f"check INFLUX_RETENTION_POLICY={policy!r}"
    return (
        "the database has no default retention policy: set INFLUX_RETENTION_POLICY to the one "
        "that has the readings (homeiot doctor names it)"
    )


def _advice_on_limit(name: str) -> str:
    if name.startswith("max-select-"):
        return f"raise {name} {COORDINATOR} (in 2.x it is influxql-{name}), where 0 means no limit"
    return ADVICE_BY_LIMIT.get(name, f"raise {name} in the server's configuration")
