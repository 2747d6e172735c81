"""The house's config.yaml: what it holds already, and how it is replaced."""

import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from homeiot_batch.config import OWN_SETTINGS, Settings, shown_path
from homeiot_batch.core.files import sync_file, write_text
from homeiot_batch.core.settings_files import declared_settings
from homeiot_batch.errors import ArchiveError, SettingsError


def own_settings_file(settings: Settings) -> Path:
    """The file of the house's own settings."""
    return settings.layout.house / OWN_SETTINGS


def former_settings(file: Path) -> Mapping[str, Any]:
    """What the file declares. Nothing if it is not there."""
    return declared_settings([file]).values


def refuse_existing(file: Path) -> None:
    """SettingsError if the file is there."""
    if file.exists() or file.is_symlink():
        raise SettingsError(
            f"{shown_path(file)} is there already; `homeiot init --print` shows what would be "
            "written, and --force writes it and keeps a copy of the old file"
        )


def replace_file(file: Path, text: str, today: date) -> Path | None:
    """Write the file, by one rename. Returns the copy of the old one, or None if there was none."""
    copy = None
    if file.exists():
        copy = _copied(file, today)
    # a link goes on to lead to the file
    write_text(file.resolve(), text)
    return copy


def _copied(file: Path, today: date) -> Path:
    """A copy beside the file, by the name of the day."""
    copy = file.with_name(f"{file.name}.{today}")
    number = 2
    while copy.exists():
        copy = file.with_name(f"{file.name}.{today}-{number}")
        number += 1
    try:
        shutil.copy2(file, copy)
        sync_file(copy)
    except OSError as error:
        raise ArchiveError(
            f"{copy} cannot be written ({error.strerror}); see to disk space and permissions"
        ) from None
    return copy
