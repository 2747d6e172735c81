"""When the last good night was, as `homeiot every-night` notes it and `homeiot health` reads it."""

from datetime import UTC, datetime
from typing import Any

from homeiot_batch.core.files import read_json, write_json
from homeiot_batch.core.layout import Layout


class Nights:
    """The note of the nights: since when they run, and when the last good one ended (UTC)."""

    def __init__(self, layout: Layout) -> None:
        self._file = layout.nights

    def since(self) -> datetime | None:
        """When `every-night` was started first. None if it never was."""
        return _instant(self._content().get("since"))

    def last_good(self) -> datetime | None:
        """When the last night with exit code 0 ended. None if there was none."""
        return _instant(self._content().get("last_good"))

    def begin(self, now: datetime) -> None:
        """Note the first start. Later ones change nothing. ArchiveError if the disk refuses."""
        if self.since() is None:
            write_json(self._file, self._content() | {"since": now.isoformat()})

    def note_good(self, now: datetime) -> None:
        """Note that a good night ended now. ArchiveError if the disk refuses."""
        write_json(self._file, self._content() | {"last_good": now.isoformat()})

    def _content(self) -> dict[str, Any]:
        return read_json(self._file) or {}


def _instant(text: object) -> datetime | None:
    """The instant that the file gives, or None if it is none: the file may be damaged."""
    try:
        instant = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return instant.astimezone(UTC) if instant.tzinfo else None
