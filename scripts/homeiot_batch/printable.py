"""Text of others, made fit for one line of a log or a terminal."""

import unicodedata

# control characters, halves of surrogate pairs, ends of lines and paragraphs
NOT_PRINTED = {"Cc", "Cs", "Zl", "Zp"}


def printable(text: str) -> str:
    """The text on one line, other control characters as an escape: they could steer a terminal."""
    return "".join(map(_character, text))


def _character(character: str) -> str:
    if unicodedata.category(character) not in NOT_PRINTED:
        return character
    if character.isspace():
        return " "
    return character.encode("unicode_escape").decode()
