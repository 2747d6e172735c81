"""The text of config.yaml says in YAML what was meant, whatever letters the names hold."""

from pathlib import Path

import pytest

from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.settings_files import declared_settings
from homeiot_batch.setup_house.candidates import Candidate
from homeiot_batch.setup_house.choice import choose
from homeiot_batch.setup_house.config_text import Content, config_text
from homeiot_batch.setup_house.survey import Measurement, Samples, Series
from tests.integration.points import ODD_TAGS

YAML_WORDS = (
    "on",
    "no",
    "1",
    "1e5",
    "null",
    "~",
    "- a",
    "{a: b}",
    "a: b",
    "# c",
    "a\nb",
    "",
    "é #",
)
SAMPLES = Samples({0: 1.0})


def candidate(text: str) -> Candidate:
    """A load whose every name is the text."""
    return Candidate(
        dataset="plugs",
        where={"name": text},
        field=text or "value",
        unit="Wh",
        kind="load",
        role="import",
        device=text,
        stem=text,
        part="",
        why=f"by {text}",
        shown=text,
        samples=SAMPLES,
    )


@pytest.mark.parametrize("text", [*ODD_TAGS, *YAML_WORDS])
def test_odd_names_come_back_as_they_were(tmp_path: Path, text: str) -> None:
    """As meter, tag value, field and measurement, and in each comment."""
    measurement = Measurement(text, {text: {"float"}}, [Series(text, {text: text})])
    plugs = Dataset(measurement=text or "m", tags={"name": text}, fields={"value": "double"})
    content = Content(
        settings={"influx_bucket": text, "dbt_vars": {"sources": {text: {"unit": text}}}},
        datasets={"plugs": plugs, "on": plugs},
        schemas={"plugs": text},
        meters=choose([candidate(text)]).meters,
        left=[(candidate(text), text)],
        remarks=[text],
        others=[measurement],
        comments={"influx_bucket": text},
    )
    file = tmp_path / "config.yaml"
    file.write_text(config_text(content))
    series = {"dataset": "plugs", "where": {"name": text}, "field": text or "value", "unit": "Wh"}
    declared = {"measurement": text or "m", "tags": {"name": text}, "fields": {"value": "double"}}
    assert declared_settings([file]).values == {
        "influx_bucket": text,
        "dbt_vars": {"sources": {text: {"unit": text}}},
        "datasets": {"plugs": declared, "on": declared},
        "meters": {text: {"kind": "load", "import": series}},
    }
