"""How a language writes numbers, dates and times, and the words of its catalogues."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from homeiot_batch.words.languages import Language

FOLDER = Path(__file__).parent
MINUS = "\u2212"
# currencies that have no smaller unit in use
WHOLE_CURRENCIES = ("CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND")


@dataclass
class Catalogue:
    """Words and sentences, and lists of names, by key. One in a group is group.key."""

    texts: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)

    def add(self, entries: Mapping[str, object], group: str = "") -> None:
        """Take over what a file or a group in it has."""
        for key, entry in entries.items():
            if isinstance(entry, Mapping):
                self.add(entry, f"{group}{key}.")
            elif isinstance(entry, list):
                self.lists[group + key] = entry
            else:
                self.texts[group + key] = str(entry)


def read_catalogue(language: Language, *names: str) -> Catalogue:
    """The words of the catalogues <language>/<name>.toml together."""
    catalogue = Catalogue()
    for name in names:
        file = FOLDER / language / f"{name}.toml"
        catalogue.add(tomllib.loads(file.read_text(encoding="utf-8")))
    return catalogue


class Phrases:
    """`words("bought")` is a word or sentence of the catalogues. Names in braces are filled in.

    The catalogue "formats" is there beside the one that is named.
    """

    def __init__(self, language: Language, catalogue: str) -> None:
        self._catalogue = read_catalogue(language, "formats", catalogue)

    def __call__(self, key: str, **values: object) -> str:
        """The word or sentence."""
        return self._catalogue.texts[key].format(**values)

    def of_kind(self, kind: str | None, key: str) -> str:
        """The word for a meter of the kind: energy that a battery takes is not "bought"."""
        return self._own(f"of_kind.{kind}.{key}") or self(key)

    def name(self, group: str, key: str) -> str:
        """One of a group of names, as of the parts of the house."""
        return self(f"{group}.{key}")

    def list(self, key: str) -> list[str]:
        """Names in their order, as of months."""
        return self._catalogue.lists[key]

    # sentences

    def listed(self, items: Sequence[str]) -> str:
        """The items with commas between them."""
        return self("comma").join(items)

    def all_of(self, items: Sequence[str]) -> str:
        """The items with commas and an "and" between them."""
        if len(items) < 2:
            return "".join(items)
        return self("and", first=self.listed(items[:-1]), last=items[-1])

    # dates and times

    def month_short(self, month: int) -> str:
        """The short name of the month, 1 to 12."""
        return self.list("months_short")[month - 1]

    def day(self, day: date, form: str = "date") -> str:
        """A date in a form of the catalogue: date_long, date_short, date_axis or date_plain."""
        return self(form, **self._parts_of(day))

    def _parts_of(self, day: date) -> Mapping[str, object]:
        return {
            "day": day.day,
            "year": day.year,
            "weekday": self.list("weekdays")[day.weekday()],
            "month": self.list("months")[day.month - 1],
            "month_short": self.month_short(day.month),
            "month_number": day.month,
        }

    def month(self, month: date) -> str:
        """A month with its year."""
        return self.day(month, "month_of_year")

    def year(self, year: int) -> str:
        """A year, where it stands alone."""
        return self("year_alone", year=year)

    def instant(self, at: datetime) -> str:
        """A wall time with its date, to the minute."""
        return self("instant", date=self.day(at.date()), time=self.time(at))

    def time(self, at: datetime) -> str:
        """A wall time, to the minute."""
        return f"{at:%H:%M}"

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

    # numbers

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

    def share(self, value: float) -> str:
        """Per cent without the sign, rounded down: only all is 100."""
        percent = int(1000 * value + 1e-9) / 10
        if percent in (0, 100):
            return self.number(percent)
        return self.number(percent, 1)

    # money

    def amount(self, value: float, currency: str | None) -> str:
        """Money as a number, to the smallest unit of its currency, or whole from a thousand on."""
        if currency in WHOLE_CURRENCIES or abs(value) >= 999.995:
            return self.number(value)
        return self.number(value, 2)

    def money(self, value: float, currency: str | None) -> str:
        """Money with its currency."""
        amount = self.amount(value, currency)
        key = "money"
        if self._own(f"currencies.{currency}"):
            key = "money_by_name"
        return self(key, amount=amount, currency=self.currency(currency))

    def currency(self, code: str | None) -> str:
        """How the currency is written beside a number: by its own name, or by its code."""
        return self._own(f"currencies.{code}") or code or self("no_currency")

    def _own(self, key: str) -> str:
        """A word that there may be, or ""."""
        return self._catalogue.texts.get(key, "")
