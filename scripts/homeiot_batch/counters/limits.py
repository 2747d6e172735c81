"""What a counter is judged by, and the kinds of steps. Times are µs since 1970 UTC."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 3600 * SECOND
QUARTER = 900 * SECOND
DAY = 24 * HOUR

Direction = Literal["up", "down", "both"]

FIRST = "first"
RISE = "rise"
RISE_SINCE_CHANGE = "rise since change"
NOISE = "noise"
STEP_BACK = "step back"
RESTART = "restart"
WRAP = "wrap"
SWAP = "swap"
BACKWARDS = "backwards"
GLITCH = "glitch"
KINDS = (
    FIRST,
    RISE,
    RISE_SINCE_CHANGE,
    NOISE,
    STEP_BACK,
    RESTART,
    WRAP,
    SWAP,
    BACKWARDS,
    GLITCH,
)
# steps that no running counter makes
BREAKS = (STEP_BACK, RESTART, SWAP)

# a counter that begins again shows at most this part of its former value
RESTART_PART = 0.25
# one that falls by at most this part shows an older value of its own
STEP_BACK_PART = 0.1
# this much is accepted also of a counter that has delivered little so far
LEAST_LEARNED_KW = 3.0
# counted up where such registers are judged otherwise: their days are judged again
ON_CHANGE = "on change, 2"


@dataclass(frozen=True)
class Limits:
    """The settings of a counter."""

    max_power_kw: float = 50.0
    noise_kwh: float = 0.005
    wrap_kwh: float | None = None
    glitch_readings: int = 3
    max_gap_s: float = 3600.0
    direction: Direction = "up"
    kwh_per_unit: float = 1.0
    # what is judged: a counter, or else the power of a meter without one
    is_power: bool = field(default=False, repr=False)
    # whether a reading is written when the value changes, and the time of the last reading that
    # its writer wrote of anything
    on_change: bool = field(default=False, repr=False)
    writer_at: int | None = field(default=None, repr=False)
    # what the values were multiplied by before they came here, such as the constant of a meter
    scale: float = field(default=1.0, repr=False)
    # of power on change, the dataset that it is in
    writer: str | None = field(default=None, repr=False)

    @property
    def text(self) -> str:
        """What the judge goes by, as text. Where it changes, days are judged again.

        So it is the same as ever for a counter that is read at an interval, and has no time in it.
        """
        parts = [f"{self}"]
        if self.on_change:
            parts.append(ON_CHANGE)
        if self.scale != 1:
            parts.append(f"times {self.scale!r}")
        return ", ".join(parts)

    @property
    def factor(self) -> float:
        """What a value is multiplied by so that it counts up in kWh."""
        return -self.kwh_per_unit if self.direction == "down" else self.kwh_per_unit

    def last_digit(self, values: Iterable[float]) -> float:
        """The unit of the last digit that any of the values uses, in kWh."""
        if self.scale == 1:
            return last_digit(values)
        shown = list(values)
        own = last_digit(value / self.scale for value in shown) * self.scale
        return own or last_digit(shown)


def deliverable_kwh(power_kw: float, span: int) -> float:
    """What a power delivers in a span. No clock is trusted to less than a minute."""
    return power_kw * max(span, MINUTE) / HOUR + 1e-9


def rate_kw(energy_kwh: float, span: int) -> float:
    """The mean power of a step."""
    return energy_kwh * HOUR / max(span, MINUTE)


def last_digit(values: Iterable[float]) -> float:
    """The unit of the last digit that any of the values uses: 1, 0.1, 0.01 or 0.001. 0 if finer."""
    digits = 0
    for value in values:
        while abs(value * 10**digits - round(value * 10**digits)) > 1e-5:
            digits += 1
            if digits > 3:
                return 0.0
    return 10.0**-digits
