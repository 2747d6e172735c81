"""How wide a text is: a Japanese letter is as wide as two Latin letters."""

import unicodedata


def wide_letters(text: str) -> int:
    """How many of its letters are about as wide as they are high."""
    widths = [unicodedata.east_asian_width(letter) for letter in text]
    return sum(width in "WF" for width in widths)
