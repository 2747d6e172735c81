"""Energy of a meter without registers, from its power: each reading holds until the next.

It holds for `max_gap_s` at most. What comes after that is unknown, as what comes after a wrong
reading, and so is the energy of a quarter of an hour that is not known from its begin to its end.
Power that is written on a change may stand at 0 W for longer, while its dataset goes on.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import NamedTuple, Self

from homeiot_batch.counters.energy import Energy, Quarter
from homeiot_batch.counters.judge import LONGEST_SILENCE, Judged
from homeiot_batch.counters.limits import HOUR, QUARTER, SECOND, Limits


class Silence(NamedTuple):
    """A time longer than a gap in which nothing was written to a dataset, in µs since 1970."""

    begin: int
    end: int


@dataclass
class PowerState:
    """The last reading (time in µs since 1970, W), and what is known of its quarter up to it.

    `kwh` is the energy in the direction of positive power, `back_kwh` that of the other one.
    """

    at: int | None = None
    watts: float = 0.0
    known: int = 0
    kwh: float = 0.0
    back_kwh: float = 0.0

    def to_json(self) -> str:
        """As text. Equal states are equal texts."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """From the text of to_json."""
        return cls(**json.loads(text))


class HeldEnergy(Energy):
    """Energy whose other direction is not known either before it is added."""

    def quarter(self, number: int) -> Quarter:
        """The quarter of this number."""
        found = self.quarters.get(number)
        if found is None:
            found = self.quarters[number] = Quarter(back_kwh=None)
        return found


def judge_power_day(
    state: PowerState,
    times: list[int],
    values: list[float],
    limits: Limits,
    silences: Sequence[Silence] = (),
) -> Judged:
    """Energy of a day's readings (W), in order, and take `state` to its end.

    In the `silences` nothing was written to the dataset, since two days before the first reading.
    """
    day = _Day(state, limits, silences)
    for at, watts in day.readings(times, values):
        if watts is None:
            day.lose(at)
        else:
            day.take(at, watts)
    return day.judged


def judge_power_end(state: PowerState, limits: Limits, silences: Sequence[Silence] = ()) -> Judged:
    """What the last reading gives to the end of its quarter. `state` stays as it is.

    Where it stands at 0 W, to the end of the quarter of the dataset's last reading.
    """
    day = _Day(PowerState(**asdict(state)), limits, silences)
    if state.at is None:
        return day.judged
    newest = max(state.at, limits.writer_at or 0)
    end = (newest // QUARTER + 1) * QUARTER
    if not day.stands_at_zero(end):
        end = (state.at // QUARTER + 1) * QUARTER
    day.hold(end)
    return day.judged


class _Day:
    def __init__(self, state: PowerState, limits: Limits, silences: Sequence[Silence]) -> None:
        self.state = state
        self.on_change = limits.on_change
        self.silences = silences
        self.longest = int(limits.max_gap_s * SECOND)
        self.highest = limits.max_power_kw * 1000
        self.energy = HeldEnergy(limits.max_gap_s)
        self.judged = Judged(self.energy)

    def readings(self, times: list[int], values: list[float]) -> Iterator[tuple[int, float | None]]:
        """The readings. None for one that cannot be, and for those of one time that differ."""
        pairs = zip(times, values, strict=True)
        for at, group in groupby(pairs, key=lambda pair: pair[0]):
            shown = [watts for _, watts in group]
            if shown[0] == shown[-1] and abs(shown[0]) <= self.highest:
                yield at, shown[0]
            else:
                self.energy.quarter(at // QUARTER).glitches += len(shown)
                yield at, None

    def take(self, at: int, watts: float) -> None:
        """Hold the last reading up to this one, which then holds."""
        state = self.state
        quarter = self.energy.quarter(at // QUARTER)
        quarter.readings += 1
        quarter.accepted += 1
        if state.at is not None:
            quarter.steps += 1
            quarter.steps_s += (at - state.at) / SECOND
            self.hold(at)
        state.at = at
        state.watts = watts

    def lose(self, at: int) -> None:
        """Hold the last reading up to a wrong one. From there to the next the power is unknown."""
        if self.state.at is not None:
            self.hold(at)
        self._begin_quarter()
        self.state.at = None

    def hold(self, until: int) -> None:
        """Add the energy of the last reading up to this time, as far as it holds."""
        begin = self.state.at or 0
        is_known = self.stands_at_zero(until)
        reach = until if is_known else min(until, begin + self.longest)
        at = begin
        while at < reach:
            end = min(reach, (at // QUARTER + 1) * QUARTER)
            self._add(at, end)
            at = end
        for number in range(begin // QUARTER, (until - 1) // QUARTER + 1):
            self.energy.quarter(number).is_part_of(0 if is_known else until - begin)
        if reach < until:
            self._begin_quarter()

    def stands_at_zero(self, until: int) -> bool:
        """Whether it is longer at 0 W than a reading holds, while its dataset goes on."""
        begin = self.state.at or 0
        if not self.on_change or self.state.watts != 0:
            return False
        if not self.longest < until - begin <= LONGEST_SILENCE:
            return False
        return not any(silence.begin < until and silence.end > begin for silence in self.silences)

    def _add(self, begin: int, end: int) -> None:
        state = self.state
        kwh = state.watts / 1000 * (end - begin) / HOUR
        state.known += end - begin
        state.kwh += max(kwh, 0.0)
        state.back_kwh += max(-kwh, 0.0)
        if end % QUARTER == 0:
            if state.known == QUARTER:
                quarter = self.energy.quarter(begin // QUARTER)
                quarter.kwh = state.kwh
                quarter.back_kwh = state.back_kwh
            self._begin_quarter()

    def _begin_quarter(self) -> None:
        self.state.known = 0
        self.state.kwh = 0.0
        self.state.back_kwh = 0.0
