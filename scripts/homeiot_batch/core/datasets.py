"""A dataset as config.yaml declares it, and what follows from it: Arrow schema and DuckDB table."""

import re
from typing import Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from homeiot_batch.core.sql_text import literal, quoted

FieldType = Literal["double", "integer", "boolean", "string"]

SHIPPED_DATASET = "raw_meter_readings"

ARROW_TYPES: dict[str, pa.DataType] = {
    "double": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "string": pa.string(),
}
DUCKDB_TYPES = {"double": "DOUBLE", "integer": "BIGINT", "boolean": "BOOLEAN", "string": "VARCHAR"}
# folders and tables of the workflow itself
TAKEN = ["log", "former", "archive", "built_loads", "rebuilt_days", "tariffs", "read_copy"]
OF_MODELS = ("stg_", "int_", "fct_", "dim_")  # how the names of dbt's tables begin
OWN_COLUMNS = ("ts_utc", "ts_jst", "ingested_at")  # of every table, whatever is declared
RESERVED = {"time", "dt", *OWN_COLUMNS}


class Dataset(BaseModel):
    """One measurement to archive, as a folder of days in Parquet and a raw table in DuckDB.

    Both are called `name`.
    """

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
                reserved = ", ".join(sorted(RESERVED))
                raise ValueError(
                    f"column {column!r} is empty, reserved ({reserved}) or declared twice"
                )
            seen.add(column.lower())
        return self

    @model_validator(mode="after")
    def _missing_fits(self) -> "Dataset":
        if self.missing is not None and not set(self.fields.values()) <= {"double", "integer"}:
            raise ValueError("missing: a number can only stand in for double and integer fields")
        return self

    def raw_schema(self) -> pa.Schema:
        """A source's points: `time` (ns since the epoch, UTC), tags and fields.

        They are NULL where absent.
        """
        time = pa.field("time", pa.int64(), nullable=False)
        return pa.schema([time, *self._declared_columns()])

    def arrow_schema(self, zone: str) -> pa.Schema:
        """The archived columns in their order.

        They are ts_utc, ts_jst (the same instant, labelled `zone`), tags, fields, ingested_at.
        """
        utc = pa.timestamp("us", tz="UTC")
        wall_time = pa.timestamp("us", tz=zone)
        first = [("ts_utc", utc), ("ts_jst", wall_time)]
        last = ("ingested_at", utc)
        return pa.schema([*first, *self._declared_columns(), last])

    def _declared_columns(self) -> list[pa.Field]:
        tags = [pa.field(tag, pa.string()) for tag in self.tags]
        fields = [pa.field(name, ARROW_TYPES[kind]) for name, kind in self.fields.items()]
        return tags + fields

    def columns(self) -> dict[str, str]:
        """Columns of the raw DuckDB table with their types.

        The timestamps have no zone: ts_utc and ingested_at are UTC, ts_jst is local wall time.
        """
        tags = dict.fromkeys(self.tags, "VARCHAR")
        fields = {name: DUCKDB_TYPES[kind] for name, kind in self.fields.items()}
        return {
            "ts_utc": "TIMESTAMP",
            "ts_jst": "TIMESTAMP",
            **tags,
            **fields,
            "ingested_at": "TIMESTAMP",
        }

    def absent(self, column: str) -> str | float | None:
        """What a tag or field is where a point does not have it, or None for NULL."""
        if column in self.fields:
            return self.missing
        return self.tags.get(column)

    def ddl(self) -> str:
        """CREATE TABLE IF NOT EXISTS of the raw table."""
        columns = [f"{quoted(name)} {kind}" for name, kind in self.columns().items()]
        return f"CREATE TABLE IF NOT EXISTS {quoted(self.name)} ({', '.join(columns)})"


def how_to_declare(dataset: Dataset) -> str:
    """What else to do where a measurement is not there: the end of a message, or ""."""
    if dataset.name != SHIPPED_DATASET:
        return ""
    return ". If your house has no such measurement, `homeiot init` declares those that it has"


def wall_columns(dataset: Dataset, zone: str) -> list[str]:
    """SQL that makes the archived columns those of the raw table.

    Its timestamps have no zone, whatever the session's zone is.
    """
    naive = {
        "ts_utc": "ts_utc AT TIME ZONE 'UTC'",
        "ts_jst": f"ts_utc AT TIME ZONE {literal(zone)}",
        "ingested_at": "ingested_at AT TIME ZONE 'UTC'",
    }
    return [naive.get(name, quoted(name)) for name in dataset.columns()]


def is_dataset_name(name: str) -> bool:
    """Whether `name` can be a folder and a table at once, and is none of the workflow's own.

    Snakemake takes a name that repeats a part twenty times for a rule that feeds itself.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name, re.ASCII):
        return False
    if re.search(r"(.+?)\1{19}", name):
        return False
    return name not in TAKEN and not name.startswith(OF_MODELS)
