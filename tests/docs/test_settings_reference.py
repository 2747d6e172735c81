"""The documents that are made from the settings model."""

import json

import yaml
from jsonschema import Draft202012Validator

from homeiot_batch.config import ROOT, Settings, is_secret
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.meters import Meter, Power, Register
from tests.docs.settings_reference import PAGE, SCHEMA, key_table, page, schema, table


def test_every_setting_is_described() -> None:
    """A setting without a description cannot be understood from its page.

    Nor can a dataset's key.
    """
    models = (Settings, Dataset, Meter, Register, Power)
    described = [field for model in models for field in model.model_fields.items()]
    assert [name for name, field in described if not field.description] == []


def test_schema_and_page_are_those_of_the_model() -> None:
    """Both are rewritten by `make reference`. This fails when they drift."""
    assert SCHEMA.read_text() == schema(), "run `make reference`"
    text = PAGE.read_text()
    assert page(text) == text, "run `make reference`"
    assert table() in text
    assert key_table(Dataset) in text
    assert key_table(Meter) in text


def test_the_shipped_config_is_valid_by_the_schema() -> None:
    """config.yaml as it is shipped, and the schema itself, are in order.

    Secrets are no part of either.
    """
    document = json.loads(SCHEMA.read_text())
    Draft202012Validator.check_schema(document)
    Draft202012Validator(document).validate(yaml.safe_load((ROOT / "config.yaml").read_text()))
    assert [
        name
        for name, field in Settings.model_fields.items()
        if is_secret(field) and name in document["properties"]
    ] == []
