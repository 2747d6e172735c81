"""Sorts a source's points, and cuts them into batches of one size."""

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from homeiot_batch.core.datasets import Dataset


def in_order(points: Iterable[pa.RecordBatch], dataset: Dataset) -> Iterator[pa.RecordBatch]:
    """The same points by time, then tags: a source promises the time only.

    Holds back the points of the last time seen.
    """
    keys = [("time", "ascending"), *((tag, "ascending") for tag in dataset.tags)]
    held: pa.Table | None = None
    for batch in points:
        table = pa.Table.from_batches([batch])
        if held:
            table = pa.concat_tables([held, table])
        times = table["time"]
        cut = pc.index(times, times[-1]).as_py()
        if cut:
            yield from _sorted(table.slice(0, cut), keys)
        held = table.slice(cut)
    if held:
        yield from _sorted(held, keys)


def _sorted(points: pa.Table, keys: list[tuple[str, str]]) -> list[pa.RecordBatch]:
    times = points["time"].combine_chunks()
    # each later than the one before: they are in their only order
    if not pc.all(pc.less(times[:-1], times[1:]), min_count=0).as_py():
        points = points.sort_by(keys)
    return points.combine_chunks().to_batches()


def of_size(batches: Iterable[pa.RecordBatch], size: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of `size`, the last one shorter."""
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        waiting.append(batch)
        count += len(batch)
        while count >= size:
            joined = pa.concat_batches(waiting)
            yield joined.slice(0, size)
            waiting = [joined.slice(size)]
            count -= size
    if count:
        yield pa.concat_batches(waiting)
