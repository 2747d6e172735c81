"""What Grafana and its DuckDB data source do with a panel, without Grafana."""

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from homeiot_batch.config import ROOT
from homeiot_batch.core.sql_text import literal
from tests.readers.environments import older_python

FOLDER = ROOT / "dashboards"
BOARDS = {file.stem: json.loads(file.read_text()) for file in sorted(FOLDER.glob("json/*.json"))}
[SOURCE] = yaml.safe_load((FOLDER / "provisioning/datasources/homeiot.yaml").read_text())[
    "datasources"
]
INIT: str = SOURCE["jsonData"]["initSql"]

ASK = """
import json, sys, duckdb
asked = json.load(sys.stdin)
connection = duckdb.connect()
connection.execute("SET TimeZone = 'America/New_York'")
connection.execute(asked["init"])
answers = []
for sql in asked["queries"]:
    found = connection.execute(sql)
    columns = [(column[0], str(column[1])) for column in found.description]
    answers.append([columns, found.fetchall()])
json.dump(answers, sys.stdout, default=str)
"""


@dataclass(frozen=True)
class Answer:
    """Columns with their types, and rows. A time is text, as Python writes it."""

    columns: list[tuple[str, str]]
    rows: list[tuple[Any, ...]]

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [name for name, _ in self.columns]


def expanded(sql: str, span: tuple[datetime, datetime], meters: Sequence[str]) -> str:
    """The statement as DuckDB gets it.

    Grafana puts the chosen meters in as SQL strings. The plug-in writes the time range as UTC to
    the second, and `$__timeFilter(x)` as two comparisons. Both were held against the plug-in's
    own code (0.4.5).
    """
    first, last = (literal(at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")) for at in span)
    sql = sql.replace("$meter", ",".join(map(literal, meters)))
    sql = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 >= {first} AND \1 <= {last}", sql)
    return sql.replace("$__timeFrom()", first).replace("$__timeTo()", last)


def ask(read_copy: Path, queries: Sequence[str]) -> list[Answer]:
    """The answers of DuckDB 1.5, on a connection that was begun as the data source says.

    The connection's zone is not that of the house, as in a container.
    """
    folder = str(read_copy.parent)
    init = INIT.replace("/data/duckdb/home_energy.read.duckdb", str(read_copy))
    asked = json.dumps({"init": init.replace("/data/duckdb", folder), "queries": queries})
    command = [str(older_python("duckdb-1.5")), "-c", ASK]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [
        Answer([(name, kind) for name, kind in columns], [tuple(row) for row in rows])
        for columns, rows in json.loads(done.stdout)
    ]


def panel(board: str, title: str) -> dict[str, Any]:
    """The panel with this title."""
    [found] = [panel for panel in BOARDS[board]["panels"] if panel["title"] == title]
    return found


def statements(panel: dict[str, Any]) -> list[str]:
    """Its queries, as they stand in the file."""
    return [target["rawSql"] for target in panel["targets"]]
