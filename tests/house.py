"""A house in a temporary folder, and the commands that a user gives in it."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from homeiot_batch.config import ROOT, Settings
from tests import prepared

SNAKEMAKE = str(Path(sys.executable).with_name("snakemake"))
ENERGY = (
    "date_jst, source, daily_energy_kwh, peak_w, peak_at_jst, first_reading_jst, last_reading_jst, "
    "readings"
)
EVENTS = {
    "read": "fetch",
    '"in place"': "extract",
    "loaded": "load",
    '"tables built"': "dbt",
    "published": "publish",
    "reported": "report",
}


@dataclass(frozen=True)
class Outcome:
    """What a finished run returned and said."""

    code: int
    stderr: str

    @property
    def jobs(self) -> list[str]:
        """The finished jobs, sorted, as `step dataset dt`, from the run's own log lines."""
        lines = [line for line in self.stderr.splitlines() if line.startswith("timestamp=")]
        done = [dict(re.findall(r'(\w+)=("[^"]*"|\S+)', line)) for line in lines]
        return sorted(
            " ".join(filter(None, [entry["step"], entry.get("dataset"), entry.get("dt")]))
            for entry in done
            if entry["event"] in EVENTS
            and EVENTS[entry["event"]] == entry.get("step")
            and entry["level"] == "info"
        )

    @property
    def failures(self) -> list[str]:
        """The lines that say what failed."""
        return [
            line for line in self.stderr.splitlines() if line.startswith(("failed: ", "error: "))
        ]


PLACES = {
    "PARQUET_BASE_DIR": "data/parquet",
    "MARKER_DIR": "data/markers",
    "DUCKDB_PATH": "data/duckdb/home_energy.duckdb",
    "REPORT_DIR": "data/report",
}


class House:
    """A folder with an archive, and the commands a user gives in it: its paths start there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parquet = folder / "data/parquet"
        self.markers = folder / "data/markers"
        self.database = folder / "data/duckdb/home_energy.duckdb"
        self.own = folder / "data/house"
        self.environment: dict[str, str] = {"HOUSE_DIR": str(self.own)}

    def env(self, **changes: str) -> dict[str, str]:
        """The process environment without any setting of the machine's, with the house's own.

        The house is in Japan, and its people read English.
        """
        if "HOUSE_DIR" in self.environment:
            self.own.mkdir(parents=True, exist_ok=True)
        inherited = {k: v for k, v in os.environ.items() if k.lower() not in Settings.model_fields}
        english = {"TZ": "Asia/Tokyo", "REPORT_LANGUAGE": "en"}
        return inherited | english | self.places(self.environment | changes)

    def places(self, given: dict[str, str]) -> dict[str, str]:
        """The settings with the house's own places. A relative one starts at its folder."""
        inside = {name: str(self.folder / given.get(name, path)) for name, path in PLACES.items()}
        return given | inside

    def _inside(self, argument: str) -> str:
        """A target that is named by its path in the house, as Snakemake has it."""
        return f"{self.folder}/{argument}" if argument.startswith("data/") else argument

    def export(self, *lines: str, name: str = "export.lp") -> Path:
        """Write `lines` of line protocol to a file and make it the source."""
        path = self.folder / name
        path.write_text("".join(f"{line}\n" for line in lines))
        self.environment["INFLUX_URL"] = str(path)
        return path

    @contextlib.contextmanager
    def held(self) -> Generator[int]:
        """Another process has the database open. Yields its process id."""
        script = (
            f"import duckdb, sys; c = duckdb.connect({str(self.database)!r}); print('open', "
            "flush=True); sys.stdin.read()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"open\n"
            try:
                yield holder.pid
            finally:
                holder.communicate()

    def snakemake_command(self, *arguments: str) -> list[str]:
        """What runs `snakemake ARGUMENTS` on the house. Snakemake keeps its own notes there too."""
        options = ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(self.folder)]
        return [SNAKEMAKE, *map(self._inside, arguments), *options]

    def outcome(self, code: int, said: str) -> Outcome:
        """What a run on the house returned and said, the house's paths written as in a checkout."""
        return Outcome(code, said.replace(f"{self.folder}/data/", "data/"))

    def start(self, *arguments: str, **env: str) -> "subprocess.Popen[str]":
        """Start `snakemake ARGUMENTS` on the house, with a pipe for its output."""
        return self._start(arguments, env, own_session=False)

    def start_in_terminal(self, *arguments: str, **env: str) -> "subprocess.Popen[str]":
        """The same in a session of its own, so that Ctrl-C reaches it and its children."""
        return self._start(arguments, env, own_session=True)

    def _start(
        self, arguments: Sequence[str], env: dict[str, str], *, own_session: bool
    ) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            self.snakemake_command(*arguments),
            cwd=self.folder,
            env=self.env(**env),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=own_session,
        )

    def snakemake(self, *arguments: str, **env: str) -> Outcome:
        """Run `snakemake ARGUMENTS` on the house to its end."""
        environment = self.env(**env)
        program, *given = self.snakemake_command(*arguments)
        if program == SNAKEMAKE and prepared.can_run(environment):
            return self.outcome(*prepared.run("snakemake", given, self.folder, environment))
        process = self.start(*arguments, **env)
        stdout, _ = process.communicate(timeout=prepared.LONGEST_RUN_S)
        return self.outcome(process.returncode, stdout)

    def run_in(self, folder: Path, command: Sequence[str], **env: str) -> Outcome:
        """Run a command that is given in the folder."""
        environment = self.env(**env)
        if command[:2] == [sys.executable, "-m"] and prepared.can_run(environment):
            return self.outcome(*prepared.run(command[2], command[3:], folder, environment))
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return self.outcome(done.returncode, done.stdout)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query on the house's database."""
        with duckdb.connect(self.database, read_only=True) as connection:
            return connection.execute(sql).fetchall()

    @property
    def read_copy(self) -> Path:
        """The file that readers open."""
        return self.database.with_name("home_energy.read.duckdb")

    def published(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query on the read copy."""
        with duckdb.connect(self.read_copy, read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def rows(self, dataset: str = "raw_meter_readings") -> list[tuple[Any, ...]]:
        """All rows of the raw table but for `ingested_at`."""
        return self.query(f"SELECT * EXCLUDE (ingested_at) FROM {dataset} ORDER BY ALL")

    def energy(self) -> list[tuple[Any, ...]]:
        """What the daily table says of each day's own readings, all rows.

        Date, source, kWh, peak W and when, first and last reading, readings.
        """
        return self.query(f"SELECT {ENERGY} FROM fct_daily_energy ORDER BY ALL")

    def day(self, dt: str, dataset: str = "raw_meter_readings") -> Path:
        """The folder of an archived day."""
        return self.parquet / dataset / f"dt={dt}"

    def marker(self, dt: str, dataset: str = "raw_meter_readings") -> Path:
        """The marker of a loaded day."""
        return self.markers / dataset / f"dt={dt}.json"

    def archived(self, dt: str, dataset: str = "raw_meter_readings") -> list[dict[str, Any]]:
        """The rows of an archived day as pyarrow reads them."""
        return pq.ParquetFile(self.day(dt, dataset) / "part-0.parquet").read().to_pylist()

    def snapshot(self) -> dict[str, bytes]:
        """Every archived file, byte for byte."""
        return {
            str(p.relative_to(self.parquet)): p.read_bytes()
            for p in sorted(self.parquet.glob("*/dt=*/*.parquet"))
        }

    def forget_snakemake(self) -> None:
        """Lose Snakemake's own notes, as a container does that keeps only the data."""
        shutil.rmtree(self.folder / ".snakemake", ignore_errors=True)


CHECKOUT = ["Snakefile", "config.yaml", "dbt", "profiles", "scripts", "workflow"]


class Checkout(House):
    """A house in a checkout of its own, as cron finds it.

    A part of the checkout that is there already is kept.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        for part in CHECKOUT:
            source = ROOT / part
            copy = shutil.copytree if source.is_dir() else shutil.copy
            if not (folder / part).exists():
                copy(source, folder / part)
        self.environment = {"PYTHONPATH": str(folder / "scripts")}

    def places(self, given: dict[str, str]) -> dict[str, str]:
        """The settings as they are: places start at the checkout."""
        return given

    def snakemake_command(self, *arguments: str) -> list[str]:
        """What runs `snakemake ARGUMENTS` in the checkout."""
        return [SNAKEMAKE, *arguments]

    def outcome(self, code: int, said: str) -> Outcome:
        """What a run returned and said. Its paths start at the checkout already."""
        return Outcome(code, said)

    def night(self, dt: str, *arguments: str, **env: str) -> Outcome:
        """Run the nightly command late on the day `dt`."""
        return self.python(
            "homeiot_batch.run_archive", *arguments, "--config", f"now={dt}T23:59:59+09:00", **env
        )

    def python(self, module: str, *arguments: str, **env: str) -> Outcome:
        """Run `python -m MODULE ARGUMENTS` from elsewhere."""
        return self.run_in(Path("/"), [sys.executable, "-m", module, *arguments], **env)
