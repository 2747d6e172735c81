"""The words of the messages: words.<language>.toml."""

import tomllib
from pathlib import Path

FOLDER = Path(__file__).parent


class Words:
    """`words("footer")` is a sentence of the messages. Names in braces are filled in."""

    def __init__(self, language: str = "en") -> None:
        catalogue = FOLDER / f"words.{language}.toml"
        self._words: dict[str, str] = tomllib.loads(catalogue.read_text(encoding="utf-8"))

    def __call__(self, key: str, **values: object) -> str:
        """The word or sentence."""
        return self._words[key].format(**values)
