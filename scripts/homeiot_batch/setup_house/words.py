"""What the words in a name tell: the kind of a meter, which way its energy flows, which part it is.

A name is looked at in small letters, with `_` between its words.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from homeiot_batch.core.meters import Counter, Kind

KIND_WORDS: dict[Kind, tuple[str, ...]] = {
    "grid": (
        "p1", "grid", "mains", "smart_meter", "smartmeter", "dsmr", "utility", "netz",
        "stromzaehler", "electricity_meter", "main_meter", "linky", "slimmelezer", "homewizard",
    ),
    "solar": (
        "solar", "pv", "inverter", "photovoltaic", "photovoltaics", "roof", "wechselrichter",
        "solaredge", "fronius", "enphase", "envoy", "balkonkraftwerk", "hoymiles", "opendtu",
    ),
    "battery": ("battery", "akku", "speicher", "batterie", "accu", "pylontech"),
    "load": (
        "heat_pump", "heatpump", "washing_machine", "washer", "dryer", "tumble_dryer", "dishwasher",
        "fridge", "refrigerator", "freezer", "car", "ev", "wallbox", "charger", "boiler", "oven",
        "stove", "cooker", "aircon", "air_conditioner", "hvac", "heater", "heating", "plug",
        "socket", "lamp", "tv", "server", "sauna", "pool", "pump", "kettle", "computer", "desk",
        "router", "nas", "dehumidifier", "waermepumpe", "warmtepomp", "waschmaschine", "trockner",
        "geschirrspueler", "kuehlschrank",
    ),
}  # fmt: skip
GRID_WORDS = {
    "import": (
        "import", "imported", "bought", "purchased", "consumption", "consumed", "usage", "used",
        "from_grid", "bezug",
    ),
    "export": (
        "export", "exported", "sold", "returned", "return", "production", "produced", "injection",
        "feed_in", "feedin", "to_grid", "einspeisung",
    ),
}  # fmt: skip
MADE_WORDS = ("production", "produced", "yield", "generation", "generated", "output")
USED_WORDS = (
    "consumption", "consumed", "usage", "used", "import", "imported", "charge", "charged",
    "charging",
)  # fmt: skip
# the words that tell a register's direction, by kind. `pv_export` may count what the house sells,
# so `export` is no word of solar
FLOW_WORDS: dict[Kind, dict[Counter, tuple[str, ...]]] = {
    "grid": {"import": GRID_WORDS["import"], "export": GRID_WORDS["export"]},
    "solar": {"import": (), "export": MADE_WORDS},
    "battery": {
        "import": ("charge", "charged", "charging", "import", "imported", "in", "input"),
        "export": ("discharge", "discharged", "discharging", "export", "exported", "out", "output"),
    },
    "load": {"import": USED_WORDS, "export": ()},
}
ALL_FLOW_WORDS = {word for ways in FLOW_WORDS.values() for words in ways.values() for word in words}
# parts of a system with panels that are not the panels
NOT_SOLAR = (
    "load", "backup", "self_consumption", "self_use", "direct", "eigenverbrauch", "surplus",
    "excess", "ueberschuss",
)  # fmt: skip
# copies of a counter that begin again, and what is no counter
DERIVED_WORDS = (
    "daily", "today", "day", "week", "weekly", "month", "monthly", "year", "yearly", "hour",
    "hourly", "yesterday", "tomorrow", "forecast", "prediction", "predicted", "estimate",
    "estimated", "remaining", "cost", "price", "session", "capacity", "stored", "storage",
    "available", "added", "net", "gas", "thermal", "oil",
    "average", "avg", "mean", "min", "max", "saved", "last",
    "heute", "gestern", "tag", "woche", "monat", "jahr", "vandaag", "gisteren", "dag", "maand",
    "jaar", "heat_energy", "heat_output", "waerme", "waermemenge", "warmte",
)  # fmt: skip
# what says nothing about which device it is
COMMON_WORDS = {
    "sensor", "energy", "power", "total", "kwh", "wh", "w", "kw", "meter", "active", "electric",
    "electricity", "current", "counter", "sum", "tele", "stat", "tasmota", "shelly", "shellies",
    "status", "state", "zigbee2mqtt", "value",
}  # fmt: skip
PARTS = (
    r"_tar+if+_?([1-4])",
    r"_t([1-4])(?=_|$)",
    r"_(low|normal|high|dal|piek|off_?peak|peak|night)(?=_|$)",
    r"_(l[1-3])(?=_|$)",
    r"_(phase_?[abc1-3])(?=_|$)",
)
PHASES = 3
NUMBER = r"_([1-9])(?=_|$)"
# before the number of a device: another device may have the same name without a number
NUMBERED = "no. "


class Part(NamedTuple):
    """A name without its part, and the part: the tariff, the phase, the number, or ""."""

    stem: str
    part: str


def plain(name: str) -> str:
    """The name in small letters, with `_` between its words."""
    with_gaps = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", with_gaps.lower()).strip("_")


def has_word(name: str, words: Iterable[str]) -> str:
    """The first of the words that the plain name has, or ""."""
    framed = f"_{name}_"
    return next((word for word in words if f"_{word}_" in framed), "")


def kind_of(name: str) -> tuple[Kind, str] | None:
    """The kind of meter that a plain name tells, and the word. None if it tells none or two."""
    found: list[tuple[Kind, str]] = []
    for kind, words in KIND_WORDS.items():
        if word := has_word(name, words):
            found.append((kind, word))
    if len(found) != 1:
        return None
    [(kind, word)] = found
    if kind == "solar" and has_word(name, NOT_SOLAR):
        return None
    # what flows from one to another is a part of what each of them counts
    if has_word(name.replace("from_grid", "").replace("to_grid", ""), ("to", "from")):
        return None
    return kind, word


def flow_of(name: str, kind: Kind) -> tuple[Counter | None, str]:
    """Which way a plain name says that energy flows, and the word.

    None with a word for a word of another kind of meter, or for both ways.
    """
    ways: set[Counter | None] = set()
    words = flow_words(name)
    for word in words:
        ways.add(next((way for way, known in FLOW_WORDS[kind].items() if word in known), None))
    if len(ways) == 1:
        return ways.pop(), words[0]
    return None, ", ".join(words)


def flow_words(name: str) -> list[str]:
    """The words for a way that a plain name has, in their order. `feed_in` is one, not two."""
    framed = f"_{name}_"
    found = []
    for word in sorted(ALL_FLOW_WORDS, key=len, reverse=True):
        place = framed.find(f"_{word}_")
        if place >= 0:
            found.append((place, word))
            framed = framed.replace(f"_{word}_", "_" + "*" * len(word) + "_")
    return [word for _, word in sorted(found)]


def part_of(name: str, *, with_numbers: bool) -> Part:
    """The part that a plain name tells.

    With `with_numbers`, a number is a part too, as in `inverter_1`.
    """
    for pattern in PARTS:
        if found := re.search(pattern, name):
            return Part(name[: found.start()] + name[found.end() :], found[1])
    found = re.search(NUMBER, name)
    if found and with_numbers:
        return Part(name[: found.start()] + name[found.end() :], f"{NUMBERED}{found[1]}")
    return Part(name, "")


def are_all(parts: Sequence[str]) -> bool:
    """Whether they can be a whole: all three phases, numbers from 0 or 1 on, or other names."""
    if len(set(parts)) < len(parts):
        return False
    if any(re.fullmatch("l[1-3]|phase.*", part) for part in parts):
        return len(parts) == PHASES
    numbers = sorted(int(part[-1]) for part in parts if part[-1].isdigit())
    whole = [list(range(first, first + len(parts))) for first in (0, 1)]
    return not numbers or numbers in whole


def device_of(name: str) -> str:
    """What a plain name calls the device, without words that each meter may have."""
    words = [word for word in name.split("_") if word not in COMMON_WORDS]
    kept = [word for word in words if word not in ALL_FLOW_WORDS]
    return "_".join(kept or words) or name
