"""Storage versions: for which DuckDB a file is written.

DuckDB reads older ones, and no newer one.
"""

import difflib
import re

import duckdb

OLDEST = "v1.0.0"  # DuckDB takes the name of an older version too, and then writes this one


def refuse_unknown(version: str) -> None:
    """ValueError for a version that this DuckDB cannot write. It names the one probably meant."""
    is_version = re.fullmatch(r"v\d+\.\d+\.\d+", version, re.ASCII)
    if is_version and _numbers(version) < _numbers(OLDEST):
        raise ValueError(f"is older than any file that DuckDB writes; the oldest is {OLDEST}")
    with duckdb.connect() as connection:
        try:
            connection.execute("SET storage_compatibility_version = ?", [version])
        except duckdb.Error as error:
            problem = f"is no storage version of DuckDB {duckdb.__version__}"
            raise ValueError(f"{problem}; {_hint(version, str(error))}") from None


def _hint(version: str, refusal: str) -> str:
    """What to give instead. DuckDB's refusal lists what it accepts."""
    oldest = _numbers(OLDEST)
    listed = re.findall(r"\bv\d+\.\d+\.\d+\b", refusal)
    recent = [name for name in listed if _numbers(name) >= oldest]
    known = [name for name in recent if name != version]
    completed = _completed(version)
    if completed in known:
        return f"did you mean {completed}?"
    near = difflib.get_close_matches(version.lower(), [*known, "latest"], n=1)
    if near:
        return f"did you mean {near[0]}?"
    return f"give a version of DuckDB like {OLDEST}, or latest"


def _numbers(version: str) -> tuple[int, ...]:
    numbers = re.findall(r"\d+", version)
    return tuple(map(int, numbers[:3]))


def _completed(version: str) -> str:
    """The version with three numbers, such as v1.4.0 of 1.4."""
    numbers = [*_numbers(version), 0, 0, 0]
    return "v" + ".".join(map(str, numbers[:3]))
