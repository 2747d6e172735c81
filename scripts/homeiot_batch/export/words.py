"""The headers of exports for people: the catalogue export.toml of their language."""

from homeiot_batch.words.figures import Figures
from homeiot_batch.words.languages import Language


class Words(Figures):
    """`words("with_unit", ...)` is a header."""

    def __init__(self, language: Language) -> None:
        super().__init__(language, "export")
