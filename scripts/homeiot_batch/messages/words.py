"""The words of the messages: the catalogue messages.toml of their language."""

from homeiot_batch.words.figures import Figures
from homeiot_batch.words.languages import Language


class Words(Figures):
    """`words("footer")` is a sentence of the messages."""

    def __init__(self, language: Language) -> None:
        super().__init__(language, "messages")
