"""The settings as documents: a JSON schema and a page's tables, both from the one model.

python -m tests.docs.settings_reference

rewrites workflow/schemas/settings.schema.json and the tables in docs/reference/settings.md.
"""

import json
import re

from pydantic.fields import FieldInfo

from homeiot_batch.config import ROOT, Settings, has_variable, is_secret
from homeiot_batch.core.datasets import Dataset

SCHEMA = ROOT / "workflow/schemas/settings.schema.json"
PAGE = ROOT / "docs/reference/settings.md"


def schema() -> str:
    """JSON schema of config.yaml and --config: the settings that may stand there."""
    document = Settings.model_json_schema()
    for name, field in Settings.model_fields.items():
        document["properties"][name].pop("env", None)
        if is_secret(field):
            del document["properties"][name]
    return (
        json.dumps(
            {"$schema": "https://json-schema.org/draft/2020-12/schema", **document}, indent=2
        )
        + "\n"
    )


def table() -> str:
    """The settings as a Markdown table."""
    rows = [
        f"| `{name}` | {_variable(name, field)} | {_default(field)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return (
        "\n".join(
            ["| setting | variable | default | meaning |", "| --- | --- | --- | --- |", *rows]
        )
        + "\n"
    )


def dataset_table() -> str:
    """The keys of a dataset as a Markdown table."""
    rows = [
        f"| `{name}` | {'' if field.is_required() else _default(field) or 'none'} | "
        f"{field.description} |"
        for name, field in Dataset.model_fields.items()
    ]
    return "\n".join(["| key | default | meaning |", "| --- | --- | --- |", *rows]) + "\n"


def page(text: str) -> str:
    """The page with its tables as they are now."""
    for marker, content in (("settings", table()), ("dataset", dataset_table())):
        text = re.sub(
            rf"(?<=<!-- {marker} -->\n).*?(?=<!-- /{marker} -->)",
            lambda _, new=content: new,
            text,
            flags=re.DOTALL,
        )
    return text


def _variable(name: str, field: FieldInfo) -> str:
    return f"`{name.upper()}`" if has_variable(field) else ""


def _default(field: FieldInfo) -> str:
    return (
        ""
        if field.default in (None, {})
        else f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"
    )


if __name__ == "__main__":
    SCHEMA.write_text(schema())
    PAGE.write_text(page(PAGE.read_text()))
