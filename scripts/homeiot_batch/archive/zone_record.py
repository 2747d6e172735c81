"""The zone of the archive. By another one its days would overlap or leave gaps."""

import contextlib

from homeiot_batch.archive.day_file import read_metadata
from homeiot_batch.core.files import read_json, write_json
from homeiot_batch.core.layout import Layout
from homeiot_batch.errors import ArchiveError, SettingsError


def require_zone(layout: Layout, tz: str) -> None:
    """SettingsError if the archive was begun with another zone."""
    begun = recorded_zone(layout)
    if begun not in (None, tz):
        raise SettingsError(
            f"TZ={tz} but the archive in {layout.parquet} was begun with {begun}, its days would "
            "overlap; "
            f"set TZ={begun}, or another PARQUET_BASE_DIR, MARKER_DIR and DUCKDB_PATH for days of "
            f"{tz}"
        )


def record_zone(layout: Layout, tz: str) -> None:
    """Note the zone with the archive's first day."""
    if recorded_zone(layout) is None:
        write_json(layout.archive_file, {"tz": tz})


def recorded_zone(layout: Layout) -> str | None:
    """The zone of the archive, from its own note or else from a day in it.

    None before the first day.
    """
    noted = (read_json(layout.archive_file) or {}).get("tz")
    if noted:
        return str(noted)
    for folder in layout.parquet.glob("*/dt=*/"):
        with contextlib.suppress(ArchiveError):
            if (metadata := read_metadata(folder)) and metadata.tz:
                return metadata.tz
    return None
