"""Whatever a house calls its entities: the file can be used, and nothing is counted twice."""

from collections import Counter

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.meter_checks import refuse_wrong_meters
from homeiot_batch.core.meters import Meter
from homeiot_batch.setup_house.choice import choose
from homeiot_batch.setup_house.config_text import Content, config_text
from homeiot_batch.setup_house.proposal import recognised_in
from homeiot_batch.setup_house.survey import Measurement, Samples, Series, Survey
from homeiot_batch.setup_house.words import ALL_FLOW_WORDS, KIND_WORDS

WORDS = [word for words in KIND_WORDS.values() for word in words]
WORDS += [*ALL_FLOW_WORDS, "energy", "total", "1", "2", "tariff_1", "tariff_2", "l1", "to"]
names = st.lists(st.sampled_from(sorted(WORDS)), min_size=1, max_size=4).map("_".join)
COUNTER = Samples({hour: float(hour) for hour in range(10)})
FIELDS = ("energy", "ENERGY_Total", "total_act", "total_act_ret", "energy_wh", "delivered_1")


def of_entities(unit: str, entities: set[str]) -> Measurement:
    """A measurement of Home Assistant."""
    series = [
        Series(unit, {"domain": "sensor", "entity_id": entity}, {"value": COUNTER})
        for entity in sorted(entities)
    ]
    return Measurement(unit, {"value": {"float"}}, series)


def of_topics(topics: set[str], fields: set[str]) -> Measurement:
    """A measurement of Telegraf: each device has all of the fields."""
    numbers = dict.fromkeys(sorted(fields), COUNTER)
    series = [Series("mqtt_meter", {"topic": topic}, numbers) for topic in sorted(topics)]
    return Measurement("mqtt_meter", {field: {"float"} for field in fields}, series)


@settings(max_examples=60, deadline=None)
@given(
    energy=st.sets(names, max_size=8),
    power=st.sets(names, max_size=4),
    topics=st.sets(names, max_size=4),
    fields=st.sets(st.sampled_from(FIELDS)),
)
def test_any_house(energy: set[str], power: set[str], topics: set[str], fields: set[str]) -> None:
    """At most one meter of each of grid, solar and battery, and each series at most once."""
    measurements = [of_entities("kWh", energy), of_entities("W", power), of_topics(topics, fields)]
    found = recognised_in(Survey("here", measurements))
    choice = choose(found.candidates)
    text = config_text(
        Content({}, found.datasets, found.schemas, choice.meters, choice.left, found.remarks)
    )
    declared = yaml.safe_load(text)
    datasets = {
        name: Dataset.model_validate(one) for name, one in (declared["datasets"] or {}).items()
    }
    meters = {name: Meter.model_validate(one) for name, one in declared.get("meters", {}).items()}
    refuse_wrong_meters(meters, datasets, {})
    kinds = Counter(meter.kind for meter in meters.values())
    assert all(kinds[kind] <= 1 for kind in ("grid", "solar", "battery"))
    used = [
        one.key for meter in choice.meters for series in meter.series.values() for one in series
    ]
    left = [candidate.key for candidate, _ in choice.left]
    assert sorted(map(repr, used + left)) == sorted(repr(one.key) for one in found.candidates)
