"""The page's words: the catalogue report.toml of its language."""

from homeiot_batch.words.languages import Language
from homeiot_batch.words.phrases import Phrases


class Words(Phrases):
    """`words("footer")` is a word or sentence of the page."""

    def __init__(self, language: Language) -> None:
        super().__init__(language, "report")
