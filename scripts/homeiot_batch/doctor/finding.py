"""What a check found, and what to do about it."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `cure` is empty where nothing is wrong. Holds no secret."""

    name: str
    level: Level
    found: str
    cure: str = ""


def ok(name: str, found: str) -> Finding:
    """All is well."""
    return Finding(name, "ok", found)


def warning(name: str, found: str, cure: str) -> Finding:
    """Runs work, but something may be lost or wrong."""
    return Finding(name, "warning", found, cure)


def problem(name: str, found: str, cure: str) -> Finding:
    """The next run fails, or what it archives is not what was meant."""
    return Finding(name, "problem", found, cure)


def of_error(name: str, error: Exception, level: Level = "problem") -> Finding:
    """The project's errors say what was found, then after the last semicolon the cure."""
    found, _, cure = str(error).rpartition("; ")
    return Finding(name, level, found or cure, cure if found else "")
