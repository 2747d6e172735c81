"""The vars of the dbt project that a house sets: checked against the ones that the project has."""

import functools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

import yaml

from homeiot_batch.core.near_names import hint

# of a source beside the vars that are numbers: what it measures
KIND = "kind"
# what the program itself gives the project, from the datasets and meters that are declared
OF_THE_PROGRAM = ("datasets", "registers")
# vars that are one of some words
DIRECTIONS = ["up", "down", "both"]
CHOICES = {
    "direction": DIRECTIONS,
    "export_direction": DIRECTIONS,
    "unit": ["kWh", "Wh", "MWh"],
}


def refuse_unknown_vars(given: Mapping[str, Any], project: Path) -> None:
    """ValueError for a var that the project does not have, or a value that it cannot be."""
    known = _project_vars(project)
    for name, value in given.items():
        if name not in known:
            raise ValueError(f"has no var {name!r}; {hint(name, known)}")
        if isinstance(known[name], dict):
            _check_sources(name, value, known)
        else:
            _check_value(name, value, known[name])


@functools.cache
def _project_vars(project: Path) -> Mapping[str, object]:
    found = yaml.safe_load((project / "dbt_project.yml").read_bytes())["vars"]
    return {name: value for name, value in found.items() if name not in OF_THE_PROGRAM}


def _check_sources(name: str, value: object, known: Mapping[str, Any]) -> None:
    """The same vars by source, and what each source measures."""
    if not isinstance(value, dict):
        raise ValueError(f"{name}={value!r} names no sources; write {name}: {{meter1: {{...}}}}")
    allowed = {KIND: "", **known}
    del allowed[name]
    for source, own in value.items():
        if not isinstance(source, str) or not isinstance(own, dict):
            raise ValueError(
                f"{name}: {source!r} has no vars of its own; write {name}: {{{source}: {{...}}}}"
            )
        _check_source(f"{name}.{source}", own, allowed)


def _check_source(name: str, own: Mapping[str, object], allowed: Mapping[str, object]) -> None:
    for key, setting in own.items():
        if key not in allowed:
            raise ValueError(f"{name} has no {key!r}; {hint(str(key), allowed)}")
        _check_value(f"{name}.{key}", setting, allowed[key])


def _check_value(name: str, value: object, default: object) -> None:
    """A value of the kind of the default. Numbers are finite and not negative."""
    if value is None and default is None:
        return
    _, _, var = name.rpartition(".")
    choices = CHOICES.get(var)
    if choices:
        if value not in choices:
            words = ", ".join(choices)
            raise ValueError(f"{name}={value!r} is none of {words}; write one of them")
        return
    if isinstance(default, bool | str):
        if type(value) is not type(default):
            wanted = "a text"
            if isinstance(default, bool):
                wanted = "true or false"
            raise ValueError(f"{name}={value!r} is not {wanted}; write one")
        return
    if not _is_finite(value) or value < 0:
        raise ValueError(f"{name}={value!r} is no number from 0 on; write one like {default or 1}")


def _is_finite(value: object) -> TypeGuard[float]:
    """Whether the value is a number that YAML wrote as one, and finite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value)
