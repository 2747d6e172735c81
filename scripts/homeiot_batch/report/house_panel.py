"""The house's part of the page: who feeds whom."""

from collections.abc import Iterable, Sequence
from datetime import date

from homeiot_batch.report import flow_picture
from homeiot_batch.report.balances import FLOWS, PARTS, DayBalance, HouseBalance, SubMeter
from homeiot_batch.report.elements import (
    Cell,
    End,
    Flows,
    HousePanel,
    Share,
    Shares,
    Table,
    Tile,
)
from homeiot_batch.report.figures import total
from homeiot_batch.report.flow_picture import Node
from homeiot_batch.report.house_charts import house_days_chart, sufficiency_chart
from homeiot_batch.report.house_wording import ROUNDING, HouseWording
from homeiot_batch.report.panel import short
from homeiot_batch.report.queries import SHARE_DAYS
from homeiot_batch.report.words import Words

MOST_SHARES = 20  # sub-meters that have a line of their own
GIVERS = ("solar", "battery", "grid")
TAKERS = ("house", "battery", "grid")
# of the tiles: the word, the column and the colour
ENERGIES = (
    ("produced", "produced_kwh", "solar"),
    ("bought", "imported_kwh", "grid"),
    ("sold", "exported_kwh", "grid"),
    ("charged", "charged_kwh", "battery"),
    ("discharged", "discharged_kwh", "battery"),
)


def house_panel(balance: HouseBalance, last: date, words: Words) -> HousePanel:
    """What the page shows of the house on its last day, or on the newest one that is known."""
    wording = HouseWording(balance, words)
    day = balance.shown_day
    parts = [part for part, columns in PARTS.items() if balance.has(*columns)]
    charts = [house_days_chart(wording), sufficiency_chart(wording, last)]
    return HousePanel(
        name=words("house"),
        short_name=words("house"),
        look="house",
        about=words("house_about", parts=wording.parts(parts)),
        notices=list(_notices(wording)),
        tiles=list(_tiles(day or balance.last_day, wording)),
        flows=_flows(day, wording),
        charts=charts,
        shares=_shares(wording),
    )


def _notices(wording: HouseWording) -> Iterable[str]:
    words = wording.words
    last = wording.balance.last_day
    shown = wording.balance.shown_day
    date_words = words.day(last.date_jst)
    parts = wording.parts(last.unknown_parts())
    if shown is None:
        yield words("balance_never", date=date_words, parts=parts)
    elif shown is not last:
        other = words.day(shown.date_jst)
        yield words("balance_unknown", date=date_words, parts=parts, shown=other)


def _tiles(day: DayBalance, wording: HouseWording) -> Iterable[Tile]:
    """What the house used, and the energies and shares of what it has."""
    words = wording.words
    caveats = wording.caveats(day)
    yield _energy_tile("used", day.consumed_kwh, wording, caveats=caveats)
    for word, column, look in ENERGIES:
        if wording.balance.has(column):
            yield _energy_tile(word, getattr(day, column), wording, look=f"from-{look}")
    if wording.balance.has(*PARTS["solar"], *PARTS["battery"]):
        hint = words("self_sufficiency_hint")
        yield _share_tile("self_sufficiency", day.self_sufficiency, hint, wording)
    if wording.balance.has("produced_kwh"):
        hint = words("self_consumption_hint")
        yield _share_tile("self_consumption", day.self_consumption, hint, wording)


def _energy_tile(
    word: str,
    kwh: float | None,
    wording: HouseWording,
    look: str = "",
    caveats: Iterable[str] = (),
) -> Tile:
    words = wording.words
    unit = words("unit_kwh")
    return Tile(words(word), kwh, words.energy(kwh), unit, caveats=list(caveats), look=look)


def _share_tile(word: str, share: float | None, hint: str, wording: HouseWording) -> Tile:
    words = wording.words
    if share is None:
        return Tile(words(word), None, words("no_data"))
    return Tile(words(word), share, words.share(share), "%", notes=[hint])


def _flows(day: DayBalance | None, wording: HouseWording) -> Flows | None:
    """The picture of the day's flows. None if nothing flowed, or nothing is known."""
    if day is None:
        return None
    words = wording.words
    flows = {(giver, taker): day.kwh(column) for giver, taker, column in FLOWS}
    picture = flow_picture.picture(flows, GIVERS, TAKERS)
    if picture is None:
        return None
    bands = []
    rows: list[list[Cell]] = []
    for band in picture.bands:
        giver = words.name("givers", band.giver)
        taker = words.name("takers", band.taker)
        kwh = words.energy(band.kwh)
        title = words("flow_title", giver=giver, taker=taker, kwh=kwh)
        bands.append((f"from-{band.giver}", band.path, title))
        rows.append([words("flow", giver=giver, taker=taker), (band.kwh, kwh)])
    used = words.energy(day.consumed_kwh)
    return Flows(
        words("flows_chart"),
        words("flows_unit", date=words.day(day.date_jst)),
        words("used_words", used=used, sources=wording.fed_by([day])),
        left=[_end(node, "givers", words) for node in picture.givers],
        right=[_end(node, "takers", words) for node in picture.takers],
        bands=bands,
        caveats=wording.caveats(day),
        table=Table([words("flows_chart"), words("unit_kwh")], rows),
    )


def _end(node: Node, side: str, words: Words) -> End:
    name = words.name(side, node.name)
    text = words("kwh", kwh=words.energy(node.kwh))
    return End(f"from-{node.name}", name, text, node.top, node.height, node.label_at)


def _shares(wording: HouseWording) -> Shares | None:
    """The sub-meters as shares of what was used. None without any, or if nothing is known."""
    words = wording.words
    days = [day for day in wording.balance.days[-SHARE_DAYS:] if day.is_known]
    used = sum(day.kwh("consumed_kwh") for day in days)
    sub_meters = wording.balance.sub_meters
    if not sub_meters or used <= ROUNDING:
        return None
    shares = [_share(meter, used, len(days), wording) for meter in sub_meters[:MOST_SHARES]]
    if others := sub_meters[MOST_SHARES:]:
        shares.append(_share_of_others(others, used, len(days), wording))
    rest = used - sum(meter.import_kwh or 0.0 for meter in sub_meters)
    notes = []
    if rest < -ROUNDING:
        notes.append(words("shares_over", kwh=words.energy(-rest)))
    else:
        text = _share_text(max(0.0, rest), used, wording)
        name = words("rest")
        shares.append(Share(name, name, 100 * max(0.0, rest) / used, text, (), "rest"))
    unit = words("shares_unit", used=words.energy(used), n=len(days))
    return Shares(words("shares_chart"), unit, shares, notes)


def _share(meter: SubMeter, used: float, days: int, wording: HouseWording) -> Share:
    words = wording.words
    caveats = []
    if meter.complete_days < days:
        incomplete = days - meter.complete_days
        caveats.append(words("caveat_incomplete_days", n=incomplete, of=days))
    kwh = meter.import_kwh
    text = words("no_data")
    percent = 0.0
    if kwh is not None:
        text = _share_text(kwh, used, wording)
        percent = min(100.0, 100 * kwh / used)
    return Share(meter.name, short(meter.name), percent, text, caveats, "")


def _share_of_others(
    meters: Sequence[SubMeter], used: float, days: int, wording: HouseWording
) -> Share:
    """The smallest sub-meters of many, in one line."""
    name = wording.words("shares_others", n=len(meters))
    kwh = total(meter.import_kwh for meter in meters)
    complete = min(meter.complete_days for meter in meters)
    return _share(SubMeter(name, kwh, complete), used, days, wording)


def _share_text(kwh: float, used: float, wording: HouseWording) -> str:
    words = wording.words
    percent = words.number(100 * kwh / used)
    return words("share", kwh=words.energy(kwh), percent=percent)
