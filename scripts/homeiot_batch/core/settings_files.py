"""The files that settings are read from: what they declare, and which file declares it."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from homeiot_batch.errors import SettingsError


@dataclass(frozen=True)
class Declared:
    """The top-level keys of the files with their values, and the file that gives each of them."""

    values: Mapping[str, Any]
    files: Mapping[str, Path]


def declared_settings(files: Sequence[Path]) -> Declared:
    """What the files declare. A key of a later file replaces the same key of an earlier one, whole.

    A file that is not there declares nothing. SettingsError for one that is no YAML mapping.
    """
    values: dict[str, object] = {}
    origins: dict[str, Path] = {}
    for file in files:
        found = _read(file)
        values |= found
        origins |= dict.fromkeys(found, file)
    return Declared(values, origins)


class _Loader(yaml.SafeLoader):
    """YAML whose keys are text or numbers, and none stands twice.

    YAML takes yes, no, on and off for truth values. The first of two keys would be dropped.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """The mapping. ConstructorError at a key that stands twice, or is a truth value."""
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                continue  # which the loader itself refuses
            if key is None or isinstance(key, bool):
                problem = f"YAML takes {key_node.value!r} for {key}; write it in quotes as a name"
                raise ConstructorError(None, None, problem, key_node.start_mark)
            if key in seen:
                problem = f"the key {key!r} stands twice"
                raise ConstructorError(None, None, problem, key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def _read(file: Path) -> dict[str, object]:
    try:
        content = yaml.load(file.read_bytes(), _Loader)  # noqa: S506 - a SafeLoader
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(
            f"{file} cannot be read ({error.strerror}); see to its permissions"
        ) from None
    except (ValueError, yaml.YAMLError) as error:
        raise SettingsError(f"{file} cannot be read: {_place(error)}; correct it there") from None
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise SettingsError(
            f"{file} does not consist of settings; write a line `name: value` for each, "
            "as the config.yaml of the checkout has them"
        )
    return content


def _place(error: Exception) -> str:
    """Line, column and what is wrong there, on one line."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return " ".join(str(error).split())
    problem = getattr(error, "problem", "")
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}"
