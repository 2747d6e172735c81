"""A day never shrinks by accident: what is archived may be the only copy of what the source has forgotten."""

from collections.abc import Iterable
from typing import Any

from homeiot_batch.core.day_record import DayRecord
from homeiot_batch.errors import ShrinkError


def check_growth(
    subject: str, new: DayRecord, archived: Iterable[DayRecord | None], allow_shrink: bool
) -> dict[str, Any]:
    """Refuse `new` if it holds less than was `archived`; where that is allowed, the permission as metadata."""
    known = [record for record in archived if record is not None]
    if not any(new.holds_less_than(record) for record in known):
        return {}
    largest = known[0]
    for record in known[1:]:
        largest = largest.joined(record)
    if not new.rows:
        raise ShrinkError(
            f"{subject} would shrink from {largest} to nothing; the source has forgotten it, or is another one. What is archived is kept, "
            "whatever is allowed; restore the day's folder from a backup if it is missing"
        )
    if not allow_shrink:
        raise ShrinkError(
            f"{subject} would shrink from {largest} to {new}; the source may have forgotten it. What is archived is kept; "
            "if the new one is right, run this day alone again with --config allow_shrink=true"
        )
    return {"shrunk_from": largest.as_dict()}


def check_loss(subject: str, lost: int, allow_shrink: bool) -> None:
    """Refuse a day that lacks `lost` of the archived readings, even if it holds more of others."""
    if not allow_shrink:
        raise ShrinkError(
            f"{subject} would lose {lost} archived readings that the source no longer has, though it has others. What is archived is kept; "
            "if the new one is right, run this day alone again with --config allow_shrink=true"
        )


def was_permitted(metadata: dict[str, Any], archived: DayRecord) -> bool:
    """Whether the day was written with the permission to hold less than `archived`."""
    permitted = DayRecord.of(metadata.get("shrunk_from"))
    return permitted is not None and not permitted.holds_less_than(archived)
