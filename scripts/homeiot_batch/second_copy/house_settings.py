"""The settings of a restore: those that the next run finds, with the copy's config.yaml."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from homeiot_batch.config import OWN_SETTINGS, Settings, load_settings
from homeiot_batch.core.files import is_there
from homeiot_batch.errors import CopyError, CopyUnavailable, SettingsError
from homeiot_batch.second_copy.choice import choose
from homeiot_batch.second_copy.contents import SecondCopy
from homeiot_batch.second_copy.names import HOUSE

ITEM = f"{HOUSE}/{OWN_SETTINGS}"


def settings_to_restore(
    copy: SecondCopy, settings: Settings, given: Mapping[str, object], *, takes_older: bool
) -> Settings:
    """The settings once the copy's config.yaml is in place, unless this machine has its own.

    It may name other places for the archive, the database and the report. CopyError if it is
    damaged, and SettingsError if this program cannot use it.
    """
    if ITEM not in copy.items or is_there(settings.layout.house / OWN_SETTINGS):
        return settings
    own = f"put a config.yaml of your own into {settings.layout.house}"
    try:
        content = choose(copy, ITEM, takes_older=takes_older).content
    except CopyUnavailable:
        raise
    except CopyError as error:
        if takes_older:
            return settings
        raise CopyError(
            f"{error}, and it may name other places for the archive; repair the copy, {own}, or "
            "give --older"
        ) from None
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / OWN_SETTINGS).write_bytes(content)
        try:
            found = load_settings({**given, "house_dir": folder})
        except SettingsError as error:
            reason = str(error).replace(f"{folder}/", "")
            raise SettingsError(
                f"the copy's {OWN_SETTINGS} cannot be used ({reason}); {own}"
            ) from None
    return found.model_copy(update={"house_dir": settings.house_dir})
