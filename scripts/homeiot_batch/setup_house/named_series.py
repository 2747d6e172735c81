"""Candidates by the name of a device: what its words tell of kind and flow."""

from collections.abc import Mapping
from typing import Any

from homeiot_batch.core.meters import Kind
from homeiot_batch.setup_house.candidates import Candidate, Role
from homeiot_batch.setup_house.words import (
    DERIVED_WORDS,
    device_of,
    flow_of,
    has_word,
    kind_of,
    part_of,
)

POWER_UNITS = ("W", "kW")
# the role of a register whose name does not say which way it flows
USUAL_ROLE: Mapping[Kind, Role] = {"solar": "export", "load": "import"}


def by_name(name: str, **known: Any) -> Candidate:
    """The candidate that a plain name stands for. `known` are the rest of its parts."""
    found = kind_of(name)
    kind = None
    why = "its name tells no kind"
    if found:
        kind, word = found
        why = f"by '{word}' in its name"
    role, why_role = role_of(name, kind, known["unit"])
    # two plugs are two meters, two inverters are one roof
    stem, part = part_of(name, with_numbers=kind != "load")
    device = device_of(stem)
    if kind and kind != "load":
        device = kind
    return Candidate(
        kind=kind,
        role=role,
        device=device,
        stem=stem,
        part=part,
        why=f"{why}{why_role}",
        **known,
    )


def role_of(name: str, kind: Kind | None, unit: str) -> tuple[Role | None, str]:
    """The role that a plain name tells, and by what, as the end of a line."""
    if kind is None:
        return None, ""
    way, word = flow_of(name, kind)
    if unit in POWER_UNITS:
        if way == "export" and kind != "solar":
            return None, ", a power that flows out"
        return "power", ""
    if word and not way:
        return None, f", but '{word}' is another way"
    if way:
        return way, f" and by '{word}'"
    return USUAL_ROLE.get(kind), ""


def is_derived(name: str) -> str:
    """The word by which a plain name is a copy of a counter, or none, or ""."""
    return has_word(name, DERIVED_WORDS)
