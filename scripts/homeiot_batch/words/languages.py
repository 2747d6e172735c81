"""The languages that there are catalogues of, and which of them a house has by default."""

from typing import Literal, get_args

Language = Literal["en", "ja"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
OF_ZONES: dict[str, Language] = {"Asia/Tokyo": "ja", "Japan": "ja"}


def language_of(zone: str) -> Language:
    """The language of a house in this zone, an IANA name: English where no other is known."""
    return OF_ZONES.get(zone, "en")
