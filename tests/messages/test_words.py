"""Every word of the messages is in the catalogue, and the catalogue has no other."""

import re
import tomllib

from homeiot_batch.messages.words import FOLDER

CATALOGUE = tomllib.loads((FOLDER / "words.en.toml").read_text())
# by the step of a day, the result of a letter, or a number
CHOSEN = {"fetch", "extract", "load", "refused", "unknown", "unreachable", "missing"}
CHOSEN |= {"new_one", "new_many", "over_one", "over_many"}
CHOSEN |= {"retention_one_day", "retention_many_days"}


def test_the_catalogue_has_just_the_words_that_are_used() -> None:
    """A word that is missing would fail a message in the night that needs it."""
    source = "\n".join(path.read_text() for path in FOLDER.rglob("*.py"))
    source += (FOLDER.parent / "commands/notify.py").read_text()
    used = set(re.findall(r'[Ww]ords(?:\(\))?\(\s*"(\w+)"', source))
    assert used | CHOSEN == set(CATALOGUE)
