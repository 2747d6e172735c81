"""Storage versions: for which DuckDB a file is written. DuckDB reads older ones, and no newer one."""

import difflib
import re

import duckdb

OLDEST = "v1.0.0"  # DuckDB takes the name of an older version too, and then writes this one


def refuse_unknown(version: str) -> None:
    """ValueError, with the version that is probably meant, for one that this DuckDB cannot write."""
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
    """What to give instead; DuckDB's refusal lists what it accepts."""
    listed = [name for name in re.findall(r"\bv\d+\.\d+\.\d+\b", refusal) if name != version]
    known = [name for name in listed if _numbers(name) >= _numbers(OLDEST)]
    numbers = ".".join(str(number) for number in (*_numbers(version), 0, 0, 0)[:3])
    if f"v{numbers}" in known:
        return f"did you mean v{numbers}?"
    near = difflib.get_close_matches(version.lower(), [*known, "latest"], n=1)
    if near:
        return f"did you mean {near[0]}?"
    return f"give a version of DuckDB like {OLDEST}, or latest"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
