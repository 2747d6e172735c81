"""When the last good night was: `homeiot every-night` notes it, `homeiot health` reads it."""

from datetime import UTC, datetime
from typing import Any

from homeiot_batch.core.files import read_json, write_json
from homeiot_batch.core.layout import Layout


class Nights:
    """The note of the nights. All instants are UTC, and None where the file has none."""

    def __init__(self, layout: Layout) -> None:
        self._file = layout.nights

    def since(self) -> datetime | None:
        """When `every-night` was started first."""
        return _instant(self._content().get("since"))

    def last_started(self) -> datetime | None:
        """When the last good night started."""
        return _instant(self._content().get("last_started"))

    def last_good(self) -> datetime | None:
        """When the last good night ended."""
        return _instant(self._content().get("last_good"))

    def begin(self, now: datetime) -> None:
        """Note the first start. Later ones change nothing, unless the clock was ahead before.

        ArchiveError if the disk refuses.
        """
        since = self.since()
        if since is None or since > now:
            write_json(self._file, self._content() | {"since": now.isoformat()})

    def note_good(self, started: datetime, ended: datetime) -> None:
        """Note a night with exit code 0. ArchiveError if the disk refuses."""
        night = {"last_started": started.isoformat(), "last_good": ended.isoformat()}
        write_json(self._file, self._content() | night)

    def _content(self) -> dict[str, Any]:
        return read_json(self._file) or {}


def _instant(text: object) -> datetime | None:
    """The instant that the file gives, or None if it is none: the file may be damaged."""
    try:
        instant = datetime.fromisoformat(str(text))
        return instant.astimezone(UTC) if instant.tzinfo else None
    except (ValueError, OverflowError):
        return None
