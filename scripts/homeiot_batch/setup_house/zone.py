"""Which zone the file gets: the archive's, or else the one that is set, or else this machine's.

A person is asked about the last.
"""

from homeiot_batch.archive.zone_record import recorded_zone
from homeiot_batch.config import Settings
from homeiot_batch.setup_house.questions import asked_zone
from homeiot_batch.workflow.machine_zone import machine_zone

# what machines have that nobody has told where they are
OF_NO_PLACE = ("UTC", "Etc/UTC", "Etc/UCT", "UCT", "Zulu", "GMT", "Etc/GMT", "Universal")


def house_zone(settings: Settings, *, asks: bool) -> tuple[str, str]:
    """The zone's name, and for a comment by what it was found."""
    recorded = recorded_zone(settings.layout)
    if recorded:
        return recorded, "the archive was begun with it"
    if "tz" in settings.model_fields_set:
        return settings.tz, ""
    guess = settings.tz
    why = "guessed: TZ is not set. The first archived day fixes it"
    machine = machine_zone()
    if machine and machine not in OF_NO_PLACE:
        guess = machine
        why = "guessed by this machine's zone. The first archived day fixes it"
    if not asks:
        return guess, why
    answer = asked_zone(guess)
    return answer, ""
