"""What a part of the page is made of, without its markup."""

from collections.abc import Sequence
from dataclasses import dataclass

from homeiot_batch.report import charts
from homeiot_batch.report.charts import Scale

# text, or an exact value and how it is shown
Cell = str | tuple[float, str]


@dataclass(frozen=True)
class Table:
    """Rows of cells: text, or (exact value, as shown)."""

    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Tile:
    """A headline figure. `value` is exact, `text` as shown."""

    label: str
    value: float | None
    text: str
    unit: str = ""
    notes: Sequence[str] = ()
    caveats: Sequence[str] = ()
    look: str = ""


@dataclass(frozen=True)
class Label:
    """A word on an axis, in per cent of it."""

    at: float
    text: str


@dataclass(frozen=True)
class Span:
    """Something laid over a chart from `at`, `width` wide, both in per cent."""

    at: float
    width: float
    title: str


@dataclass(frozen=True)
class Chart:
    """A chart. `shapes` are paths or bars by their CSS class. The rest lies over or beside it."""

    name: str
    heading: str
    unit: str
    words: str
    axis: Scale | None = None
    width: float = charts.WIDTH
    height: float = 100.0
    paths: Sequence[tuple[str, str]] = ()
    bars: Sequence[tuple[str, charts.Bar, str]] = ()
    x_labels: Sequence[Label] = ()
    y_labels: Sequence[Label] = ()
    gaps: Sequence[Span] = ()
    marks: Sequence[Span] = ()
    legend: Sequence[tuple[str, str]] = ()
    levels: tuple[str, str] | None = None
    look: str = ""
    notes: Sequence[str] = ()
    table: "Table | None" = None


@dataclass(frozen=True)
class Square:
    """A day of the calendar, in columns of weeks."""

    column: int
    row: int
    look: str
    is_marked: bool
    title: str


@dataclass(frozen=True)
class Calendar:
    """The squares, and labels of the months by column."""

    words: str
    columns: int
    squares: Sequence[Square]
    months: Sequence[tuple[int, str]]
    weekdays: Sequence[str]


@dataclass(frozen=True)
class End:
    """The end of flows: a giver or a taker of energy, from `top`, `height` high, in per cent."""

    look: str
    name: str
    text: str
    top: float
    height: float
    label_at: float


@dataclass(frozen=True)
class Flows:
    """Bands between the ends on both sides: their look, path and title."""

    heading: str
    unit: str
    words: str
    left: Sequence[End]
    right: Sequence[End]
    bands: Sequence[tuple[str, str, str]]
    caveats: Sequence[str]
    table: Table


@dataclass(frozen=True)
class Share:
    """A part of a whole, `percent` of it."""

    name: str
    short_name: str
    percent: float
    text: str
    caveats: Sequence[str]
    look: str


@dataclass(frozen=True)
class Shares:
    """What a whole is made of."""

    heading: str
    unit: str
    shares: Sequence[Share]
    notes: Sequence[str]


@dataclass(frozen=True)
class Part:
    """What every part of the page begins with."""

    name: str
    short_name: str
    look: str
    about: str
    notices: Sequence[str]
    tiles: Sequence[Tile]


@dataclass(frozen=True)
class HousePanel(Part):
    """The house's part of the page."""

    flows: Flows | None
    charts: Sequence[Chart]
    shares: Shares | None
    is_house: bool = True


@dataclass(frozen=True)
class Panel(Part):
    """A meter's part of the page."""

    charts: dict[str, Chart]
    calendar: Calendar
    days: Table
    csv: str
    csv_name: str
    is_house: bool = False
