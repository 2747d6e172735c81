"""Whether the credentials read the bucket, where its name leads, and how long it keeps points."""

import re
from collections.abc import Iterator
from datetime import timedelta

from homeiot_batch.config import Settings
from homeiot_batch.doctor.finding import Finding, of_error, ok, problem, warning
from homeiot_batch.doctor.names import near, visible_databases
from homeiot_batch.errors import SourceError
from homeiot_batch.sources.influx_reader import InfluxReader
from homeiot_batch.sources.influxdb.answers import Bucket, Mapping
from homeiot_batch.sources.influxdb.client import InfluxClient, quote_ident
from homeiot_batch.sources.influxdb.supported_servers import is_like_1
from homeiot_batch.sources.influxdb.transport import error_text

FIXES = {
    "1": "set INFLUX_USERNAME and INFLUX_PASSWORD (or INFLUX_PASSWORD_FILE) to a user "
    "with READ on the database",
    "2": "set INFLUX_TOKEN (or INFLUX_TOKEN_FILE) to a token that may read the bucket",
    "3": "set INFLUX_TOKEN (or INFLUX_TOKEN_FILE) to a token of the server",
}
REFUSALS = (401, 403)
ONE_HOUR = timedelta(hours=1)
DEFAULT_POLICY = "autogen"


def check_access(settings: Settings, reader: InfluxReader, major: str) -> Iterator[Finding]:
    """Whether the credentials read the bucket. Ends with a problem as soon as they do not."""
    refused = _refused(settings, reader, major)
    if refused:
        yield refused
        return
    yield ok("credentials", f"{_who(settings)} may read {settings.influx_bucket!r}")
    try:
        yield from _mappings(settings, reader.client)
    except SourceError as error:
        yield of_error("mapping", error, "warning")
    try:
        yield from _retention(settings, reader)
    except SourceError as error:
        yield of_error("retention", error, "warning")


def _refused(settings: Settings, reader: InfluxReader, major: str) -> Finding | None:
    """What the credentials lack, or None if they read the bucket."""
    answer = reader.client.database_list()
    if answer.status_code in REFUSALS:
        found = _refusal(settings, major, error_text(answer.content))
        return problem("credentials", found, _fix(major))
    databases = visible_databases(reader.client)
    if settings.influx_bucket not in databases:
        return _unseen(settings, reader, major, databases)
    if not is_like_1(reader.client.version):
        return None
    bucket = quote_ident(settings.influx_bucket)
    answer = reader.client.get("query", q=f"SHOW RETENTION POLICIES ON {bucket}")
    if answer.status_code in REFUSALS:
        lack = f"may not read {settings.influx_bucket!r}, only write it"
        return problem(
            "credentials",
            f"{_who(settings)} {lack}: {error_text(answer.content)}",
            f"GRANT READ ON {bucket} TO that user, or name another",
        )
    return None


def _fix(major: str) -> str:
    """What to set for this major version, or for each if it is not among them."""
    if major in FIXES:
        return FIXES[major]
    return "; or ".join(f"{number}.x: {fix}" for number, fix in FIXES.items())


def _refusal(settings: Settings, major: str, reason: str) -> str:
    token = settings.token()
    user = settings.influx_username
    if token and major == "1":
        return f"InfluxDB 1.x takes no INFLUX_TOKEN ({reason})"
    asks = "the server asks for credentials"
    if not token and not user:
        return f"{asks}, and none are set ({reason})"
    if not token and not settings.password():
        return f"{asks} ({reason}), and INFLUX_USERNAME without a password is not sent"
    return f"the server refuses {_who(settings)} ({reason})"


def _who(settings: Settings) -> str:
    if settings.token():
        return "the token"
    if settings.influx_username and settings.password():
        return f"user {settings.influx_username!r}"
    return "whoever asks"


def _unseen(settings: Settings, reader: InfluxReader, major: str, databases: list[str]) -> Finding:
    """The bucket is not there, or the credentials do not see it."""
    bucket = settings.influx_bucket
    who = _who(settings)
    for there in reader.client.buckets(name=bucket):
        if there.name == bucket:
            return _unmapped(reader.client, there)
    if major == "2" and not databases:
        return _nothing_seen(who, bucket)
    kind = "database"
    caution = ""
    if major == "2":
        kind = "bucket"
        caution = ". A token that may only write a bucket does not see it"
    found = f"{who} sees no {kind} {bucket!r}; {near(bucket, databases)}{caution}"
    return problem("database", found, "correct INFLUX_BUCKET, or let the credentials read it")


def _nothing_seen(who: str, bucket: str) -> Finding:
    return problem(
        "credentials",
        f"{who} is accepted, but sees no bucket: it may at most write. InfluxDB 2.x says so only "
        'in this way: queries answer 200 with "database not found" and an empty list of '
        "measurements, as if there were no readings",
        f"make a token with read permission on bucket {bucket!r}, and set INFLUX_TOKEN to it",
    )


def _unmapped(client: InfluxClient, bucket: Bucket) -> Finding:
    """A bucket that InfluxQL does not find by its name: by another one, or not at all."""
    there = f"bucket {bucket.name!r} is there"
    for mapping in client.mappings([bucket]):
        if mapping.bucket == bucket.id:
            database = mapping.database
            policy = mapping.policy
            by = f"as database {database!r} with retention policy {policy!r}"
            fix = f"set INFLUX_BUCKET={database} INFLUX_RETENTION_POLICY={policy}"
            return problem("database", f"{there}, but InfluxQL finds it {by}", fix)
    return problem(
        "database",
        f"{there}, but no database is mapped to it, and this version makes none by itself",
        _how_to_map(bucket),
    )


def _how_to_map(bucket: Bucket) -> str:
    """The command, with names that a mapping may have."""
    parts = f"{bucket.name}/{DEFAULT_POLICY}".split("/")
    database = _mappable(parts[0])
    policy = _mappable(parts[1])
    names = f"--db {database} --rp {policy}"
    create = f"influx v1 dbrp create --bucket-id {bucket.id} {names} --default"
    if database == bucket.name and policy == DEFAULT_POLICY:
        return create
    return f"{create}, and set INFLUX_BUCKET={database}"


def _mappable(name: str) -> str:
    """A name that a mapping may have, as much like `name` as can be."""
    return re.sub(r"[^\w.-]", "_", name) or "_"


def _mappings(settings: Settings, client: InfluxClient) -> Iterator[Finding]:
    """To which bucket each policy of the database that is read leads."""
    buckets = client.buckets()
    names = {bucket.id: bucket.name for bucket in buckets}
    lines: list[str] = []
    for mapping in client.mappings(buckets):
        if mapping.database == settings.influx_bucket:
            bucket = names.get(mapping.bucket, mapping.bucket)
            lines.append(f"{_shown_mapping(mapping)} is bucket {bucket!r}")
    if lines:
        yield ok("mapping", "; ".join(sorted(lines)))


def _shown_mapping(mapping: Mapping) -> str:
    shown = f"{mapping.database}/{mapping.policy}"
    if mapping.is_default:
        shown += " (default)"
    return shown


def _retention(settings: Settings, reader: InfluxReader) -> Iterator[Finding]:
    """Whether what is missed can still be brought in when it is noticed."""
    policy, kept = reader.retention
    lookback = settings.lookback_days
    if kept and kept < timedelta(days=lookback + 1):
        hours = kept // ONE_HOUR
        yield warning(
            "retention",
            f"policy {policy!r} keeps {hours} hours: what a run has missed is gone after that",
            f"let it keep more than LOOKBACK_DAYS={lookback} and a day, "
            "or look at the runs every day",
        )
