"""What answers at INFLUX_URL, whether its clock agrees with this machine's, and whether the credentials may read."""

import difflib
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import requests

from homeiot_batch.config import Settings
from homeiot_batch.doctor.finding import Finding, of_error, ok, problem, warning
from homeiot_batch.errors import HomeIotError, SourceError
from homeiot_batch.sources.clock import TOO_FAR, WHAT_TO_DO, Clocks
from homeiot_batch.sources.exports.files import export_files
from homeiot_batch.sources.influx_reader import InfluxReader
from homeiot_batch.sources.influxdb.answers import Bucket, Name
from homeiot_batch.sources.influxdb.client import InfluxClient, quote_ident
from homeiot_batch.sources.influxdb.supported_servers import (
    is_3,
    refuse_imitation,
    refuse_unsupported,
)
from homeiot_batch.sources.influxdb.transport import content_of, version_of, words

MAX_SKEW_S = 5
SYSTEM = {"_internal", "_monitoring", "_tasks"}
PATH_CURE = "correct the path in INFLUX_URL; without a proxy in front, InfluxDB has none"
CURES = {
    "1": "set INFLUX_USERNAME and INFLUX_PASSWORD (or INFLUX_PASSWORD_FILE) to a user with READ on the database",
    "2": "set INFLUX_TOKEN (or INFLUX_TOKEN_FILE) to a token that may read the bucket",
}


def check_source(settings: Settings) -> Iterator[Finding]:
    """The server or the export. A problem among the findings means that no reading can be asked for."""
    name = "server" if settings.is_server else "export"
    try:
        yield from (
            _check_server(settings, InfluxReader(settings))
            if settings.is_server
            else _check_export(settings)
        )
    except HomeIotError as error:
        yield of_error(name, error)


def visible_databases(client: InfluxClient) -> list[str]:
    """Databases (1.x), or buckets and mapped names (2.x), that the credentials may see, without the server's own."""
    names = {row.name for row in client.rows("SHOW DATABASES", Name)}
    return sorted(names - SYSTEM)


def near(name: str, names: list[str]) -> str:
    """The names that look like `name`, or else the first ten."""
    close = difflib.get_close_matches(name, names, n=5)
    return (
        f"near it {_are(close)}"
        if close
        else f"there {_are(names[:10])}{' and more' if len(names) > 10 else ''}"
    )


def _are(names: list[str]) -> str:
    return (
        f"{'is' if len(names) == 1 else 'are'} {', '.join(map(repr, names))}"
        if names
        else "is nothing that can be seen"
    )


def _check_export(settings: Settings) -> Iterator[Finding]:
    files = export_files(settings.influx_url)
    size = sum(file.stat().st_size for file in files)
    written = datetime.fromtimestamp(max(file.stat().st_mtime for file in files), settings.zone)
    closed = [str(file) for file in files if not os.access(file, os.R_OK)]
    if closed:
        yield problem(
            "export",
            f"{', '.join(closed[:5])} cannot be read",
            "give the user of the batch permission to read the export",
        )
    else:
        yield ok(
            "export",
            f"{settings.influx_url}: {len(files)} files, {size / 1e6:.2f} MB, written {written:%F %T}; read when a day is fetched",
        )


def _check_server(settings: Settings, reader: InfluxReader) -> Iterator[Finding]:
    asked = datetime.now(UTC)
    answer = reader.client.ask("ping")
    halfway = asked + (datetime.now(UTC) - asked) / 2
    product, major = _product(settings, reader, answer)
    yield product
    if product.level != "problem":
        yield _clock(answer, halfway)
        yield from _access(settings, reader, major)


def _product(
    settings: Settings, reader: InfluxReader, ping: requests.Response
) -> tuple[Finding, str]:
    """What answers, and its major version; "" if that cannot be told."""
    version, url = version_of(ping), settings.influx_url
    if version and (ping.status_code == 404 or "html" in ping.headers.get("Content-Type", "")):
        return problem(
            "server",
            f"InfluxDB {version} is at {url}, but not at this path (/ping answers {ping.status_code})",
            PATH_CURE,
        ), ""
    if not version:
        return _unnamed(reader.client, url, ping), ""
    major = reader.client.major
    shown = version if version[:1].isdigit() or not major else f"{major}.x ({version})"
    if major in CURES:
        return ok("server", f"InfluxDB {shown} at {url}"), major
    if is_3(version):
        refuse_unsupported(version, settings)
        found = f"InfluxDB {shown} at {url}; the batch was tried with played answers of it only"
        return warning("server", found, "compare the first days by verify"), major
    return warning(
        "server",
        f"InfluxDB {shown} at {url}; the batch is made for 1.x and 2.x",
        "compare days by verify before you rely on it",
    ), major


def _unnamed(client: InfluxClient, url: str, ping: requests.Response) -> Finding:
    """Without the version in its answer it is InfluxDB behind a proxy, or something else."""
    query = client.ask("query", q="SHOW DATABASES")
    content = content_of(query)
    if isinstance(content, dict) and content.keys() & {"results", "error", "code"}:
        refuse_imitation(content, content_of(client.ask("query", q="SHOW FIELD KEYS")), url)
        return ok(
            "server",
            f"InfluxDB of a version that is not told, at {url} (/ping answers {ping.status_code})",
        )
    name = f"{ping.headers['Server']}: " if "Server" in ping.headers else ""
    said = ", ".join(
        f"{path} answers {a.status_code} ({a.headers.get('Content-Type', 'no type')})"
        for path, a in (("/ping", ping), ("/query", query))
    )
    return problem(
        "server",
        f"what answers at {url} is no InfluxDB: {name}{said}",
        "check host, port and path in INFLUX_URL, and the proxy's rules",
    )


def _clock(answer: requests.Response, here: datetime) -> Finding:
    clocks = Clocks.of(answer.headers, here)
    if clocks is None:
        return warning(
            "clock",
            "the server's cannot be compared with this machine's: its answer has no Date",
            "let the proxy before the server hand the header Date on",
        )
    skew = clocks.difference.total_seconds()
    if abs(skew) <= MAX_SKEW_S:
        return ok("clock", "the server's agrees with this machine's")
    if abs(clocks.difference) >= TOO_FAR:
        return problem("clock", f"{clocks}: a run archives nothing", WHAT_TO_DO)
    which = "ahead of" if skew > 0 else "behind"
    return warning(
        "clock",
        f"the server's is {abs(skew):.0f} s {which} this machine's",
        "let both follow a time server (NTP)",
    )


def _access(settings: Settings, reader: InfluxReader, major: str) -> Iterator[Finding]:
    """Whether the credentials read the bucket; ends with a problem as soon as they do not."""
    cure = CURES.get(major, "; or ".join(f"{n}.x: {text}" for n, text in CURES.items()))
    answer = reader.client.ask("query", q="SHOW DATABASES")
    if answer.status_code in (401, 403):
        yield problem("credentials", _refusal(settings, major, words(answer.content)), cure)
        return
    databases = visible_databases(reader.client)
    if settings.influx_bucket not in databases:
        yield _unseen(settings, reader, major, databases)
        return
    answer = reader.client.ask(
        "query", q=f"SHOW RETENTION POLICIES ON {quote_ident(settings.influx_bucket)}"
    )
    if answer.status_code in (401, 403):
        found = f"{_who(settings)} may not read {settings.influx_bucket!r}, only write it: {words(answer.content)}"
        yield problem(
            "credentials",
            found,
            f"GRANT READ ON {quote_ident(settings.influx_bucket)} TO that user, or name another",
        )
        return
    yield ok("credentials", f"{_who(settings)} may read {settings.influx_bucket!r}")
    for name, check in (
        ("mapping", _mappings(settings, reader.client)),
        ("retention", _retention(settings, reader)),
    ):
        try:
            yield from check
        except SourceError as error:
            yield of_error(name, error, "warning")


def _retention(settings: Settings, reader: InfluxReader) -> Iterator[Finding]:
    """Whether what is missed can still be brought in when it is noticed."""
    policy, kept = reader.retention
    if kept and kept < timedelta(days=settings.lookback_days + 1):
        found = f"policy {policy!r} keeps {kept // timedelta(hours=1)} hours: what a run has missed is gone after that"
        yield warning(
            "retention",
            found,
            f"let it keep more than LOOKBACK_DAYS={settings.lookback_days} and a day, or look at the runs every day",
        )


def _refusal(settings: Settings, major: str, said: str) -> str:
    if settings.token() and major == "1":
        return f"InfluxDB 1.x takes no INFLUX_TOKEN ({said})"
    if settings.influx_username and not settings.password() and not settings.token():
        return f"the server asks for credentials ({said}); INFLUX_USERNAME without a password is not sent"
    if not settings.token() and not settings.influx_username:
        return f"the server asks for credentials, and none are set ({said})"
    return f"the server refuses {_who(settings)} ({said})"


def _who(settings: Settings) -> str:
    if settings.token():
        return "the token"
    return (
        f"user {settings.influx_username!r}"
        if settings.influx_username and settings.password()
        else "whoever asks"
    )


def _unseen(settings: Settings, reader: InfluxReader, major: str, databases: list[str]) -> Finding:
    """The bucket is not there, or the credentials do not see it."""
    bucket, who = settings.influx_bucket, _who(settings)
    for known in reader.client.buckets(name=bucket):
        if known.name == bucket:
            return _unmapped(reader.client, known)
    if major == "2" and not databases:
        found = (
            f"{who} is accepted, but sees no bucket: it may at most write. InfluxDB 2.x says so only in this way: queries answer 200 with "
            f'"database not found" and an empty list of measurements, as if there were no readings'
        )
        return problem(
            "credentials",
            found,
            f"make a token with read permission on bucket {bucket!r}, and set INFLUX_TOKEN to it",
        )
    caution = "; a token that may only write a bucket does not see it" if major == "2" else ""
    found = f"{who} sees no {'bucket' if major == '2' else 'database'} {bucket!r}; {near(bucket, databases)}{caution}"
    return problem("database", found, "correct INFLUX_BUCKET, or let the credentials read it")


def _unmapped(client: InfluxClient, bucket: Bucket) -> Finding:
    """A bucket that InfluxQL does not find by its name: by another one, or not at all."""
    for mapping in client.mappings([bucket]):
        if mapping.bucket == bucket.id:
            return problem(
                "database",
                f"bucket {bucket.name!r} is there, but InfluxQL finds it as database "
                f"{mapping.database!r} with retention policy {mapping.policy!r}",
                f"set INFLUX_BUCKET={mapping.database} INFLUX_RETENTION_POLICY={mapping.policy}",
            )
    database, policy = (_mappable(part) for part in f"{bucket.name}/autogen".split("/")[:2])
    create = (
        f"influx v1 dbrp create --bucket-id {bucket.id} --db {database} --rp {policy} --default"
    )
    is_as_set = (database, policy) == (bucket.name, "autogen")
    return problem(
        "database",
        f"bucket {bucket.name!r} is there, but no database is mapped to it, and this version makes "
        "none by itself",
        create if is_as_set else f"{create}, and set INFLUX_BUCKET={database}",
    )


def _mappable(name: str) -> str:
    """A name that a mapping may have, as much like `name` as can be."""
    return re.sub(r"[^\w.-]", "_", name) or "_"


def _mappings(settings: Settings, client: InfluxClient) -> Iterator[Finding]:
    buckets = client.buckets()
    names = {bucket.id: bucket.name for bucket in buckets}
    lines = [
        f"{mapping.database}/{mapping.policy}{' (default)' if mapping.is_default else ''} "
        f"is bucket {names.get(mapping.bucket, mapping.bucket)!r}"
        for mapping in client.mappings(buckets)
        if mapping.database == settings.influx_bucket
    ]
    if lines:
        yield ok("mapping", "; ".join(sorted(lines)))
