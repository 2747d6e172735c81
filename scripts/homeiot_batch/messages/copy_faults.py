"""A second copy that is not up to date."""

from collections.abc import Collection

from homeiot_batch.config import Settings
from homeiot_batch.messages.faults import Fault, Found, NightEnd
from homeiot_batch.messages.run_faults import cause_of
from homeiot_batch.messages.words import Words

COPY = "copy:"


def check_copy(settings: Settings, end: NightEnd, told: Collection[str], words: Words) -> Found:
    """Whether the night has brought the second copy up to date, if it tried."""
    if end.copy_fault:
        line = words("copy", reason=end.copy_fault)
        return Found([Fault(COPY, line, cause_of(end.copy_fault))])
    was_tried = end.copy_fault is not None
    if COPY in told and (was_tried or not settings.mirror_url):
        return Found(over={COPY: words("over_copy")})
    return Found()
