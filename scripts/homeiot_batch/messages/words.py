"""The words of the messages: the catalogue messages.toml of their language."""

from homeiot_batch.words.languages import Language
from homeiot_batch.words.phrases import Phrases


class Words(Phrases):
    """`words("footer")` is a sentence of the messages."""

    def __init__(self, language: Language) -> None:
        super().__init__(language, "messages")
