"""What a check found, and what to do about it."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `fix` is what to do, and empty where nothing is wrong. No secret."""

    name: str
    level: Level
    found: str
    fix: str = ""


def ok(name: str, found: str) -> Finding:
    """All is well."""
    return Finding(name, "ok", found)


def warning(name: str, found: str, fix: str) -> Finding:
    """Runs work, but something may be lost or wrong."""
    return Finding(name, "warning", found, fix)


def problem(name: str, found: str, fix: str) -> Finding:
    """The next run fails, or what it archives is not what was meant."""
    return Finding(name, "problem", found, fix)


def of_error(name: str, error: Exception, level: Level = "problem") -> Finding:
    """Split a message of the project: what was found, and after the last semicolon what to do."""
    message = str(error)
    found, _, fix = message.rpartition("; ")
    if not found:
        return Finding(name, level, message)
    return Finding(name, level, found, fix)
