"""Looks at the archive from outside.

After every run nothing is lost, halved or doubled, and readers of the read copy always see whole
days.
"""

import contextlib
import threading
from collections.abc import Generator
from datetime import date, datetime
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from tests.house import Checkout
from tests.integration.points import Row
from tests.soak.model import Ledger, by_day, mart

DATASET = "raw_meter_readings"
COLUMNS = "ts_utc, ts_jst, source, instant_power_w, energy_import_kwh, energy_export_kwh"


class Inspector:
    """Compares the archive with the ledger, and remembers how far each day has come.

    It never goes back.
    """

    def __init__(self, house: Checkout, ledger: Ledger) -> None:
        self._house, self._ledger = house, ledger
        self._files: dict[Path, tuple[object, list[Row]]] = {}
        self._table: dict[date, int] = {}
        self._trusts_table = True

    def distrust_table(self) -> None:
        """The database is lost or damaged: it owes nothing until a run has come to a good end."""
        self._table.clear()
        self._trusts_table = False

    def trust_table(self) -> None:
        """A run has come to a good end."""
        self._trusts_table = True

    def check(self) -> None:
        """Every archived day is whole in its place or in staging, and in the table.

        None is older than before.
        """
        for day in self._ledger.days.values():
            found = self._archived(day.date)
            assert found is not None or day.kept < 0, (
                f"{day.date} is lost: it is neither in place nor staged"
            )
            if found is not None:
                day.kept = day.not_older(found, day.kept, "the archive")
        if self._trusts_table and self._house.database.exists():
            self._check_table()

    def _check_table(self) -> None:
        found = by_day(self.table())
        assert found.keys() <= self._ledger.days.keys()
        assert found.keys() >= {
            day for day in self._table if self._ledger.days[day].versions[self._table[day]]
        }, "days are no longer in the table"
        for day, rows in found.items():
            self._table[day] = self._ledger.days[day].not_older(
                rows, self._table.get(day, -1), "the table"
            )

    def table(self) -> list[Row]:
        """The raw table's rows, or None where it is not made yet."""
        try:
            return self._house.query(f"SELECT {COLUMNS} FROM {DATASET}")
        except duckdb.CatalogException:
            return []

    def in_place(self) -> dict[date, list[Row]]:
        """The archived days' rows."""
        folders = (self._house.parquet / DATASET).glob("dt=*")
        return {
            date.fromisoformat(folder.name[3:]): self._rows(folder / "part-0.parquet") or []
            for folder in folders
        }

    def _archived(self, day: date) -> list[Row] | None:
        found = self._rows(self._house.day(str(day)) / "part-0.parquet")
        return (
            found
            if found is not None
            else self._rows(self._house.parquet / ".staging" / DATASET / f"dt={day}/part-0.parquet")
        )

    def _rows(self, part: Path) -> list[Row] | None:
        """The file's rows, sorted, times without zone. Read again only if it is another file."""
        if not part.exists():
            return None
        stamp = (part.stat().st_ino, part.stat().st_mtime_ns, part.stat().st_size)
        if self._files.get(part, (None,))[0] != stamp:
            columns = pq.ParquetFile(part).read(columns=COLUMNS.split(", ")).to_pylist()
            self._files[part] = (stamp, sorted(tuple(map(_naive, row.values())) for row in columns))
        return self._files[part][1]


class Reader:
    """Reads the read copy again and again.

    Each day with its row in the daily table, as some state of the server, never an older one than
    before.
    """

    def __init__(self, path: Path, ledger: Ledger) -> None:
        self.times = 0
        self.errors: list[str] = []
        self._path, self._ledger, self._over = str(path), ledger, threading.Event()
        self._days: dict[date, int] = {}

    @contextlib.contextmanager
    def reading(self) -> Generator[None]:
        """Read as long as it lasts, from the moment on that there is something to read."""
        thread = threading.Thread(target=self._again_and_again)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def read(self) -> dict[date, list[Row]]:
        """All days that it shows. AssertionError or duckdb.Error if that is no whole state."""
        with duckdb.connect(self._path, read_only=True) as connection:
            found = by_day(connection.execute(f"SELECT {COLUMNS} FROM {DATASET}").fetchall())
            daily = connection.execute(
                "SELECT date_jst, source, peak_w, readings FROM fct_daily_energy WHERE readings > "
                "0 ORDER BY ALL"
            ).fetchall()
        for day, rows in found.items():
            self._days[day] = self._ledger.days[day].not_older(
                rows, self._days.get(day, -1), "the read copy"
            )
        assert daily == [row for day in sorted(found) for row in mart(tuple(found[day]))]
        return found

    def _again_and_again(self) -> None:
        while not self._over.wait(0.5):
            if self.times or Path(self._path).exists():
                try:
                    self.read()
                except (duckdb.Error, AssertionError) as error:
                    self.errors.append(f"{type(error).__name__}: {error}")
                self.times += 1


def _naive(value: object) -> object:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value
