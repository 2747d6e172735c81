"""Documents in msgpack, byte by byte as InfluxDB 1.x and 2.x write them."""

import struct
from collections.abc import Sequence

import msgpack

Row = Sequence[object]


def packed(value: object) -> bytes:
    """The value as InfluxDB packs it: integers of 64 bits always take nine bytes."""
    if type(value) is int:
        return struct.pack(">Bq", 0xD3, value)
    return msgpack.packb(value)


def document(
    rows: Sequence[Row], columns: Sequence[str] = (), *, partial: bool = True, **others: object
) -> bytes:
    """A document of one series, `others` before its name."""
    packer = msgpack.Packer()
    columns = columns or [f"c{index}" for index in range(len(rows[0]))]
    of_rows = b"".join(
        packer.pack_array_header(len(row)) + b"".join(map(packed, row)) for row in rows
    )
    series = [
        packer.pack_map_header(4 + len(others)),
        *(packer.pack(key) + packer.pack(value) for key, value in others.items()),
        packer.pack("name") + packer.pack("power"),
        packer.pack("columns") + packer.pack(columns),
        packer.pack("values") + packer.pack_array_header(len(rows)) + of_rows,
        packer.pack("partial") + packer.pack(partial),
    ]
    result = [
        packer.pack_map_header(2) + packer.pack("statement_id") + packer.pack(0),
        packer.pack("series") + packer.pack_array_header(1) + b"".join(series),
    ]
    head = packer.pack_map_header(1) + packer.pack("results") + packer.pack_array_header(1)
    return head + b"".join(result)
