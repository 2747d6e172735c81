"""A dataset as config.yaml declares it, and what follows from it: Arrow schema and DuckDB table."""

import re
from typing import Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

FieldType = Literal["double", "integer", "boolean", "string"]

ARROW_TYPES: dict[str, pa.DataType] = {
    "double": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "string": pa.string(),
}
DUCKDB_TYPES = {"double": "DOUBLE", "integer": "BIGINT", "boolean": "BOOLEAN", "string": "VARCHAR"}
# folders and tables of the workflow itself
TAKEN = ["log", "former", "archive", "built_loads", "rebuilt_days", "tariffs", "read_copy"]
OWN_COLUMNS = ("ts_utc", "ts_jst", "ingested_at")  # of every table, whatever is declared
RESERVED = {"time", "dt", *OWN_COLUMNS}


class Dataset(BaseModel):
    """One measurement to archive: a folder of days in Parquet and a raw table in DuckDB, both called `name`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    _name: str = PrivateAttr(default="")
    measurement: str = Field(min_length=1, description="InfluxDB measurement to read.")
    tags: dict[str, str] = Field(
        default={}, description="Tags to keep, each with the value for points that lack it."
    )
    fields: dict[str, FieldType] = Field(
        min_length=1,
        description="Fields to keep, each with its type: double, integer, boolean or string.",
    )
    missing: float | None = Field(
        default=None,
        description="Value of a field that a point lacks. If not set, it is NULL.",
    )

    @property
    def name(self) -> str:
        """The key it is declared under."""
        return self._name

    def named(self, name: str) -> "Dataset":
        """The same declaration with its name."""
        dataset = self.model_copy()
        dataset._name = name
        return dataset

    @model_validator(mode="after")
    def _columns_are_distinct(self) -> "Dataset":
        seen = set(RESERVED)
        for column in [*self.tags, *self.fields]:
            if not column or column.lower() in seen or not column.isprintable():
                raise ValueError(
                    f"column {column!r} is empty, reserved ({', '.join(sorted(RESERVED))}) or declared twice"
                )
            seen.add(column.lower())
        return self

    @model_validator(mode="after")
    def _missing_fits(self) -> "Dataset":
        if self.missing is not None and not set(self.fields.values()) <= {"double", "integer"}:
            raise ValueError("missing: a number can only stand in for double and integer fields")
        return self

    def raw_schema(self) -> pa.Schema:
        """A source's points: `time` (ns since the epoch, UTC), tags and fields, NULL where absent."""
        return pa.schema(
            [pa.field("time", pa.int64(), nullable=False)]
            + [pa.field(tag, pa.string()) for tag in self.tags]
            + [pa.field(name, ARROW_TYPES[kind]) for name, kind in self.fields.items()]
        )

    def arrow_schema(self, zone: str) -> pa.Schema:
        """The archived columns in their order: ts_utc, ts_jst (the same instant, labelled `zone`), tags, fields, ingested_at."""
        utc = pa.timestamp("us", tz="UTC")
        return pa.schema(
            [pa.field("ts_utc", utc), pa.field("ts_jst", pa.timestamp("us", tz=zone))]
            + [pa.field(tag, pa.string()) for tag in self.tags]
            + [pa.field(name, ARROW_TYPES[kind]) for name, kind in self.fields.items()]
            + [pa.field("ingested_at", utc)]
        )

    def columns(self) -> dict[str, str]:
        """Columns of the raw DuckDB table with their types; timestamps without zone: UTC, local wall time, UTC."""
        return {
            "ts_utc": "TIMESTAMP",
            "ts_jst": "TIMESTAMP",
            **dict.fromkeys(self.tags, "VARCHAR"),
            **{name: DUCKDB_TYPES[kind] for name, kind in self.fields.items()},
            "ingested_at": "TIMESTAMP",
        }

    def absent(self, column: str) -> str | float | None:
        """What a tag or field is where a point does not have it; None for NULL."""
        return self.tags.get(column, self.missing if column in self.fields else None)

    def ddl(self) -> str:
        """CREATE TABLE IF NOT EXISTS of the raw table."""
        columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in self.columns().items())
        return f"CREATE TABLE IF NOT EXISTS {quoted(self.name)} ({columns})"


def wall_columns(dataset: Dataset, zone: str) -> list[str]:
    """SQL that makes the archived columns those of the raw table: timestamps without zone, whatever the session's zone is."""
    naive = {
        "ts_utc": "ts_utc AT TIME ZONE 'UTC'",
        "ts_jst": f"ts_utc AT TIME ZONE {literal(zone)}",
        "ingested_at": "ingested_at AT TIME ZONE 'UTC'",
    }
    return [naive.get(name, quoted(name)) for name in dataset.columns()]


def literal(value: str | float | None) -> str:
    """An SQL literal."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return "NULL" if value is None else str(value)


def quoted(identifier: str) -> str:
    """An SQL identifier in double quotes."""
    return '"' + identifier.replace('"', '""') + '"'


def is_dataset_name(name: str) -> bool:
    """Whether `name` can be a folder and a table at once, and is none of the workflow's own."""
    return re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name, re.ASCII) is not None and not re.match(
        rf"(stg|int|fct|dim)_|({'|'.join(TAKEN)})$", name
    )
