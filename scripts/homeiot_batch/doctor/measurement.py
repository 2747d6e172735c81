"""A dataset's measurement on the server, and how its findings show instants."""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from homeiot_batch.config import Settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import EPOCH
from homeiot_batch.doctor.finding import Finding, problem, warning
from homeiot_batch.sources.influxdb.answers import Instant
from homeiot_batch.sources.influxdb.client import InfluxClient, quote_ident
from homeiot_batch.sources.influxdb.schema import Types, tag_keys


@dataclass(frozen=True)
class Measurement:
    """A dataset's measurement where it is read."""

    settings: Settings
    client: InfluxClient
    dataset: Dataset
    policy: str
    types: Types

    @property
    def name(self) -> str:
        """For a query's FROM."""
        return f"{quote_ident(self.policy)}.{quote_ident(self.dataset.measurement)}"

    @functools.cached_property
    def tags(self) -> set[str]:
        """The tags that points have."""
        return tag_keys(self.client, self.name, self.types)

    def local(self, instant: datetime) -> str:
        """The instant as the house's clocks show it."""
        return f"{instant.astimezone(self.settings.zone):%F %T}"

    def last_written(self, field: str, kinds: Iterable[str]) -> datetime:
        """When the field was last written as one of these types (UTC)."""
        last = 0
        for kind in kinds:
            query = f"SELECT last({quote_ident(field)}::{kind}) FROM {self.name}"
            for row in self.client.rows(query, Instant):
                last = max(last, row.time)
        return from_nanoseconds(last)

    def by_age(self, last: datetime) -> Callable[[str, str, str], Finding]:
        """A problem, or a warning if no night reads a day of that time any more."""
        reach = timedelta(days=self.settings.lookback_days + 1)
        if last < self.settings.instant() - reach:
            return warning
        return problem


def from_nanoseconds(nanoseconds: int) -> datetime:
    """An instant of InfluxDB (UTC)."""
    return EPOCH + timedelta(microseconds=nanoseconds // 1000)
