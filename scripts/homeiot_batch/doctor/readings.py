"""Whether the server holds what config.yaml declares, and in which retention policy."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from homeiot_batch.config import Settings
from homeiot_batch.core.datasets import Dataset, how_to_declare
from homeiot_batch.doctor.columns import check_fields, check_tags
from homeiot_batch.doctor.deliveries import check_begin, check_sources
from homeiot_batch.doctor.finding import Finding, of_error, ok, problem
from homeiot_batch.doctor.measurement import Measurement
from homeiot_batch.doctor.names import near, visible_databases
from homeiot_batch.errors import HomeIotError, SourceError
from homeiot_batch.sources.influx_reader import InfluxReader
from homeiot_batch.sources.influxdb.client import quote_ident
from homeiot_batch.sources.influxdb.schema import Types, field_types, measurements

POLICY_FIX = "set INFLUX_RETENTION_POLICY to the one that has the readings"
BUCKET_FIX = "set INFLUX_BUCKET to the one that has the readings"


@dataclass(frozen=True)
class Place:
    """A retention policy that holds the measurement: the types of its fields there."""

    database: str
    policy: str
    is_default: bool
    types: Types

    def __str__(self) -> str:
        return f"{self.database}/{self.policy}"


@dataclass(frozen=True)
class Search:
    """A dataset's measurement, and where it was found."""

    settings: Settings
    reader: InfluxReader
    dataset: Dataset
    policies: dict[str, bool]  # of the database that is read: whether each is the default one
    places: list[Place]

    @property
    def wanted(self) -> str | None:
        """The retention policy that is read, or None if none is set and none is the default one."""
        if self.settings.influx_retention_policy:
            return self.settings.influx_retention_policy
        for name, is_default in self.policies.items():
            if is_default:
                return name
        return None

    @property
    def here(self) -> list[Place]:
        """The places in the database that is read."""
        bucket = self.settings.influx_bucket
        return [place for place in self.places if place.database == bucket]

    @property
    def read(self) -> Place | None:
        """The place that is read."""
        for place in self.here:
            if place.policy == self.wanted:
                return place
        return None


def check_readings(settings: Settings) -> Iterator[Finding]:
    """Every declared dataset. The server must be one that can be read."""
    reader = InfluxReader(settings)
    for dataset in settings.datasets.values():
        try:
            yield from _check_dataset(settings, reader, dataset)
        except HomeIotError as error:
            yield of_error(dataset.name, error)


def _check_dataset(settings: Settings, reader: InfluxReader, dataset: Dataset) -> Iterator[Finding]:
    policies = _policies(reader, settings.influx_bucket)
    places = list(_places(settings, reader, dataset))
    search = Search(settings, reader, dataset, policies, places)
    yield _check_place(search)
    read = search.read
    if read is not None:
        measurement = Measurement(settings, reader.client, dataset, read.policy, read.types)
        yield from _looked_at("tags", check_tags, measurement)
        yield from _looked_at("fields", check_fields, measurement)
        yield from _looked_at("sources", check_sources, measurement)
        yield from _looked_at("begin", check_begin, measurement)


def _check_place(search: Search) -> Finding:
    """Whether the measurement is in the policy that is read, and in no other."""
    name = search.dataset.name
    bucket = search.settings.influx_bucket
    policy = search.settings.influx_retention_policy
    if policy and policy not in search.policies:
        others = near(policy, list(search.policies))
        found = f"{bucket!r} has no retention policy {policy!r}; {others}"
        return problem(name, found, POLICY_FIX)
    if search.read is None:
        return _elsewhere(search)
    listed = _listed(search)
    if len(search.here) > 1 and not policy:
        found = f"{listed}: a day with points in several policies is refused"
        return problem(name, found, POLICY_FIX)
    return ok(name, listed)


def _looked_at(
    what: str, check: Callable[[Measurement], Iterator[Finding]], m: Measurement
) -> Iterator[Finding]:
    """The findings. A warning where the server refuses a question: a run asks about a day only."""
    try:
        yield from check(m)
    except SourceError as error:
        yield of_error(f"{m.dataset.name} {what}", error, "warning")


def _policies(reader: InfluxReader, database: str) -> dict[str, bool]:
    """Its retention policies, and whether each is the default one."""
    return {policy.name: policy.is_default for policy in reader.policies(database)}


def _places(settings: Settings, reader: InfluxReader, dataset: Dataset) -> Iterator[Place]:
    """Where the measurement is: in the database that is read, then in the others."""
    bucket = settings.influx_bucket
    databases = visible_databases(reader.client)
    if bucket in databases:
        databases.remove(bucket)
        yield from _places_in(bucket, reader, dataset)
    for database in databases:
        try:
            yield from _places_in(database, reader, dataset)
        except SourceError:  # another database may not be for these credentials
            continue


def _places_in(database: str, reader: InfluxReader, dataset: Dataset) -> Iterator[Place]:
    for policy, is_default in _policies(reader, database).items():
        names = (database, policy, dataset.measurement)
        source = ".".join(map(quote_ident, names))
        if types := field_types(reader.client, source):
            yield Place(database, policy, is_default, types)


def _listed(search: Search) -> str:
    marked = [_marked(place, search.read) for place in search.places]
    return f"measurement {search.dataset.measurement!r} is in {', '.join(marked)}"


def _marked(place: Place, read: Place | None) -> str:
    marks: list[str] = []
    if place.is_default:
        marks.append("default")
    if place is read:
        marks.append("read now")
    if not marks:
        return str(place)
    return f"{place} ({', '.join(marks)})"


def _elsewhere(search: Search) -> Finding:
    """The measurement is not where it would be read."""
    bucket = search.settings.influx_bucket
    name = search.dataset.name
    read = f"{bucket}/{search.wanted}"
    if not search.wanted:
        read = f"{bucket}, which has no default policy"
    if not search.places:
        return _nowhere(search, read)
    found = f"{_listed(search)}, read is {read}"
    if search.here:
        return problem(name, found, POLICY_FIX)
    return problem(name, found, BUCKET_FIX)


def _nowhere(search: Search, read: str) -> Finding:
    measurement = search.dataset.measurement
    others = measurements(search.reader.client, search.wanted)
    return problem(
        search.dataset.name,
        f"there is no measurement {measurement!r} in {read}; {near(measurement, sorted(others))}",
        "correct the dataset's measurement in config.yaml, or INFLUX_MEASUREMENT. "
        f"If it is new, wait for its first point{how_to_declare(search.dataset)}",
    )
