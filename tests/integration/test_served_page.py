"""The page as Caddy serves it: page/serve.sh and page/Caddyfile with a real Caddy."""

import http.client
import os
import re
import shutil
import socket
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest

from homeiot_batch.config import ROOT
from homeiot_batch.report.figures import House
from homeiot_batch.report.page import render
from tests.docs.pages import blocks, page, sections
from tests.integration.servers import free_port
from tests.report.browser import CHROMIUM, Browser

PASSWORD = "two words $HOME 居間"
PAGE = page("how-to/page.md")
SERVE = ROOT / "page/serve.sh"
RENAMED = (2, 8)  # before this version Caddy calls the directive basicauth
WAIT_S = 60
NOW = datetime(2025, 11, 24, 3, tzinfo=UTC)
FILES = {
    "index.html": render(
        House(ZoneInfo("Asia/Tokyo"), NOW.replace(tzinfo=None), date(2025, 11, 23), []), NOW, "en"
    ),
    "months/2026-11.html": "<p>a month",
    "sources/flat-1-bfd28ffee896e68f.html": "<p>a source",
    "sources/notes.txt": "secret",
    "months/notes.html": "secret",
    "months/2026-11.html.part": "secret",
    ".hidden": "secret",
    "home.duckdb": "secret",
    "run.html": "secret",
    "../Caddyfile.txt": "secret",
}


class Answer(NamedTuple):
    """What the server answered."""

    status: int
    headers: dict[str, str]
    body: str


def login(user: str, password: str) -> str:
    """The header that a browser sends."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


class Served:
    """The folder of a report, and the Caddy on it."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.address = settings.get("PAGE_LISTEN", "127.0.0.1")
        self.report = folder / "report"
        for name, text in FILES.items():
            file = self.report / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        self.port = free_port()
        places = {"PAGE_PORT": str(self.port), "PAGE_FOLDER": str(self.report)}
        environment = {"HOME": str(folder), "PAGE_PASSWORD": PASSWORD}
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                ["sh", str(SERVE), str(caddyfile(folder))],
                env={"PATH": os.environ["PATH"]} | places | environment | settings,
                stdout=log,
                stderr=log,
            )
        self.wait(self.port)

    def wait(self, port: int) -> None:
        """Until the server on this port answers."""
        limit = time.monotonic() + WAIT_S
        while time.monotonic() < limit and self.process.poll() is None:
            try:
                self.ask("/", "", port=port)
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError(self.log.read_text())

    def ask(
        self,
        path: str,
        password: str = PASSWORD,
        method: str = "GET",
        port: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer to a request, the path as it is."""
        connection = http.client.HTTPConnection(self.address, port or self.port, timeout=60)
        sent = dict(headers or {})
        if password:
            sent["Authorization"] = login("house", password)
        connection.request(method, path, headers=sent)
        got = connection.getresponse()
        found = [(name.lower(), value) for name, value in got.getheaders()]
        body = got.read().decode()
        connection.close()
        joined = {name: ", ".join(v for n, v in found if n == name) for name, _ in found}
        return Answer(got.status, joined, body)


def caddyfile(folder: Path) -> Path:
    """The shipped file, with the directive's older name for an older Caddy."""
    assert shutil.which("caddy"), "caddy is missing; install Debian's caddy"
    said = subprocess.run(["caddy", "version"], capture_output=True, text=True, check=True).stdout
    version = re.match(r"v?(\d+)\.(\d+)", said)
    text = (ROOT / "page/Caddyfile").read_text()
    if version and tuple(map(int, version.groups())) < RENAMED:
        text = text.replace("basic_auth", "basicauth")
    file = folder / "Caddyfile"
    file.write_text(text)
    return file


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A report that is served."""
    running = Served(tmp_path_factory.mktemp("served"))
    yield running
    running.process.terminate()
    running.process.wait(timeout=60)


def test_only_this_machine_reaches_the_page(served: Served) -> None:
    """It listens on 127.0.0.1 and on no other address of the machine. 127.0.0.2 is one, too."""
    for address in ("127.0.0.2", "::1"):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((address, served.port), timeout=60)


def test_the_page_listens_where_it_is_told(tmp_path: Path) -> None:
    """PAGE_LISTEN opens it to another address."""
    running = Served(tmp_path, PAGE_LISTEN="127.0.0.2")
    try:
        assert running.ask("/").body == FILES["index.html"]
    finally:
        running.process.terminate()
        running.process.wait(timeout=60)


def test_each_variable_without_docker_is_read() -> None:
    """Those of the table, and no others, with their defaults."""
    rows = re.findall(r"^\| `(PAGE_\w+)` \| (\S+) \|", sections(PAGE)["Without Docker"], re.M)
    text = (ROOT / "page/Caddyfile").read_text()
    assert dict(rows) == dict(re.findall(r"{\$(PAGE_\w+):([^}]+)}", text))


@pytest.mark.parametrize(
    "path", ["/", "/index.html", "/months/2026-11.html", "/months/", "/.hidden", "/nothing"]
)
def test_nobody_sees_anything_without_the_password(served: Served, path: str) -> None:
    """Not even whether a file is there."""
    for method in ("GET", "HEAD", "POST"):
        asked = served.ask(path, "", method)
        assert (asked.status, asked.body) == (401, "")


def test_another_password_is_refused(served: Served) -> None:
    """Also its beginning, and another user."""
    assert served.ask("/", PASSWORD[:-1]).status == 401
    other = {"Authorization": login("admin", PASSWORD)}
    assert served.ask("/", "", headers=other).status == 401


def test_the_pages_are_there_with_the_password(served: Served) -> None:
    """The main page by its address alone and by name, a month, a source. HEAD has no body."""
    for path, name in (
        ("/", "index.html"),
        ("/index.html", "index.html"),
        ("/months/2026-11.html", "months/2026-11.html"),
        ("/sources/flat-1-bfd28ffee896e68f.html", "sources/flat-1-bfd28ffee896e68f.html"),
    ):
        shown = served.ask(path)
        assert (shown.status, shown.body) == (200, FILES[name])
        assert shown.headers["content-type"] == "text/html; charset=utf-8"
        asked = served.ask(path, method="HEAD")
        assert (asked.status, asked.body) == (200, "")


@pytest.mark.parametrize(
    "path",
    [
        *("/months/", "/months", "/months/notes.html", "/months/2026-11.html.part"),
        *("/sources/", "/sources", "/sources/notes.txt", "/sources/flat-2-bfd28ffee896e68f.html"),
        *("/.hidden", "/home.duckdb", "/run.html", "/Caddyfile.txt", "/../Caddyfile.txt"),
        *("/%2e%2e/Caddyfile.txt", "/months/../.hidden", "/months/..%2f.hidden", "/..%5c.hidden"),
        *("/index.html/", "/index.html%00", "/index.html/../run.html", "/INDEX.HTML"),
        *("/months/2025-01.html", "/metrics", "/config/", "/debug/pprof/", "/favicon.ico"),
    ],
)
def test_nothing_else_is_reachable(served: Served, path: str) -> None:
    """No list of a folder, no other file, no way out of the folder, nothing of Caddy itself."""
    asked = served.ask(path)
    assert asked.status in (400, 404)
    assert "secret" not in asked.body
    assert "<a " not in asked.body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_the_page_can_only_be_read(served: Served, method: str) -> None:
    """Nothing changes on disk."""
    asked = served.ask("/", method=method)
    assert (asked.status, asked.headers["allow"]) == (405, "GET, HEAD")
    assert (served.report / "index.html").read_text() == FILES["index.html"]


def test_a_browser_shows_no_page_of_before(served: Served) -> None:
    """It asks each time, and gets the page again only if it is another one."""
    month = served.report / "months/2026-10.html"
    month.write_text("<p>before")
    first = served.ask("/months/2026-10.html")
    assert first.headers["cache-control"] == "private, no-cache"
    tag = first.headers["etag"]
    assert served.ask("/months/2026-10.html", headers={"If-None-Match": tag}).status == 304
    other = month.with_name("part")
    other.write_text("<p>and after")
    other.replace(month)
    again = served.ask("/months/2026-10.html", headers={"If-None-Match": tag})
    assert (again.status, again.body) == (200, "<p>and after")


def test_the_page_may_reach_nothing(served: Served) -> None:
    """What the headers tell a browser."""
    headers = served.ask("/").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"].split(", ") == [
        "default-src data: 'unsafe-inline'",
        "script-src 'unsafe-inline'; connect-src 'none'; frame-src 'none'",
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ]


def test_a_page_that_is_not_written_yet_is_told(served: Served) -> None:
    """Before the first night there is none."""
    shown = served.report / "index.html"
    shown.unlink()
    said = "The first night writes this page. It is not there yet."
    try:
        asked = served.ask("/")
    finally:
        shown.write_text(FILES["index.html"])
    assert (asked.status, asked.body) == (503, said)


def test_the_password_is_seen_nowhere(served: Served) -> None:
    """The server has its hash alone. Neither its command line nor its log has the password."""
    process = Path(f"/proc/{served.process.pid}")
    seen = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    assert b"PAGE_HASH=$2" in seen
    assert PASSWORD.encode() not in seen
    assert PASSWORD not in served.log.read_text()


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium; .ci/run installs it")
def test_the_headers_allow_what_the_page_does(served: Served) -> None:
    """Its style and its script. The console has no line."""
    with Browser() as browser:
        browser.open(f"http://house:{quote(PASSWORD)}@127.0.0.1:{served.port}/")
        script = "document.getElementById('stale').dataset.made + getComputedStyle(document.body)"
        shown = browser.evaluate(f"{script}.backgroundColor")
        is_hidden = browser.evaluate("document.getElementById('stale').hidden")
        lines = [
            event
            for event in browser.events
            if event["method"] in ("Log.entryAdded", "Runtime.exceptionThrown")
        ]
    assert shown.startswith("2025-11-24T03:00:00")
    assert not shown.endswith("rgba(0, 0, 0, 0)")
    assert is_hidden is False  # the script has run: the page is some days old
    assert lines == []


REFUSED = {
    "no password": ({}, "the page has no password; write PAGE_PASSWORD=... into .env"),
    "empty": ({"PAGE_PASSWORD": ""}, "the page has no password; write PAGE_PASSWORD=... into .env"),
    "short": (
        {"PAGE_PASSWORD": "1234567"},
        "the page's password is too short; give at least 8 characters",
    ),
    "long": ({"PAGE_PASSWORD": "x" * 73}, "the page's password is too long; give at most 72 bytes"),
    "lines": (
        {"PAGE_PASSWORD": "12345678\n90"},
        "the page's password has several lines; give one line",
    ),
    "no file": (
        {"PAGE_PASSWORD_FILE": "/nothing"},
        "PAGE_PASSWORD_FILE cannot be read; let the user UID of .env read it",
    ),
    "empty file": (
        {"PAGE_PASSWORD_FILE": "/dev/null"},
        "the page has no password; write PAGE_PASSWORD=... into .env",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_page_is_not_served_without_a_good_password(tmp_path: Path, name: str) -> None:
    """The reason is one line, and nothing listens."""
    environment, reason = REFUSED[name]
    port = free_port()
    done = subprocess.run(
        ["sh", str(SERVE), str(caddyfile(tmp_path))],
        env={"PATH": os.environ["PATH"], "PAGE_PORT": str(port)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1] == f"error: {reason}"


def test_the_password_may_be_in_a_file(tmp_path: Path) -> None:
    """With the end of line that an editor writes."""
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    program = tmp_path / "caddy"
    program.write_text('#!/bin/sh\n[ "$1" = run ] && echo "$PAGE_HASH" || sed "s/^/hash of /"\n')
    program.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", str(SERVE), "Caddyfile"],
        env={"PATH": path, "PAGE_PASSWORD_FILE": str(file)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"hash of {PASSWORD}\n", "")


def test_another_caddy_may_stand_before_it(served: Served, tmp_path: Path) -> None:
    """By the lines of the page of the docs, here without a certificate."""
    [lines] = blocks(page("how-to/page.md"), "caddyfile")
    port = free_port()
    for shown, own in {
        "page.example.net": f"http://127.0.0.1:{port}",
        "127.0.0.1:8080": f"127.0.0.1:{served.port}",
    }.items():
        assert shown in lines
        lines = lines.replace(shown, own)
    file = tmp_path / "Caddyfile"
    file.write_text(f"{{\n\tadmin off\n}}\n{lines}")
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(file)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as before:
        try:
            served.wait(port)
            shown = served.ask("/", port=port)
            refused = served.ask("/", "", port=port)
        finally:
            before.terminate()
    assert (shown.status, shown.body, refused.status) == (200, FILES["index.html"], 401)
