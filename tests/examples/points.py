"""Points in line protocol, as programs write them."""

from typing import NamedTuple


class Point(NamedTuple):
    """A point: time in ns since the epoch, and the rest of its line."""

    time_ns: int
    text: str

    @property
    def line(self) -> str:
        """The line of the export."""
        return f"{self.text} {self.time_ns}\n"


def decimal(number: int, digits: int) -> str:
    """A whole number of the last digit, such as 1234 Wh as kWh with three digits: 1.234."""
    whole, part = divmod(number, 10**digits)
    return f"{whole}.{part:0{digits}}"


def plain(text: str) -> str:
    """A number without zeros at its end, but as a float: 1.500 is 1.5 and 2.000 is 2.0."""
    return text.rstrip("0") + "0" * text.rstrip("0").endswith(".")
