"""Geometry of the picture of flows: bands from the givers on the left to the takers on the right.

All lengths are per cent of the picture, which is stretched to its place on the page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

GAP = 7.0  # between two nodes
LABEL = 24.0  # room of a label
LEAST = 0.0005  # kWh. What would be shown as 0 is not drawn

# from, to
Pair = tuple[str, str]


@dataclass(frozen=True)
class Node:
    """A giver or taker: where it begins from the top, how high it is, where its label stands."""

    name: str
    kwh: float
    top: float
    height: float
    label_at: float


@dataclass(frozen=True)
class Band:
    """A flow and its outline."""

    giver: str
    taker: str
    kwh: float
    path: str


@dataclass(frozen=True)
class Picture:
    """Nodes on both sides, and the bands between them."""

    givers: Sequence[Node]
    takers: Sequence[Node]
    bands: Sequence[Band]


def picture(
    flows: Mapping[Pair, float], givers: Sequence[str], takers: Sequence[str]
) -> Picture | None:
    """The picture of flows in kWh, both sides in the given order. None if nothing flowed."""
    drawn = {pair: kwh for pair, kwh in flows.items() if kwh > LEAST}
    if not drawn:
        return None
    given = _sums(drawn, givers, 0)
    taken = _sums(drawn, takers, 1)
    most = max(len(given), len(taken))
    scale = (100 - GAP * (most - 1)) / sum(drawn.values())
    left = _nodes(given, scale)
    right = _nodes(taken, scale)
    return Picture(left, right, _bands(drawn, left, right, scale))


def _sums(flows: Mapping[Pair, float], names: Sequence[str], side: int) -> dict[str, float]:
    sums = {}
    for name in names:
        total = sum(kwh for pair, kwh in flows.items() if pair[side] == name)
        if total:
            sums[name] = total
    return sums


def _nodes(sums: Mapping[str, float], scale: float) -> list[Node]:
    """Nodes below each other, in the middle of the height."""
    heights = [kwh * scale for kwh in sums.values()]
    top = (100 - sum(heights) - GAP * (len(sums) - 1)) / 2
    tops = []
    for height in heights:
        tops.append(top)
        top += height + GAP
    middles = [begin + height / 2 for begin, height in zip(tops, heights, strict=True)]
    labels = spread_out(middles)
    placed = zip(sums.items(), tops, heights, labels, strict=True)
    return [
        Node(name, kwh, round(begin, 2), round(height, 2), round(at, 2))
        for (name, kwh), begin, height, at in placed
    ]


def spread_out(middles: Sequence[float]) -> list[float]:
    """The places of labels, each near its middle, with room for each of them."""
    least = LABEL / 2
    down = []
    for middle in middles:
        at = max(middle, least)
        down.append(at)
        least = at + LABEL
    most = 100 - LABEL / 2
    up = []
    for at in reversed(down):
        place = min(at, most)
        up.append(place)
        most = place - LABEL
    return up[::-1]


def _bands(
    flows: Mapping[Pair, float], left: Sequence[Node], right: Sequence[Node], scale: float
) -> list[Band]:
    """Bands leave a node in the order of the other side, so that few of them cross."""
    taken = {node.name: node.top for node in right}
    bands = []
    for giver in left:
        begin = giver.top
        for taker in right:
            kwh = flows.get((giver.name, taker.name), 0.0)
            if not kwh:
                continue
            height = kwh * scale
            path = _outline(begin, taken[taker.name], height)
            bands.append(Band(giver.name, taker.name, kwh, path))
            begin += height
            taken[taker.name] += height
    return bands


def _outline(left: float, right: float, height: float) -> str:
    """A band of this height from the left to the right edge, with a soft bend."""
    start, end, low_start, low_end = (
        _short(y) for y in (left, right, left + height, right + height)
    )
    upper = f"M0 {start}C50 {start} 50 {end} 100 {end}"
    lower = f"V{low_end}C50 {low_end} 50 {low_start} 0 {low_start}Z"
    return upper + lower


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
