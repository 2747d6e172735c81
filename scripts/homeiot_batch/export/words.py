"""The headers of exports for people: the catalogue export.toml of their language."""

from homeiot_batch.words.languages import Language
from homeiot_batch.words.phrases import Phrases


class Words(Phrases):
    """`words("with_unit", ...)` is a header."""

    def __init__(self, language: Language) -> None:
        super().__init__(language, "export")
