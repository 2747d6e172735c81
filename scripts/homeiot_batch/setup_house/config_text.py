"""The text of config.yaml: datasets, meters with why each was guessed, and the rest as comments."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import yaml

from homeiot_batch.core.datasets import Dataset
from homeiot_batch.errors import printable
from homeiot_batch.setup_house.candidates import Candidate, Role
from homeiot_batch.setup_house.choice import Proposed
from homeiot_batch.setup_house.survey import Measurement, shown_hour

REGISTERS: tuple[Role, ...] = ("import", "export")
WIDE = 10_000  # columns: a value stays on its line
SCHEMA = "../../workflow/schemas/settings.schema.json"
DEFAULT_UNITS = ("kWh", "W")
HEAD = """# yaml-language-server: $schema={schema}
# Written by `homeiot init`. Edit it as you like: docs/reference/settings.md has all keys, and
# docs/how-to/declare-your-meters.md says how to declare meters.
# `homeiot init --print` shows what the source holds now."""
LEFT = """
# May be meters too. If one is, declare it above:"""
OTHERS = """
# Also at the source, and not archived. docs/how-to/add-a-dataset.md says how to add it:"""


@dataclass
class Content:
    """What goes into the file."""

    settings: Mapping[str, object]
    datasets: Mapping[str, Dataset]
    schemas: Mapping[str, str]  # of each dataset, the name of its schema
    meters: Sequence[Proposed]
    left: Sequence[tuple[Candidate, str]] = ()
    remarks: Sequence[str] = ()
    others: Sequence[Measurement] = ()
    more: str = ""  # that others were left out
    comments: Mapping[str, str] = field(default_factory=dict)  # of the settings
    left_in_all: int = 0  # with those that are not listed


def config_text(content: Content) -> str:
    """The whole file. Each comment is one line."""
    return "\n".join([*_lines(content), ""])


def _lines(content: Content) -> Iterator[str]:
    yield HEAD.format(schema=SCHEMA)
    yield ""
    for name, value in content.settings.items():
        yield from _setting(name, value, content.comments.get(name, ""))
    yield ""
    yield "datasets:"
    for name, dataset in content.datasets.items():
        yield f"  {_flow(name)}:{_comment(content.schemas.get(name, ''))}"
        yield from _dataset(dataset)
    if content.meters:
        yield ""
        yield "meters:"
    for meter in content.meters:
        yield f"  {_flow(meter.name)}:"
        yield from _meter(meter)
    yield from _comments(content)


def _comments(content: Content) -> Iterator[str]:
    """What was not declared."""
    if content.left or content.remarks:
        yield LEFT
    for candidate, reason in content.left:
        series = f"{candidate.shown}, {_flow(_declaration(candidate))}"
        yield printable(f"# - {series}: {reason}; {_last(candidate)}")
    for remark in content.remarks:
        yield printable(f"# - {remark}")
    if content.others or content.more:
        yield OTHERS
    for measurement in content.others:
        yield printable(f"# - {described(measurement)}")
    if content.more:
        yield printable(f"# - {content.more}")


def _setting(name: str, value: object, comment: str) -> Iterator[str]:
    if not isinstance(value, dict | list):
        yield f"{name}: {_flow(value)}{_comment(comment)}"
        return
    text = yaml.safe_dump({name: value}, sort_keys=False, allow_unicode=True, width=WIDE)
    yield from text.removesuffix("\n").split("\n")


def _dataset(dataset: Dataset) -> Iterator[str]:
    yield f"    measurement: {_flow(dataset.measurement)}"
    if dataset.tags:
        yield f"    tags: {_flow(dataset.tags)}"
    yield f"    fields: {_flow(dataset.fields)}"
    if dataset.missing is not None:
        yield f"    missing: {_flow(dataset.missing)}"


def _meter(meter: Proposed) -> Iterator[str]:
    yield f"    kind: {meter.kind}"
    for role, candidates in meter.series.items():
        if len(candidates) == 1:
            yield f"    {role}: {_series(candidates[0])}"
        else:
            yield f"    {role}:"
            for candidate in candidates:
                yield f"      - {_series(candidate)}"
    registers = [one for role in REGISTERS for one in meter.series.get(role, [])]
    if registers and all(one.reports_on_change for one in registers):
        yield "    reports: on_change"
    gaps = [one.max_gap_s for one in meter.series.get("power", []) if one.max_gap_s]
    if gaps and not registers:
        yield f"    max_gap_s: {min(gaps)}"


def _series(candidate: Candidate) -> str:
    comment = f"guessed {candidate.why}; {_last(candidate)}"
    return f"{_flow(_declaration(candidate))}{_comment(comment)}"


def _declaration(candidate: Candidate) -> dict[str, object]:
    """The series as the settings declare it."""
    declared: dict[str, object] = {"dataset": candidate.dataset}
    if candidate.where:
        declared["where"] = dict(candidate.where)
    if candidate.field:
        declared["field"] = candidate.field
    if candidate.unit not in DEFAULT_UNITS:
        declared["unit"] = candidate.unit
    if candidate.positive and candidate.role == "power":
        declared["positive"] = candidate.positive
    return declared


def _last(candidate: Candidate) -> str:
    samples = candidate.samples
    if samples is None:
        return "no value in the last days"
    return f"last {samples.last:.10g} {candidate.unit}, {shown_hour(samples.last_hour)}"


def _comment(text: str) -> str:
    if not text:
        return ""
    return f" # {printable(text)}"


def _flow(value: object) -> str:
    """The value as YAML, on one line."""
    text = _dumped(value, None)
    if "\n" in text:
        text = _dumped(value, '"')
    return text


def _dumped(value: object, style: str | None) -> str:
    text = yaml.safe_dump(
        value,
        default_flow_style=True,
        default_style=style,
        allow_unicode=True,
        sort_keys=False,
        width=WIDE,
    )
    return text.removesuffix("\n...\n").removesuffix("\n")


MOST_FIELDS = 6
MOST_VALUES = 5


def described(measurement: Measurement) -> str:
    """Fields with their types, last value and time, and tags with their values."""
    fields = sorted(measurement.types)
    shown = [_field(measurement, name) for name in fields[:MOST_FIELDS]]
    if len(fields) > MOST_FIELDS:
        shown.append(f"and {len(fields) - MOST_FIELDS} more fields")
    tags = [f"{tag}={_values(values)}" for tag, values in measurement.tags.items()]
    text = f"{measurement.name}: {'; '.join(shown)}"
    if tags:
        text += f"; tags: {', '.join(tags)}"
    return text


def _field(measurement: Measurement, name: str) -> str:
    kinds = "/".join(sorted(measurement.types[name]))
    found = [one.numbers[name] for one in measurement.series if name in one.numbers]
    text = f"{name} ({kinds})"
    if not found:
        return text
    newest = max(found, key=lambda samples: samples.last_hour)
    text += f" last {newest.last:.10g}, {shown_hour(newest.last_hour)}"
    if all(samples.looks_like_a_counter for samples in found):
        text += ", looks like a counter"
    return text


def _values(values: Sequence[str]) -> str:
    shown = "|".join(values[:MOST_VALUES])
    if len(values) > MOST_VALUES:
        return f"{shown}|... ({len(values)} values)"
    return shown
