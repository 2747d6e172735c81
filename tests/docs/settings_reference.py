"""The settings as documents: a JSON schema and a page's tables, both from the one model.

python -m tests.docs.settings_reference

rewrites workflow/schemas/settings.schema.json and the tables in docs/reference/settings.md.
"""

import json
import re
from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from homeiot_batch.config import ROOT, Settings, has_variable, is_secret
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.meters import Meter, Power, Register

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


def key_table(model: type[BaseModel]) -> str:
    """The keys of a dataset, a meter or a series as a Markdown table."""
    rows = [
        f"| `{field.alias or name}` | "
        f"{'' if field.is_required() else _default(field) or 'none'} | {field.description} |"
        for name, field in model.model_fields.items()
    ]
    return "\n".join(["| key | default | meaning |", "| --- | --- | --- |", *rows]) + "\n"


def page(text: str) -> str:
    """The page with its tables as they are now."""
    for marker, content in (("settings", table()), *_key_tables()):
        text = re.sub(
            rf"(?<=<!-- {marker} -->\n).*?(?=<!-- /{marker} -->)",
            lambda _, new=content: new,
            text,
            flags=re.DOTALL,
        )
    return text


def _key_tables() -> Iterator[tuple[str, str]]:
    for model in (Dataset, Meter, Register, Power):
        yield model.__name__.lower(), key_table(model)


def _variable(name: str, field: FieldInfo) -> str:
    return f"`{name.upper()}`" if has_variable(field) else ""


def _default(field: FieldInfo) -> str:
    return (
        ""
        if field.default in (None, {}, [])
        else f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"
    )


if __name__ == "__main__":
    SCHEMA.write_text(schema())
    PAGE.write_text(page(PAGE.read_text()))
