"""The page's words, and how its dates, times and numbers look: templates/words.<language>.toml."""

import tomllib
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

TEMPLATES = Path(__file__).with_name("templates")
MINUS = "\u2212"


class Words:
    """`words("bought")` is a word or sentence of the page. Names in braces are filled in."""

    def __init__(self, language: str = "en") -> None:
        catalogue = TEMPLATES / f"words.{language}.toml"
        self._words: dict[str, Any] = tomllib.loads(catalogue.read_text())

    def __call__(self, key: str, **values: object) -> str:
        """The word or sentence."""
        return self._words[key].format(**values)

    def of_kind(self, kind: str | None, key: str) -> str:
        """The word for a meter of the kind: energy that a battery takes is not "bought"."""
        own = self._words["of_kind"].get(kind, {})
        return own.get(key) or self(key)

    def name(self, group: str, key: str) -> str:
        """One of a group of names, as of the parts of the house."""
        return self._words[group][key]

    def all_of(self, items: Sequence[str]) -> str:
        """The items with commas and an "and" between them."""
        if len(items) < 2:
            return "".join(items)
        return self("and", first=", ".join(items[:-1]), last=items[-1])

    def list(self, key: str) -> list[str]:
        """Names in their order, as of months."""
        return self._words[key]

    def month_short(self, month: int) -> str:
        """The short name of the month, 1 to 12."""
        return self.list("months_short")[month - 1]

    def day(self, day: date, form: str = "date") -> str:
        """A date in the given form: date, date_long, date_short, month_of_year."""
        weekday = self.list("weekdays")[day.weekday()]
        month = self.list("months")[day.month - 1]
        return self(
            form,
            day=day.day,
            year=day.year,
            weekday=weekday,
            month=month,
            month_short=self.month_short(day.month),
        )

    def month(self, month: date) -> str:
        """A month with its year."""
        return self.day(month, "month_of_year")

    def instant(self, at: datetime) -> str:
        """A wall time with its date, to the minute."""
        return f"{self.day(at.date())}, {self.time(at)}"

    def time(self, at: datetime) -> str:
        """A wall time, to the minute."""
        return f"{at:%H:%M}"

    def number(self, value: float, digits: int = 0) -> str:
        """A number with so many decimals, in groups of thousands, with a real minus sign."""
        signs = {",": self("thousands"), ".": self("decimal"), "-": MINUS}
        plain = f"{value:,.{digits}f}"
        text = plain.translate(str.maketrans(signs))
        is_zero = not round(value, digits)
        if is_zero:
            return text.lstrip(MINUS)
        return text

    def energy(self, value: float | None) -> str:
        """KWh to three figures or the unit, whichever is more."""
        if value is None:
            return self("no_data")
        if abs(value) < 9.995:
            return self.number(value, 2)
        if abs(value) < 999.95:
            return self.number(value, 1)
        return self.number(value)

    def duration(self, seconds: float) -> str:
        """Hours and minutes. Seconds below a minute."""
        if seconds < 60:
            return self("seconds", n=round(seconds))
        hours, minutes = divmod(round(seconds / 60), 60)
        if not hours:
            return self("minutes", n=minutes)
        if not minutes:
            return self("hours", h=self.number(hours))
        return self("hours_minutes", h=self.number(hours), m=minutes)

    def share(self, value: float) -> str:
        """Per cent without the sign, rounded down: only all is 100."""
        percent = int(1000 * value + 1e-9) / 10
        if percent in (0, 100):
            return self.number(percent)
        return self.number(percent, 1)
