"""Whether the tags and fields of a measurement are those that config.yaml declares."""

import difflib
from collections.abc import Iterator

from homeiot_batch.doctor.finding import Finding, ok, problem, warning
from homeiot_batch.doctor.measurement import Measurement
from homeiot_batch.sources.influx_reader import COMPATIBLE
from homeiot_batch.sources.influxdb.schema import tag_values

DECLARE_TAG = "declare it under tags in config.yaml"
DECLARE_FIELD = "declare it under fields in config.yaml"


def check_tags(m: Measurement) -> Iterator[Finding]:
    """Each declared tag, and tags of the server that are not declared as such."""
    tags = m.dataset.tags.keys()
    fields = m.dataset.fields.keys()
    for tag in tags:
        yield _check_tag(m, tag)
    only_tags = m.tags - m.types.keys()
    for field in sorted(only_tags & fields):
        name = f"{m.dataset.name}.{field}"
        yield problem(name, "is a tag there, declared is a field", DECLARE_TAG)
    for tag in sorted(m.tags - tags - fields):
        yield _undeclared(m, tag)


def _check_tag(m: Measurement, tag: str) -> Finding:
    name = f"{m.dataset.name}.{tag}"
    is_tag = tag in m.tags
    if tag in m.types:
        if is_tag:
            return _also_a_field(m, tag)
        return problem(name, "is a field there, declared is a tag", DECLARE_FIELD)
    if is_tag:
        return ok(name, "tag")
    default = m.dataset.tags[tag]
    return ok(name, f"tag that no point has: every row gets {default!r}")


def _also_a_field(m: Measurement, tag: str) -> Finding:
    last = m.last_written(tag, m.types[tag])
    finding = m.by_age(last)
    when = m.local(last)
    return finding(
        f"{m.dataset.name}.{tag}",
        f"tag, and a field of some points, the last at {when}: such a day is refused",
        "correct what writes it, and delete those points: a run of the day says how",
    )


def _undeclared(m: Measurement, tag: str) -> Finding:
    values = tag_values(m.client, m.name, tag)
    name = f"{m.dataset.name}.{tag}"
    if values <= 1:
        return ok(name, "tag that is not declared. It has one value, so it keeps no readings apart")
    return warning(
        name,
        f"tag that is not declared, with {values} values: "
        "readings that differ in it alone become rows of one source and time",
        f"{DECLARE_TAG}, or if days are archived already, in a dataset of another name",
    )


def check_fields(m: Measurement) -> Iterator[Finding]:
    """Each declared field."""
    declared = m.dataset.fields
    if not declared.keys() & m.types.keys():
        on_server = ", ".join(sorted(m.types))
        yield problem(
            m.dataset.name,
            f"has none of the declared fields but {on_server}",
            "correct the dataset's fields in config.yaml",
        )
        return
    for field, kind in declared.items():
        if field in m.types:
            yield _typed(m, field, kind)
        elif field not in m.tags:
            yield _absent(m, field)


def _absent(m: Measurement, field: str) -> Finding:
    fill = m.dataset.missing
    if fill is None:
        fill = "NULL"
    found = f"field that no point has: every row gets {fill}"
    undeclared = m.types.keys() - m.dataset.fields.keys()
    for similar in difflib.get_close_matches(field, undeclared, n=1):
        found += f"; there is {similar!r}"
    return warning(
        f"{m.dataset.name}.{field}",
        found,
        "correct its name in config.yaml, if the house has such a reading",
    )


def _typed(m: Measurement, field: str, declared: str) -> Finding:
    name = f"{m.dataset.name}.{field}"
    kinds = m.types[field]
    shown = " and ".join(sorted(kinds))
    wrong = sorted(kinds - COMPATIBLE[declared])
    if wrong:
        return _wrongly_typed(m, field, f"field, {shown}, declared {declared}", wrong)
    if len(kinds) == 1:
        return ok(name, f"field, {shown}, declared {declared}")
    found = f"field of two types, by shard: {shown}; read as {declared}"
    return warning(name, found, "let what writes it write one type only")


def _wrongly_typed(m: Measurement, field: str, what: str, wrong: list[str]) -> Finding:
    last = m.last_written(field, wrong)
    finding = m.by_age(last)
    written = f"last written as {' or '.join(wrong)} at {m.local(last)}"
    return finding(
        f"{m.dataset.name}.{field}",
        f"{what}; {written}: such a day is refused",
        "correct what writes it and the points on the server, or the type in config.yaml",
    )
