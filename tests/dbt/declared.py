"""An archive of other datasets than the shipped one, whose series are declared as meters."""

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import duckdb

from homeiot_batch.config import Settings, load_settings
from homeiot_batch.core.sql_text import quoted
from homeiot_batch.warehouse.learned_reports import learn_reports
from homeiot_batch.warehouse.table_vars import table_vars
from tests.dbt.meters import Archive, append, wall


@dataclass
class DeclaredArchive(Archive):
    """The same as an archive, but for its raw tables and the meters that they are of."""

    datasets: dict[str, Any] = field(default_factory=dict)
    meters: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        with duckdb.connect(self.database) as connection:
            for dataset in self.settings.datasets.values():
                connection.execute(dataset.ddl())

    @property
    def settings(self) -> Settings:
        """The settings of a house with these datasets and meters, and no other."""
        file = self.database.with_name("config.yaml")
        file.write_text(json.dumps({"datasets": self.datasets, "meters": self.meters}))
        return load_settings({}, file)

    def dbt(self, *arguments: str) -> str:
        """Run dbt with what the program gives it."""
        with duckdb.connect(self.database) as connection:
            learned = learn_reports(connection, self.settings)
        variables = json.dumps(table_vars(self.settings, learned))
        return super().dbt(*arguments, "--vars", variables)

    def points(self, dataset: str, points: Iterable[tuple[Any, ...]]) -> None:
        """Replace the points' local days by them: time UTC without zone, tags, fields.

        A new load of each of the days is recorded.
        """
        rows = [(at, wall(at, self.zone), *values, at) for at, *values in points]
        days = {row[1].date() for row in rows}
        for day in days:
            self.drop_points(dataset, day)
        with duckdb.connect(self.database) as connection:
            append(connection, quoted(dataset), rows)
            for day in days:
                self._record(connection, dataset, day)

    def drop_points(self, dataset: str, day: date) -> None:
        """Take a local day of the dataset out of the database, and its record too."""
        with duckdb.connect(self.database) as connection:
            connection.execute(f"DELETE FROM {quoted(dataset)} WHERE ts_jst::DATE = ?", [day])
            connection.execute(
                "DELETE FROM archive.loads WHERE dataset = ? AND dt = ?", [dataset, day]
            )

    def _record(self, connection: duckdb.DuckDBPyConnection, dataset: str, day: date) -> None:
        connection.execute(
            "INSERT INTO archive.loads (dataset, dt, load_id) VALUES (?, ?, ?)",
            [dataset, day, uuid.uuid4().hex],
        )
