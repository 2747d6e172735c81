"""Fingerprints of all that the tables depend on, except the readings.

The marker of a build records them. If one differs, the tables are built again: after an edit of the
content, and not after a mere `touch`.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from homeiot_batch.config import ROOT, Settings
from homeiot_batch.warehouse.table_vars import table_datasets
from homeiot_batch.warehouse.tariffs import tariff_path

PROJECT = ROOT / "dbt"
NAMES = {
    "tariffs": "the tariffs",
    "dbt_vars": "dbt_vars",
    "meters": "the meters",
    "models": "the files in dbt",
}

Fingerprints = dict[str, str]


def fingerprints(settings: Settings) -> Fingerprints:
    """A checksum of each thing, by the keys of `NAMES`."""
    return {
        "tariffs": _checksum([tariff_path(settings)]),
        "dbt_vars": _json_digest(settings.dbt_vars),
        "meters": _json_digest(_meters(settings)),
        "models": _checksum(_models()),
    }


def changed_inputs(settings: Settings, marker: Mapping[str, object]) -> list[str]:
    """What is not as it was at the build that the marker tells of, in words."""
    recorded = marker.get("inputs")
    former = recorded if isinstance(recorded, dict) else {}
    now = fingerprints(settings)
    return [words for name, words in NAMES.items() if former.get(name) != now[name]]


def _meters(settings: Settings) -> object:
    """What is declared of the meters, and the datasets that the tables are built from."""
    declared = {name: meter.model_dump(mode="json") for name, meter in settings.meters.items()}
    return [table_datasets(settings), declared]


def _models() -> Iterator[Path]:
    """The files of the dbt project that say what the tables are."""
    yield PROJECT / "dbt_project.yml"
    for folder in ("macros", "models", "tests"):
        yield from sorted(
            path for path in (PROJECT / folder).rglob("*") if path.suffix in (".sql", ".yml")
        )


def _checksum(files: Iterator[Path] | list[Path]) -> str:
    """One of all files, by name and content. One that cannot be read counts as such."""
    lines = []
    for file in files:
        try:
            content = _hexdigest(file.read_bytes())
        except FileNotFoundError:
            content = ""
        except OSError as error:
            content = str(error.strerror)
        lines.append(f"{file.name} {content}")
    return _hexdigest("\n".join(lines).encode())


def _json_digest(content: object) -> str:
    return _hexdigest(json.dumps(content, sort_keys=True).encode())


def _hexdigest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
