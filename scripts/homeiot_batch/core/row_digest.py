"""A digest of rows in DuckDB, by which many rows are compared in one pass."""

from collections.abc import Iterable

from homeiot_batch.core.sql_text import quoted


def digest_columns(columns: Iterable[str]) -> str:
    """SQL for three values: the number of rows, and the exact sum and exclusive or of their hashes.

    Each row is hashed to 64 bits over the columns in this order, and the hash is hashed once more.
    Without that, two values that trade places between rows would cancel out in the exclusive or,
    and could in the sum. Other rows have another digest, but for a chance of about 1 in 2**64.

    Rows are equal by DuckDB's rules, as for EXCEPT ALL: NULL equals NULL and not 0, NaN equals NaN,
    and 0.0 equals -0.0. A hash holds for one version of DuckDB, so store it nowhere.
    """
    row = f"hash(hash({', '.join(map(quoted, columns))}))"
    return f"count(*), sum({row}::HUGEINT), bit_xor({row})"
