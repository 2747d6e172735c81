"""A planted token and password.

Nowhere in what the commands say, keep, or show to others on the machine.
"""

import base64
import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from urllib.parse import quote

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.house import Checkout, Outcome
from tests.integration.servers import ADMIN, PASSWORD, TOKEN, Influx1, Influx2

NOON = 1794193200  # of 9 November 2026 in Japan
NIGHT = "2026-11-10"
PING = "https://127.0.0.1:9/ping-5c1e77"
NOTIFY = "notify-77aa12c4"


def forms(secret: str) -> list[bytes]:
    """The secret as it might be written: plain, in a URL, in JSON, in the header of a request."""
    plain = secret.encode()
    basic = base64.b64encode(f"{ADMIN}:{secret}".encode())
    return [
        plain,
        quote(secret).encode(),
        json.dumps(secret)[1:-1].encode(),
        basic,
        base64.b64encode(plain),
    ]


SECRETS = [form for secret in (PASSWORD, TOKEN, PING, NOTIFY) for form in forms(secret)]


def found_in(content: bytes) -> list[bytes]:
    """The forms of the secrets that the content holds."""
    return [form for form in SECRETS if form in content]


class Watch:
    """Looks at all command lines, and at dbt's environment, as others on the machine might."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self.dbt_environments: set[bytes] = set()
        self._over = threading.Event()

    @contextlib.contextmanager
    def watching(self) -> Generator[None]:
        """As long as it lasts."""
        thread = threading.Thread(target=self._look)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.02):
            for process in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    command = (process / "cmdline").read_bytes()
                    self.seen.add(command)
                    if b"\x00homeiot_batch.warehouse.dbt_process\x00" in command:
                        self.dbt_environments.add((process / "environ").read_bytes())


def said_by_all(house: Checkout) -> dict[str, Outcome]:
    """Every command that a user gives, a failing one among them."""
    now = ("--config", f"now={NIGHT}T08:00:00+09:00")
    return {
        "night": house.night(NIGHT),
        "again": house.night(NIGHT, "--force"),
        "refused": house.night(NIGHT, INFLUX_BUCKET="nowhere", LOOKBACK_DAYS="1"),
        "failed": house.night(
            NIGHT, "--date", "2026-11-09", "--force", INFLUX_MEASUREMENT="nothing"
        ),
        "status": house.python("homeiot_batch", "status", *now),
        "verify": house.python("homeiot_batch", "verify", "--json", *now),
        "doctor": house.python("homeiot_batch", "doctor", "--json", *now),
        "snakemake": house.snakemake(
            "--verbose",
            "--printshellcmds",
            "--forcerun",
            "load",
            "--config",
            "start=2026-11-09",
            "end=2026-11-09",
        ),
        "traceback": house.night(NIGHT, "--force", HOMEIOT_FAULT="fetch.read:exception"),
    }


@pytest.mark.parametrize("server", ["1.6 with a password", "2.7"], indirect=True)
def test_secrets_stay_where_they_were_given(server: Influx1 | Influx2, checkout: Checkout) -> None:
    """Not in output, logs, markers, `.snakemake`, Parquet, DuckDB or any command line.

    dbt is not given them.
    """
    server.create("planted")
    line = b"power,source=a instant_power_w=1,energy_import_kwh=2 %d" % (NOON * 10**9)
    if isinstance(server, Influx1):
        server.request("POST", "/write", line, db="planted")
    else:
        server.request("POST", "/api/v2/write", line, org="house", bucket="planted")
    checkout.environment |= server.environment("planted") | {
        "HEALTHCHECK_URL": PING,
        "NOTIFY_URL": f"json://house:{NOTIFY}@127.0.0.1:9/{NOTIFY}?cto=1",
        "NOTIFY_MONTHLY": "true",
        "LOOKBACK_DAYS": "0",
    }
    watch = Watch()
    with watch.watching():
        outcomes = said_by_all(checkout)
    codes = {name: outcome.code for name, outcome in outcomes.items()}
    assert codes | {"refused": 0, "failed": 0, "traceback": 0} == dict.fromkeys(codes, 0), outcomes[
        "night"
    ].stderr
    assert codes["failed"] == codes["traceback"] == 1
    assert {name: found_in(outcome.stderr.encode()) for name, outcome in outcomes.items()} == {
        name: [] for name in outcomes
    }
    assert any(b".dbt_process" in command for command in watch.seen)
    assert [command for command in watch.seen if found_in(command)] == []
    assert len(watch.dbt_environments) >= 1
    assert [environment for environment in watch.dbt_environments if found_in(environment)] == []
    assert kept(checkout) == {}


def kept(house: Checkout) -> dict[str, list[bytes]]:
    """The files of the house that hold a secret.

    As bytes, and what Parquet and DuckDB hold compressed as text.
    """
    found = {
        str(path): found_in(path.read_bytes()) for path in house.folder.rglob("*") if path.is_file()
    }
    for part in house.parquet.rglob("*.parquet"):
        table = pq.read_table(part, partitioning=None)
        found[f"{part} as text"] = found_in(
            repr(
                (table.schema.metadata, pq.read_metadata(part).metadata, table.to_pylist())
            ).encode()
        )
    for database in house.database.parent.rglob("*.duckdb"):
        found[f"{database} as text"] = found_in(exported(database))
    return {name: forms for name, forms in found.items() if forms}


def exported(database: Path) -> bytes:
    """Every table, with the statements that make them, as DuckDB itself writes them."""
    with duckdb.connect(database, read_only=True) as connection:
        tables = connection.execute(
            "SELECT schema_name, table_name, sql FROM duckdb_tables()"
        ).fetchall()
        rows = [
            connection.execute(f'FROM "{schema}"."{table}"').fetchall()
            for schema, table, _ in tables
        ]
        views = connection.execute("SELECT sql FROM duckdb_views()").fetchall()
    return repr((tables, rows, views)).encode()


def test_the_search_would_find_them(tmp_path: Path) -> None:
    """A test here finds a secret in a compressed DuckDB column, and one on a command line."""
    with duckdb.connect(tmp_path / "a.duckdb") as connection:
        connection.execute("CREATE TABLE t AS SELECT ? AS a FROM range(1000)", [TOKEN])
    assert found_in(exported(tmp_path / "a.duckdb"))[0] == TOKEN.encode()
    watch = Watch()
    with watch.watching():
        subprocess.run([sys.executable, "-c", "import time; time.sleep(0.5)", PASSWORD], check=True)
    assert [command for command in watch.seen if found_in(command)] != []
