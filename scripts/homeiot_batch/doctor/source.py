"""What answers at INFLUX_URL, whether its clock is right, and whether the credentials may read."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime

import requests

from homeiot_batch.config import Settings
from homeiot_batch.doctor.access import FIXES, check_access
from homeiot_batch.doctor.finding import Finding, of_error, ok, problem, warning
from homeiot_batch.errors import HomeIotError
from homeiot_batch.sources.clock import TOO_FAR, WHAT_TO_DO, Clocks
from homeiot_batch.sources.exports.files import export_files
from homeiot_batch.sources.influx_reader import InfluxReader
from homeiot_batch.sources.influxdb.client import InfluxClient
from homeiot_batch.sources.influxdb.supported_servers import (
    is_3,
    refuse_imitation,
    refuse_unsupported,
)
from homeiot_batch.sources.influxdb.transport import json_or_none, version_of

MAX_SKEW_S = 5
NOT_FOUND = 404
SHOWN_FILES = 5
INFLUXDB_KEYS = {"results", "error", "code"}
NO_MAJOR = ""


def check_source(settings: Settings) -> Iterator[Finding]:
    """The server or the export. After a problem among the findings no reading can be asked for."""
    if settings.is_server:
        name = "server"
        check = _check_server
    else:
        name = "export"
        check = _check_export
    try:
        yield from check(settings)
    except HomeIotError as error:
        yield of_error(name, error)


def _check_export(settings: Settings) -> Iterator[Finding]:
    url = settings.influx_url
    files = export_files(url)
    states = [file.stat() for file in files]
    megabytes = sum(state.st_size for state in states) / 1e6
    changed = max(state.st_mtime for state in states)
    written = datetime.fromtimestamp(changed, settings.zone)
    closed = [str(file) for file in files if not os.access(file, os.R_OK)]
    if closed:
        shown = ", ".join(closed[:SHOWN_FILES])
        fix = "give the user of the batch permission to read the export"
        yield problem("export", f"{shown} cannot be read", fix)
        return
    found = f"{url}: {len(files)} files, {megabytes:.2f} MB, written {written:%F %T}"
    yield ok("export", f"{found}; read when a day is fetched")


def _check_server(settings: Settings) -> Iterator[Finding]:
    reader = InfluxReader(settings)
    asked = datetime.now(UTC)
    answer = reader.client.get("ping")
    waited = datetime.now(UTC) - asked
    halfway = asked + waited / 2
    product, major = _product(settings, reader, answer)
    yield product
    if product.level != "problem":
        yield _clock(answer, halfway)
        yield from check_access(settings, reader, major)


def _product(
    settings: Settings, reader: InfluxReader, ping: requests.Response
) -> tuple[Finding, str]:
    """What answers, and its major version, or NO_MAJOR if that cannot be told."""
    url = settings.influx_url
    version = version_of(ping)
    if not version:
        return _unnamed(reader.client, url, ping), NO_MAJOR
    if _is_another_page(ping):
        return _wrong_path(url, version, ping), NO_MAJOR
    major = reader.client.major
    return _of_version(settings, version, major), major


def _is_another_page(ping: requests.Response) -> bool:
    """Whether InfluxDB answered, but not as it answers /ping."""
    kind = ping.headers.get("Content-Type", "")
    return ping.status_code == NOT_FOUND or "html" in kind


def _wrong_path(url: str, version: str, ping: requests.Response) -> Finding:
    where = f"not at this path (/ping answers {ping.status_code})"
    return problem(
        "server",
        f"InfluxDB {version} is at {url}, but {where}",
        "correct the path in INFLUX_URL. Without a proxy in front, InfluxDB has none",
    )


def _of_version(settings: Settings, version: str, major: str) -> Finding:
    shown = version
    if major and not version[:1].isdigit():
        shown = f"{major}.x ({version})"
    found = f"InfluxDB {shown} at {settings.influx_url}"
    if is_3(version):
        refuse_unsupported(version, settings)
        found += ": the batch was tested with played answers of InfluxDB 3, not with a real server"
        return warning("server", found, "compare the first days by verify")
    if major in FIXES:
        return ok("server", found)
    found += ", and the batch is made for 1.x and 2.x"
    return warning("server", found, "compare days by verify before you rely on it")


def _unnamed(client: InfluxClient, url: str, ping: requests.Response) -> Finding:
    """Without the version in its answer it is InfluxDB behind a proxy, or something else."""
    query = client.get("query", q="SHOW DATABASES")
    content = json_or_none(query)
    if isinstance(content, dict) and content.keys() & INFLUXDB_KEYS:
        fields = client.get("query", q="SHOW FIELD KEYS")
        refuse_imitation(content, json_or_none(fields), url)
        where = f"at {url} (/ping answers {ping.status_code})"
        return ok("server", f"InfluxDB of a version that is not told, {where}")
    answers = f"{_shown_answer('/ping', ping)}, {_shown_answer('/query', query)}"
    if "Server" in ping.headers:
        answers = f"{ping.headers['Server']}: {answers}"
    return problem(
        "server",
        f"what answers at {url} is no InfluxDB: {answers}",
        "check host, port and path in INFLUX_URL, and the proxy's rules",
    )


def _shown_answer(path: str, answer: requests.Response) -> str:
    kind = answer.headers.get("Content-Type", "no type")
    return f"{path} answers {answer.status_code} ({kind})"


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
    which = "behind"
    if skew > 0:
        which = "ahead of"
    found = f"the server's is {abs(skew):.0f} s {which} this machine's"
    return warning("clock", found, "let both follow a time server (NTP)")
