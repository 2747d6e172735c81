"""What InfluxDB answers, as small typed objects.

A server may be of another version than expected, or something else may answer in its place. So
nothing outside this module reads a key of an answer: each answer is checked here as a whole.
ValueError names, in one line, the key that is missing or has a value of another type.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Annotated, Any

import pyarrow as pa
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from homeiot_batch.sources.influxdb.uniform_rows import UniformRows

# Go counts a duration in ns, in 64 bits: 292 years
LONGEST_S = 2**63 // 10**9
# those of Go, and beside them those of InfluxDB 3.7 and 3.8, which writes 1month 2days 3h
UNIT_S = {"h": 3600, "m": 60, "s": 1, "day": 86_400, "month": 2_630_016, "year": 31_557_600}
ONE_UNIT = r"(\d+)(years?|months?|days?|h|m|s)"


class Answer(BaseModel):
    """A part of an answer. Keys that are not declared are left out, types are not converted."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


def _none_as_empty(value: object) -> object:
    """A list without elements: Go writes it as null."""
    if value is None:
        return []
    return value


def _duration(value: object) -> object:
    """What Go writes as 168h0m0s, InfluxDB 3.7 as 7days, and as null where it is for ever."""
    if value is None:
        return timedelta()
    if not isinstance(value, str) or not re.fullmatch(rf"({ONE_UNIT} ?)+", value):
        raise ValueError(f"{value!r} is no duration")
    seconds = 0
    for number, unit in re.findall(ONE_UNIT, value):
        singular = unit[:1] + unit[1:].removesuffix("s")
        seconds += int(number) * UNIT_S[singular]
    if seconds > LONGEST_S:
        raise ValueError(f"{value!r} is longer than InfluxDB can keep points")
    return timedelta(seconds=seconds)


Duration = Annotated[timedelta, BeforeValidator(_duration)]


Rows = list[list[Any]]


def _rows(value: object, validate: ValidatorFunctionWrapHandler) -> Rows | UniformRows:
    """Rows as they are, if all are lists or tuples.

    Pydantic would copy each. It says what is wrong with others.
    """
    if isinstance(value, UniformRows):
        return value
    if isinstance(value, list) and set(map(type, value)) <= {list, tuple}:
        return value
    return validate(_none_as_empty(value))


class Series(Answer):
    """Rows of one measurement and one set of tags, their values in the order of the columns."""

    name: str = ""
    tags: dict[str, str] = {}
    columns: list[str]
    values: Annotated[Rows, WrapValidator(_rows)] = []

    @model_validator(mode="after")
    def _rows_are_whole(self) -> "Series":
        columns = len(self.columns)
        if isinstance(self.values, UniformRows):
            lengths = {len(self.values.columns)}
        else:
            lengths = set(map(len, self.values))
        if lengths <= {columns}:
            return self
        values = next(len(row) for row in self.values if len(row) != columns)
        raise ValueError(f"a row of {values} values in {columns} columns")

    def by_column(self) -> list[Sequence[Any] | pa.Array]:
        """The values of each column: Arrow arrays where the rows came in one form."""
        if isinstance(self.values, UniformRows):
            return list(self.values.columns)
        return list(zip(*self.values, strict=True))

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each row as a dictionary of the columns."""
        for row in self.values:
            yield dict(zip(self.columns, row, strict=True))


class Result(Answer):
    """What one statement gave: series, or an error. `partial`: more of it follows."""

    error: str | None = None
    partial: bool = False
    series: Annotated[list[Series], BeforeValidator(_none_as_empty)] = []


class Document(Answer):
    """One JSON document of an answer to /query."""

    error: str | None = None
    results: Annotated[list[Result], BeforeValidator(_none_as_empty)] = []

    @model_validator(mode="after")
    def _holds_something(self) -> "Document":
        if not self.model_fields_set:
            raise ValueError("neither results nor error")
        return self


class Name(Answer):
    """A row of SHOW DATABASES or SHOW MEASUREMENTS."""

    name: str


class Database3(Answer):
    """A row of SHOW DATABASES by the v3 API of InfluxDB 3."""

    name: str = Field(alias="iox::database")
    deleted: bool = False


class FieldKey(Answer):
    """A row of SHOW FIELD KEYS: a field and one of the types that it has."""

    name: str = Field(alias="fieldKey")
    kind: str = Field(alias="fieldType")


class TagKey(Answer):
    """A row of SHOW TAG KEYS."""

    name: str = Field(alias="tagKey")


class RetentionPolicy(Answer):
    """A row of SHOW RETENTION POLICIES, without how long it keeps points."""

    name: str
    is_default: bool = Field(alias="default")


class Retention(RetentionPolicy):
    """The same with how long it keeps points: 0 where it is for ever, and in 2.x."""

    kept: Duration = Field(alias="duration")


class Counts(Answer):
    """What SELECT count(...), count(...) counts: None for each where there is nothing to count."""

    numbers: list[int | None]


class Instant(Answer):
    """A row of which only the time is wanted, in ns since the epoch."""

    time: int


class RetentionRule(Answer):
    """How long a bucket of 2.x keeps points, in seconds. 0 is for ever."""

    seconds: int = Field(alias="everySeconds", ge=0, le=LONGEST_S)


class Bucket(Answer):
    """A bucket of 2.x."""

    id: str
    name: str
    org: str = Field(alias="orgID")
    rules: list[RetentionRule] = Field(alias="retentionRules")


class Mapping(Answer):
    """The database and the retention policy by which InfluxQL finds a bucket of 2.x."""

    database: str
    policy: str = Field(alias="retention_policy")
    is_default: bool = Field(alias="default")
    bucket: str = Field(alias="bucketID")


class Health(Answer):
    """The answer of /health. Only 2.x adds the commit that it was built from."""

    name: str = ""
    version: str = ""
    commit: str | None = None


def parsed[Part: Answer](model: type[Part], content: object) -> Part:
    """The content as the model describes it. ShapeError names the first thing that differs."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise ShapeError(_difference(error)) from None


class ShapeError(ValueError):
    """An answer is JSON, but not of the shape that InfluxDB gives it."""


def _difference(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    problem = first["msg"].removeprefix("Value error, ")
    problem = problem.replace("Input should", "should")
    if first["type"] == "missing":
        problem = "is missing"
    words = f"{place} {problem}".split()
    return " ".join(words)[:200]
