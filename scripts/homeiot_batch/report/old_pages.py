"""Pages of a folder that show nothing of the house any more."""

import re
from collections.abc import Collection
from pathlib import Path

from homeiot_batch.errors import ArchiveError


def remove_other_pages(folder: Path, name: re.Pattern[str], kept: Collection[str]) -> None:
    """Remove the pages with such a name but for those kept. ArchiveError if the disk refuses."""
    try:
        for file in folder.glob("*.html"):
            if name.fullmatch(file.name) and file.name not in kept:
                file.unlink()
    except OSError as error:
        raise ArchiveError(
            f"{folder}: an old page cannot be removed ({error.strerror}); see to its permissions"
        ) from None
