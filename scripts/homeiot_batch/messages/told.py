"""What each address was told: a small file, so that a fault is told once."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError

from homeiot_batch.core.files import is_there, read_json, write_json
from homeiot_batch.messages.addresses import Address


class Told(BaseModel):
    """What one address was told: open faults by key with their causes, and the last month."""

    service: str
    faults: dict[str, str] = {}
    month: str = ""


class Record(BaseModel):
    """What the addresses were told, in their order."""

    addresses: list[Told] = []


def read_told(path: Path, addresses: Sequence[Address]) -> tuple[list[Told], list[str]]:
    """What each of the addresses was told, and a warning if the file is damaged.

    An address that takes the place of one of another service was told nothing.
    """
    record = Record()
    warnings: list[str] = []
    try:
        if is_there(path):
            record = Record.model_validate(read_json(path))
    except (ValidationError, OSError):
        warnings.append(f"{path} cannot be read, so messages tell all open faults again")
    told = []
    for address in addresses:
        told.append(_told_to(address, record.addresses))
    return told, warnings


def _told_to(address: Address, known: Sequence[Told]) -> Told:
    if address.number <= len(known):
        former = known[address.number - 1]
        if former.service == address.service:
            return former
    return Told(service=address.service)


def write_told(path: Path, told: Sequence[Told]) -> None:
    """Replace the file by one rename. ArchiveError if the disk refuses."""
    write_json(path, Record(addresses=list(told)).model_dump())
