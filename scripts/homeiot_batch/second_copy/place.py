"""Where a second copy lies: a folder, or a bucket of an S3 server."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from homeiot_batch.config import ROOT, Settings, from_checkout
from homeiot_batch.core.layout import Layout
from homeiot_batch.errors import SettingsError
from homeiot_batch.second_copy.folder_place import FolderPlace


class Place(Protocol):
    """Files by name. None is ever deleted or overwritten. All raise CopyError."""

    @property
    def url(self) -> str:
        """The place as messages name it, without credentials."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """The place by names that do not depend on how it was written."""
        ...

    def sizes(self) -> Mapping[str, int]:
        """The size in bytes of each file, by name: one question for all of them."""
        ...

    def read(self, name: str) -> bytes:
        """The content of a file."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Write a new file, whole or not at all."""
        ...


def open_place(url: str | None, origin: str, settings: Settings) -> Place:
    """The place that the URL names. SettingsError for one that cannot be used."""
    if not url:
        raise SettingsError(
            "MIRROR_URL is not set; set it to a folder outside of this machine's disk, or to "
            "s3://BUCKET/PREFIX"
        )
    if re.match(r"s3://", url):
        from homeiot_batch.second_copy.s3_place import open_s3  # noqa: PLC0415 - takes a while

        return open_s3(url, origin, settings)
    if "://" in url and not url.startswith("file:///"):
        raise SettingsError(f"{origin}={url!r} is neither s3://, file:/// nor a path")
    folder = from_checkout(Path(url.removeprefix("file://")))
    _refuse_own(folder, origin, settings.layout)
    return FolderPlace(folder, origin)


def _refuse_own(folder: Path, origin: str, layout: Layout) -> None:
    """SettingsError for a folder that would be lost, or changed, with the house's own files."""
    place = folder.resolve()
    own = (layout.parquet, layout.markers, layout.house, layout.database.parent)
    for taken in (ROOT / one for one in own):
        if place.is_relative_to(taken.resolve()) or taken.resolve().is_relative_to(place):
            raise SettingsError(
                f"{origin}={str(folder)!r} and {taken} lie in each other; "
                "name a folder on another disk or machine"
            )
