"""The settings as documents: a JSON schema and the README's table, both from the one model.

python -m homeiot_batch.settings_reference      rewrites workflow/schemas/settings.schema.json and the table in README.md
"""

import json
import re

from pydantic.fields import FieldInfo

from homeiot_batch.config import ROOT, Settings, has_variable, is_secret

SCHEMA = ROOT / "workflow/schemas/settings.schema.json"
README = ROOT / "README.md"
TABLE = re.compile(r"(?<=<!-- settings -->\n).*?(?=<!-- /settings -->)", re.DOTALL)


def schema() -> str:
    """JSON schema of config.yaml and --config: the settings that may stand there."""
    document = Settings.model_json_schema()
    for name, field in Settings.model_fields.items():
        document["properties"][name].pop("env", None)
        if is_secret(field):
            del document["properties"][name]
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **document}, indent=2) + "\n"


def table() -> str:
    """The settings as a Markdown table."""
    rows = [f"| `{name}` | {_variable(name, field)} | {_default(field)} | {field.description} |" for name, field in Settings.model_fields.items()]
    return "\n".join(["| setting | variable | default | meaning |", "| --- | --- | --- | --- |", *rows]) + "\n"


def _variable(name: str, field: FieldInfo) -> str:
    return f"`{name.upper()}`" if has_variable(field) else ""


def _default(field: FieldInfo) -> str:
    return "" if field.default in (None, {}) else f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"


if __name__ == "__main__":
    SCHEMA.write_text(schema())
    README.write_text(TABLE.sub(lambda _: table(), README.read_text()))
