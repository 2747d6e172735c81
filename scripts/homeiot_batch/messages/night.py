"""Sends what a night has to tell, and records what each address was told."""

from collections.abc import Mapping, Sequence

from homeiot_batch.config import Settings, settings_for_messages
from homeiot_batch.errors import ArchiveError
from homeiot_batch.messages.addresses import Address, addresses
from homeiot_batch.messages.checks import check_house
from homeiot_batch.messages.faults import NightEnd
from homeiot_batch.messages.letters import Draft, draft_of_faults, draft_of_month
from homeiot_batch.messages.month import Month, last_month
from homeiot_batch.messages.post import send
from homeiot_batch.messages.told import Told, read_told, write_told
from homeiot_batch.messages.words import Words


def tell(settings: Settings | None, given: Mapping[str, object], end: NightEnd) -> list[str]:
    """Send what is new since the last night, and what is over.

    `settings` are None where they were refused. The warnings, none of which has a secret.
    """
    able = settings or settings_for_messages(given)
    to = addresses(able)
    if not to:
        return []
    words = Words(able.language)
    file = able.layout.told_faults
    former, damaged = read_told(file, to)
    keys = {key for told in former for key in told.faults}
    found, unchecked = check_house(settings, end, keys, words)
    month = _month(settings, end, words)
    drafts: list[Draft] = []
    for address, told in zip(to, former, strict=True):
        drafts += _drafts(draft_of_faults(address, told, found, words))
        if month:
            drafts += _drafts(draft_of_month(address, told, month, words))
    now, unsent = _send(drafts, former)
    warnings = [*damaged, *unchecked, *unsent]
    if now != former or (damaged and not unsent):
        try:
            write_told(file, now)
        except ArchiveError as error:
            warnings.append(f"{error}. Until then messages are sent again")
    return warnings


def _month(settings: Settings | None, end: NightEnd, words: Words) -> Month | None:
    if settings is None or end.error or not settings.notify_monthly:
        return None
    return last_month(settings, settings.layout, words)


def _drafts(draft: Draft | None) -> list[Draft]:
    if draft is None:
        return []
    return [draft]


def _send(drafts: Sequence[Draft], former: Sequence[Told]) -> tuple[list[Told], list[str]]:
    """What each address was told then, and a warning for each that did not take its letter."""
    now = list(former)
    warnings: list[str] = []
    reasons = send([draft.letter for draft in drafts])
    for draft, reason in zip(drafts, reasons, strict=True):
        address = draft.letter.address
        if reason:
            warnings.append(_not_sent(address, reason))
        else:
            place = address.number - 1
            now[place] = now[place].model_copy(update=draft.told)
    return now, list(dict.fromkeys(warnings))


def _not_sent(address: Address, reason: str) -> str:
    return (
        f"the message to address {address.number} of NOTIFY_URL ({address.service}) was not sent: "
        f"{reason}; the next night sends it again"
    )
