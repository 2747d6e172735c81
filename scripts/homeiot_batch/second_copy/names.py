"""The names of a second copy. Each file's name has its version, its size and its checksum.

So a file never changes after it was written: another content has another name.

    <item>/v<number>-<bytes>-<sha256><suffix>

An item is what has versions: `days/<dataset>/dt=YYYY-MM-DD`, `early/<dataset>/dt=YYYY-MM-DD`,
`house/config.yaml`, `house/tariffs.csv`, `zone`, `identity` and `lists`.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import date

from homeiot_batch.core.datasets import is_dataset_name

LISTS = "lists"
IDENTITY = "identity"
ZONE = "zone"
HOUSE = "house"
DAYS = "days"
EARLY = "early"
TOPS = (DAYS, EARLY, HOUSE, IDENTITY, LISTS, ZONE)  # the folders of a copy

NAME = re.compile(r"(?P<item>.+)/v(?P<number>[1-9]\d*)-(?P<size>\d+)-(?P<sha>[0-9a-f]{64})(\.\w+)")
DAY = re.compile(r"(days|early)/(\w+)/dt=(\d{4}-\d{2}-\d{2})")


@dataclass(frozen=True)
class Version:
    """A file of the copy. `size` is in bytes, and `number` counts the versions of its item."""

    item: str
    number: int
    size: int
    sha256: str
    suffix: str

    @property
    def name(self) -> str:
        """Its path in the copy."""
        return f"{self.item}/v{self.number}-{self.size}-{self.sha256}{self.suffix}"

    def is_of(self, content: bytes) -> bool:
        """Whether the content is the one that the name promises."""
        return checksum(content) == self.sha256


def version_of(name: str) -> Version | None:
    """The version that has this name, or None for a name that is none of the copy's."""
    found = NAME.fullmatch(name)
    if found is None:
        return None
    size = int(found["size"])
    version = Version(found["item"], int(found["number"]), size, found["sha"], found[5])
    return version if version.name == name else None


def day_item(kind: str, dataset: str, dt: object) -> str:
    """The item of a local day, `kind` being DAYS or EARLY."""
    return f"{kind}/{dataset}/dt={dt}"


def day_of(item: str) -> tuple[str, str, str] | None:
    """Kind, dataset and day of the item, or None for an item that is no day."""
    found = DAY.fullmatch(item)
    if found is None or not is_dataset_name(found[2]):
        return None
    try:
        date.fromisoformat(found[3])
    except ValueError:
        return None
    return found[1], found[2], found[3]


def checksum(content: bytes) -> str:
    """Hex digest, SHA-256."""
    return hashlib.sha256(content).hexdigest()
