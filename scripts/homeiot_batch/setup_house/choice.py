"""Which candidates are a meter. What is not clear stays a candidate, with the reason."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from homeiot_batch.core.meters import Kind
from homeiot_batch.setup_house.candidates import Candidate, Role
from homeiot_batch.setup_house.named_series import POWER_UNITS
from homeiot_batch.setup_house.naming import free_name
from homeiot_batch.setup_house.words import NUMBERED, are_all, has_word

SUM_TOLERANCE = 0.05  # the hours of their last values differ
LARGEST_KW = 100  # of a house
CAR_WORDS = ("wallbox", "charger", "car", "ev")
ONE_OF_A_HOUSE: tuple[Kind, ...] = ("grid", "solar", "battery")
# the registers without which the balance of a house would be wrong
NEEDED: dict[Kind, tuple[Role, ...]] = {
    "grid": ("import",),
    "solar": ("export",),
    "battery": ("import", "export"),
    "load": ("import",),
}


@dataclass(frozen=True)
class Proposed:
    """A meter, with the candidates that are its series."""

    name: str
    kind: Kind
    series: dict[Role, list[Candidate]]

    @property
    def has_registers(self) -> bool:
        """Whether its energy is counted, not computed from its power."""
        return "import" in self.series or "export" in self.series


@dataclass
class Choice:
    """The meters, and the candidates that are none, each with the reason."""

    meters: list[Proposed] = field(default_factory=list)
    left: list[tuple[Candidate, str]] = field(default_factory=list)

    def leave(self, candidates: Iterable[Candidate], reason: str) -> None:
        """Leave the candidates out."""
        self.left += [(candidate, reason) for candidate in candidates]


def choose(candidates: Sequence[Candidate], taken_names: Iterable[str] = ()) -> Choice:
    """The meters that are clear. `taken_names` are names of meters that there are already."""
    choice = Choice()
    bags: dict[tuple[Kind, str], list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        if candidate.kind is None or candidate.role is None:
            choice.leave([candidate], candidate.why)
        elif _most_kw(candidate) > LARGEST_KW:
            choice.leave([candidate], f"its values are too large for {candidate.unit}")
        else:
            bags[candidate.kind, candidate.device].append(candidate)
    for kind in ONE_OF_A_HOUSE:
        _keep_one(choice, kind, bags)
    names = list(taken_names)
    for (kind, device), bag in bags.items():
        title = device if kind == "load" else kind
        meter = _meter(choice, kind, title, bag)
        if meter:
            name = free_name(meter.name, names)
            names.append(name)
            choice.meters.append(Proposed(name, meter.kind, meter.series))
    _leave_second_chargers(choice)
    order = list(NEEDED)
    choice.meters.sort(key=lambda meter: (order.index(meter.kind), meter.name))
    return choice


def _most_kw(candidate: Candidate) -> float:
    """The highest power (kW) that the samples show, if the unit is right."""
    if candidate.samples is None:
        return 0
    if candidate.unit in POWER_UNITS:
        most = max(map(abs, candidate.samples.values.values()))
        return most * (1 if candidate.unit == "kW" else 0.001)
    per_unit = {"Wh": 0.001, "MWh": 1000}.get(candidate.unit, 1)
    return candidate.samples.most_an_hour * per_unit


def _leave_second_chargers(choice: Choice) -> None:
    """Leave the power of a charging point where another meter may count the same car."""
    loads = [meter for meter in choice.meters if meter.kind == "load"]
    counted = [one for one in loads if one.has_registers and has_word(one.name, CAR_WORDS)]
    if not counted:
        return
    for meter in loads:
        if not meter.has_registers:
            choice.meters.remove(meter)
            choice.leave(meter.series["power"], f"{counted[0].name} may count the same energy")


def _keep_one(choice: Choice, kind: Kind, bags: dict[tuple[Kind, str], list[Candidate]]) -> None:
    """Leave at most one device of the kind: two that measure the same would count it twice."""
    keys = [key for key in bags if key[0] == kind]
    counted = [key for key in keys if any(one.unit not in POWER_UNITS for one in bags[key])]
    kept = keys
    if len(counted) == 1:
        kept = counted
    if len(kept) > 1:
        reason = f"several may be the {kind} meter: {_listed(bags, keys)}"
        kept = []
    else:
        reason = f"another one is the {kind} meter"
    for key in keys:
        if key not in kept:
            choice.leave(bags.pop(key), reason)


def _listed(bags: dict[tuple[Kind, str], list[Candidate]], keys: Iterable[tuple[Kind, str]]) -> str:
    # of each device the register, if it has one
    first = [min(bags[key], key=lambda one: one.unit in POWER_UNITS) for key in keys]
    return ", ".join(candidate.shown for candidate in first)


def _meter(choice: Choice, kind: Kind, device: str, bag: Sequence[Candidate]) -> Proposed | None:
    """The meter that the candidates of a device are, or None if that is not clear."""
    series: dict[Role, list[Candidate]] = {}
    parts: list[tuple[Candidate, str]] = []
    for role in ("import", "export"):
        of_role = [one for one in bag if one.role == role]
        chosen = _whole(of_role)
        if of_role and not chosen:
            names = ", ".join(one.shown for one in of_role)
            reason = f"several may be what is {role}ed: {names}"
            if len(of_role) == 1:
                reason = f"{names} looks like one of several tariffs, and the others are not found"
            choice.leave(bag, reason)
            return None
        if chosen:
            series[role] = chosen
            parts += _parts(of_role, chosen)
    powers = [one for one in bag if one.role == "power"]
    if not series:
        return _of_power(choice, kind, device, powers)
    missing = [role for role in NEEDED[kind] if role not in series]
    if missing:
        choice.leave(bag, f"its {' and '.join(missing)} register is not found")
        return None
    choice.left += parts
    _add_power(choice, series, powers)
    return Proposed(device, kind, series)


def _add_power(
    choice: Choice, series: dict[Role, list[Candidate]], powers: Sequence[Candidate]
) -> None:
    """The power beside registers, for its peak."""
    chosen = _whole(powers)
    if chosen:
        series["power"] = chosen
        choice.left += _parts(powers, chosen)
    else:
        choice.leave(powers, "several may be its power, which its energy does not need")


def _of_power(
    choice: Choice, kind: Kind, device: str, powers: Sequence[Candidate]
) -> Proposed | None:
    """A meter whose energy is computed from power, if it is known which way that counts."""
    chosen = _whole(powers)
    if not chosen or any(one.positive is None for one in chosen):
        choice.leave(powers, "it has no counter, and it is not clear what positive power is")
        return None
    choice.left += _parts(powers, chosen)
    return Proposed(device, kind, {"power": chosen})


def _parts(
    candidates: Iterable[Candidate], chosen: Sequence[Candidate]
) -> Iterator[tuple[Candidate, str]]:
    """The candidates that are a part of the chosen one, with the reason."""
    keys = {one.key for one in chosen}
    for candidate in candidates:
        if candidate.key not in keys:
            yield candidate, f"a part of {chosen[0].shown}"


def _whole(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The one that is the whole, or else all parts of one whole. Empty where that is not clear."""
    if len(candidates) == 1:
        return [one for one in candidates if not _is_tariff(one)]
    stems = {candidate.stem for candidate in candidates}
    wholes = [candidate for candidate in candidates if not candidate.part]
    if len(stems) != 1 or len(wholes) > 1:
        return []
    parts = [candidate for candidate in candidates if candidate.part]
    if wholes:
        is_one_of_them = any(part.part.startswith(NUMBERED) for part in parts)
        if is_one_of_them and not _is_sum(wholes[0], parts):
            return []
        return wholes
    if are_all([part.part for part in parts]):
        return list(candidates)
    return []


def _is_tariff(candidate: Candidate) -> bool:
    """Whether a register is one of several tariffs or phases. Alone it would be too small."""
    is_part = bool(candidate.part) and not candidate.part.startswith(NUMBERED)
    return is_part and candidate.role != "power"


def _is_sum(whole: Candidate, parts: Sequence[Candidate]) -> bool:
    """Whether the whole has risen in the last days by as much as its parts."""
    rises = [part.samples.rise for part in parts if part.samples]
    # two devices of one size rise alike, and neither is the sum of the other
    if whole.samples is None or not whole.samples.rise or len(rises) < 2:
        return False
    return math.isclose(whole.samples.rise, sum(rises), rel_tol=SUM_TOLERANCE)
