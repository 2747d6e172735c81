"""What can go wrong, as a user meets it.

Every message names the value, where it came from, and what to do.
"""

import unicodedata
from collections.abc import Sequence

# control characters, halves of surrogate pairs, ends of lines and paragraphs
NOT_PRINTED = {"Cc", "Cs", "Zl", "Zp"}


class HomeIotError(Exception):
    """Base of all errors that a user, a server or a disk can cause. Its text is one line."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))

    @property
    def lines(self) -> list[str]:
        """What failed, a line each."""
        return [str(self)]


class SettingsError(HomeIotError):
    """A setting, date or dataset declaration cannot be used."""


class SourceError(HomeIotError):
    """The source refused, lied or is damaged. Asking again will not help."""


class SourceUnavailable(SourceError):
    """The source did not answer whole this time. Asking again may help."""


class SourceBusy(SourceUnavailable):
    """The source is asked too much at once. It may have said to wait `wait_s` seconds."""

    def __init__(self, message: str, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class SourceLimit(SourceError):
    """The source refuses a question about so much. One about a shorter time may be answered."""


class ArchiveError(HomeIotError):
    """The Parquet archive cannot be read or written as it should."""


class ArchiveDamaged(ArchiveError):
    """A file of the archive is not as it was written.

    A day that holds as much may take its place.
    """


class ShrinkError(HomeIotError):
    """A day would hold fewer readings than are archived already."""


class DatabaseError(HomeIotError):
    """The DuckDB file cannot be opened or does not hold what it should."""


class DatabaseBusy(DatabaseError):
    """Another process, the `holder`, has the DuckDB file open."""

    def __init__(self, path: object, holder: str) -> None:
        super().__init__(
            f"{path} is open in another process ({holder}); close it there and run again"
        )
        self.holder = holder


class DatabaseDamaged(DatabaseError):
    """The DuckDB file is damaged. All that it holds is in the archive too."""


class CopyError(HomeIotError):
    """The second copy cannot be read or written as it should."""


class CopyUnavailable(CopyError):
    """The place of the second copy does not answer now. Asking for another file will not help."""


class LockError(HomeIotError):
    """Another run holds the archive."""


class ClusterError(HomeIotError):
    """Slurm does not do what the run needs of it."""


class BuildError(HomeIotError):
    """dbt did not build the tables. Each of the `lines` names a model or test that failed."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("; ".join(lines))
        self._lines = list(lines)

    @property
    def lines(self) -> list[str]:
        """What failed, a line each."""
        return self._lines


def printable(text: str) -> str:
    """The text on one line, other control characters as an escape: they could steer a terminal."""
    return "".join(map(_character, text))


def _character(character: str) -> str:
    if unicodedata.category(character) not in NOT_PRINTED:
        return character
    if character.isspace():
        return " "
    return character.encode("unicode_escape").decode()
