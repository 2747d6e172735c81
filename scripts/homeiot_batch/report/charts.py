"""Geometry of the charts, as pure functions: numbers in, SVG coordinates and path strings out.

Charts over time are WIDTH units wide and stretched to the page. Whatever must keep its shape (text,
marks, hatches) is HTML placed in per cent.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

WIDTH = 1000.0
LEVELS = 6
ROUND_STEPS = (1, 2, 2.5, 5, 10)
TOLERANCE = 1e-9

# from, to (both 0 to 1 of the width) and value; None where there is none
Slot = tuple[float, float, float | None]


@dataclass(frozen=True)
class Scale:
    """One scale for what is drawn up (bought) and down (sold).

    Both are at least 0, in the units of the values. `step` lies between two ticks.
    """

    up: float
    down: float
    step: float

    def percent(self, value: float) -> float:
        """Where `value` lies, from the top. Below the line is negative."""
        return round(100 * (self.up - value) / (self.up + self.down), 3)

    @property
    def ticks(self) -> list[float]:
        """The values with a grid line, from the top down."""
        first = round(self.up / self.step)
        last = -round(self.down / self.step)
        downwards = range(first, last - 1, -1)
        return [round(number * self.step, 10) for number in downwards]

    @property
    def digits(self) -> int:
        """Decimals that tell the ticks apart."""
        return next(digits for digits in range(8) if self._is_exact_with(digits))

    def _is_exact_with(self, digits: int) -> bool:
        return math.isclose(self.step, round(self.step, digits), rel_tol=TOLERANCE)


def scale(highest: float, lowest: float = 0.0, most_ticks: int = 5) -> Scale:
    """A scale from `lowest` (at most 0) to `highest` with round ticks.

    Without any value it goes from 0 to 1.
    """
    highest = max(highest, 0.0)
    lowest = min(lowest, 0.0)
    if highest == lowest:
        return Scale(1.0, 0.0, 0.5)
    step = _round_step((highest - lowest) / most_ticks)
    up = math.ceil(highest / step - TOLERANCE)
    down = math.ceil(-lowest / step - TOLERANCE)
    return Scale(step * up, step * down, step)


def scale_of(up: Iterable[float | None], down: Iterable[float | None]) -> Scale:
    """A scale that holds values drawn up and values drawn down."""
    return scale(_highest(up), -_highest(down))


def _highest(values: Iterable[float | None]) -> float:
    return max((value or 0.0 for value in values), default=0.0)


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    enough = least * (1 - TOLERANCE)
    factor = next(factor for factor in ROUND_STEPS if factor * power >= enough)
    return round(factor * power, 12)


def runs(slots: Iterable[Slot]) -> list[list[Slot]]:
    """The slots that have a value, in contiguous runs: a line never crosses a gap."""
    found: list[list[Slot]] = []
    end = -1.0
    for slot in slots:
        if slot[2] is None:
            continue
        if not math.isclose(end, slot[0], abs_tol=TOLERANCE):
            found.append([])
        found[-1].append(slot)
        end = slot[1]
    return found


def area(slots: Sequence[Slot], axis: Scale, sign: int = 1) -> str:
    """Steps filled down to the zero line, a closed subpath for each run."""
    zero = _y(axis, 0)
    paths = []
    for run in runs(slots):
        begin, _, _ = run[0]
        steps = _steps(run, axis, sign)
        paths.append(f"M{_x(begin)} {zero}{steps}V{zero}Z")
    return "".join(paths)


def line(slots: Sequence[Slot], axis: Scale, sign: int = 1) -> str:
    """Steps without filling."""
    paths = []
    for run in runs(slots):
        begin, _, value = run[0]
        y = _y(axis, sign * (value or 0))
        steps = _steps(run, axis, sign)
        paths.append(f"M{_x(begin)} {y}{steps}")
    return "".join(paths)


def _steps(run: Sequence[Slot], axis: Scale, sign: int) -> str:
    steps = []
    for _, end, value in run:
        y = _y(axis, sign * (value or 0))
        steps.append(f"V{y}H{_x(end)}")
    return "".join(steps)


def gaps(slots: Iterable[Slot], least: float = 0.0) -> list[tuple[float, float]]:
    """What of 0 to 1 no slot with a value covers, if longer than `least`.

    Begin and width in per cent.
    """
    edges = [0.0]
    for run in runs(slots):
        edges += [run[0][0], run[-1][1]]
    edges.append(1.0)
    found = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        length = end - start
        if length > least + TOLERANCE:
            begin = round(100 * start, 3)
            width = round(100 * length, 3)
            found.append((begin, width))
    return found


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
    found = []
    for index, value in enumerate(values):
        if value and value > 0:
            found.append(_bar(index, len(values), axis.percent(0), axis.percent(sign * value)))
    return found


def stacks(layers: Sequence[Sequence[float | None]], axis: Scale) -> list[list[Bar]]:
    """The bars of each layer, which stand on those of the layers before it."""
    reached = [0.0] * len(layers[0])
    found: list[list[Bar]] = []
    for values in layers:
        bars_of_layer = []
        for index, value in enumerate(values):
            if value and value > 0:
                begin = axis.percent(reached[index])
                reached[index] += value
                end = axis.percent(reached[index])
                bars_of_layer.append(_bar(index, len(values), begin, end))
        found.append(bars_of_layer)
    return found


def _bar(index: int, count: int, begin: float, end: float) -> Bar:
    """A bar in the place of this index, from one height to another."""
    slot = WIDTH / count
    top, bottom = sorted((begin, end))
    left = slot * (index + 0.14)
    place = (left, slot * 0.72, top, bottom - top)
    return Bar(index, *map(_short, place))


def blocks(flags: Sequence[bool]) -> list[tuple[int, int]]:
    """Runs of true: index of the first and of the last."""
    found = []
    start = 0
    for flag, group in groupby(flags):
        end = start + len(list(group))
        if flag:
            found.append((start, end - 1))
        start = end
    return found


def range_of_levels(values: Iterable[float | None]) -> tuple[float, float]:
    """Where the first level ends and the last begins to hold all.

    Outliers do not make the rest pale. It begins at 0, unless nearly all lies far above.
    """
    known = sorted(value for value in values if value is not None and value > 0)
    if not known:
        return 0.0, 0.0
    low = _quantile(known, 0.02)
    high = _quantile(known, 0.98)
    if low <= high / 2:
        low = 0.0
    return low, high


def _quantile(ordered: Sequence[float], part: float) -> float:
    place = math.ceil(part * len(ordered))
    last = len(ordered) - 1
    return ordered[min(last, place)]


def level(value: float, low: float, high: float) -> int:
    """One of LEVELS, from 0."""
    if high <= low:
        return 0
    found = int((value - low) / (high - low) * LEVELS)
    return max(0, min(LEVELS - 1, found))


def cells[Key](grid: Sequence[Sequence[Key | None]]) -> dict[Key, str]:
    """One path a key, of unit cells by row and column.

    Neighbours in a row are one rectangle, so that no hairline shows between them.
    """
    paths: dict[Key, str] = {}
    for y, row in enumerate(grid):
        x = 0
        for key, group in groupby(row):
            width = len(list(group))
            if key is not None:
                rectangle = f"M{x} {y}h{width}v1h-{width}z"
                paths[key] = paths.get(key, "") + rectangle
            x += width
    return paths


def spread[T](items: Sequence[T], most: int) -> list[T]:
    """At most so many of the items, evenly, the first among them."""
    step = math.ceil(len(items) / most)
    return list(items[:: max(1, step)])


def changes[T](items: Sequence[T], key: Callable[[T], object]) -> list[int]:
    """Indexes at which the key differs from the one before."""
    found = []
    for index, (before, item) in enumerate(pairwise(items), 1):
        if key(before) != key(item):
            found.append(index)
    return found


def _x(part: float) -> str:
    return _short(WIDTH * part)


def _y(axis: Scale, value: float) -> str:
    return _short(axis.percent(value))


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
