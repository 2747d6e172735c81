"""How many rows a sheet holds."""

from homeiot_batch.errors import SettingsError

SHEET_ROWS = 1_048_576  # the header included


def refuse_too_many(count: int) -> None:
    """SettingsError if a sheet does not hold so many rows below its header."""
    if count >= SHEET_ROWS:
        raise SettingsError(
            f"--format=xlsx: the export has more rows than the {SHEET_ROWS} of a sheet, of which "
            "one is the header; give a shorter range, or --format csv or parquet"
        )
