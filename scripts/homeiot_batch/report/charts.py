"""Geometry of the charts, as pure functions: numbers in, SVG coordinates and path strings out.

Charts over time are WIDTH units wide and stretched to the page; whatever must keep its shape (text, marks, hatches) is HTML placed in per cent.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

WIDTH = 1000.0
LEVELS = 6

# from, to (both 0 to 1 of the width) and value; None where there is none
Slot = tuple[float, float, float | None]


@dataclass(frozen=True)
class Scale:
    """One scale for what is drawn up (bought) and down (sold): both at least 0, in the units of the values; `step` lies between two ticks."""

    up: float
    down: float
    step: float

    def percent(self, value: float) -> float:
        """Where `value` lies, from the top; below the line is negative."""
        return round(100 * (self.up - value) / (self.up + self.down), 3)

    @property
    def ticks(self) -> list[float]:
        """The values with a grid line, from the top down."""
        first, last = round(self.up / self.step), -round(self.down / self.step)
        return [round(k * self.step, 10) for k in range(first, last - 1, -1)]

    @property
    def digits(self) -> int:
        """Decimals that tell the ticks apart."""
        return next(
            digits
            for digits in range(8)
            if math.isclose(self.step, round(self.step, digits), rel_tol=1e-9)
        )


def scale(highest: float, lowest: float = 0.0, most_ticks: int = 5) -> Scale:
    """A scale from `lowest` (at most 0) to `highest` with round ticks; of no values at all, from 0 to 1."""
    highest, lowest = max(highest, 0.0), min(lowest, 0.0)
    if highest == lowest:
        return Scale(1.0, 0.0, 0.5)
    step = _round_step((highest - lowest) / most_ticks)
    return Scale(
        step * math.ceil(highest / step - 1e-9), step * math.ceil(-lowest / step - 1e-9), step
    )


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(
        round(factor * power, 12)
        for factor in (1, 2, 2.5, 5, 10)
        if factor * power >= least * (1 - 1e-9)
    )


def runs(slots: Iterable[Slot]) -> list[list[Slot]]:
    """The slots that have a value, in contiguous runs: a line never crosses a gap."""
    found: list[list[Slot]] = []
    for slot in slots:
        if slot[2] is None:
            continue
        if found and math.isclose(found[-1][-1][1], slot[0], abs_tol=1e-9):
            found[-1].append(slot)
        else:
            found.append([slot])
    return found


def area(slots: Sequence[Slot], axis: Scale, sign: int = 1) -> str:
    """Steps filled down to the zero line, a closed subpath for each run."""
    zero = _y(axis, 0)
    return "".join(
        f"M{_x(run[0][0])} {zero}{_steps(run, axis, sign)}V{zero}Z" for run in runs(slots)
    )


def line(slots: Sequence[Slot], axis: Scale, sign: int = 1) -> str:
    """Steps without filling."""
    return "".join(
        f"M{_x(run[0][0])} {_y(axis, sign * (run[0][2] or 0))}{_steps(run, axis, sign)}"
        for run in runs(slots)
    )


def _steps(run: Sequence[Slot], axis: Scale, sign: int) -> str:
    return "".join(f"V{_y(axis, sign * (value or 0))}H{_x(end)}" for _, end, value in run)


def holes(slots: Iterable[Slot], least: float = 0.0) -> list[tuple[float, float]]:
    """What of 0 to 1 no slot with a value covers, if longer than `least`: from and to in per cent."""
    edges = [0.0, *(edge for run in runs(slots) for edge in (run[0][0], run[-1][1])), 1.0]
    gaps = [(edges[k], edges[k + 1]) for k in range(0, len(edges), 2)]
    return [
        (round(100 * start, 3), round(100 * (end - start), 3))
        for start, end in gaps
        if end - start > least + 1e-9
    ]


@dataclass(frozen=True)
class Bar:
    """A bar's place, and the index of what it shows."""

    index: int
    x: str
    width: str
    y: str
    height: str


def bars(values: Sequence[float | None], axis: Scale, sign: int = 1) -> list[Bar]:
    """A bar for each value above zero, `sign` 1 up or -1 down."""
    slot = WIDTH / len(values)
    found = []
    for index, value in enumerate(values):
        if value and value > 0:
            edges = sorted((axis.percent(0), axis.percent(sign * value)))
            place = [slot * (index + 0.14), slot * 0.72, edges[0], edges[1] - edges[0]]
            found.append(Bar(index, *(_short(number) for number in place)))
    return found


def blocks(flags: Sequence[bool]) -> list[tuple[int, int]]:
    """Runs of true: index of the first and of the last."""
    indexed = groupby(enumerate(flags), key=lambda pair: pair[1])
    spans = [[index for index, _ in group] for flag, group in indexed if flag]
    return [(span[0], span[-1]) for span in spans]


def range_of_levels(values: Iterable[float | None]) -> tuple[float, float]:
    """Where the first level ends and the last begins to hold all: outliers do not make the rest pale. From 0, unless nearly all lies far above."""
    known = sorted(value for value in values if value is not None and value > 0)
    if not known:
        return 0.0, 0.0
    low, high = (known[min(len(known) - 1, math.ceil(part * len(known)))] for part in (0.02, 0.98))
    return (low if low > high / 2 else 0.0), high


def level(value: float, low: float, high: float) -> int:
    """One of LEVELS, from 0."""
    return max(0, min(LEVELS - 1, int((value - low) / (high - low) * LEVELS))) if high > low else 0


def cells[Key](grid: Sequence[Sequence[Key | None]]) -> dict[Key, str]:
    """One path a key, of unit cells by row and column; neighbours in a row are one rectangle, so that no hairline shows between them."""
    paths: dict[Key, str] = {}
    for y, row in enumerate(grid):
        x = 0
        for key, group in groupby(row):
            width = len(list(group))
            if key is not None:
                paths[key] = paths.get(key, "") + f"M{x} {y}h{width}v1h-{width}z"
            x += width
    return paths


def spread[T](items: Sequence[T], most: int) -> list[T]:
    """At most so many of the items, evenly, the first among them."""
    return list(items[:: max(1, math.ceil(len(items) / most))])


def changes[T](items: Sequence[T], key: Callable[[T], object]) -> list[int]:
    """Indexes at which the key differs from the one before."""
    return [index + 1 for index, (a, b) in enumerate(pairwise(items)) if key(a) != key(b)]


def _x(part: float) -> str:
    return _short(WIDTH * part)


def _y(axis: Scale, value: float) -> str:
    return _short(axis.percent(value))


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
