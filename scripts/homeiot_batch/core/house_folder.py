"""The folder of what the user sets: which of its files are read, and which look as if they were."""

from pathlib import Path

READ = ("config.yaml", "tariffs.csv")
LOOKS_LIKE_SETTINGS = {".yml", ".yaml", ".csv", ".xls", ".xlsx", ".ods"}


def unread_files(folder: Path) -> list[str]:
    """Names of the files that a user may take for settings and that no run reads, sorted."""
    if not folder.is_dir():
        return []
    unread = [path.name for path in folder.iterdir() if _looks_like_settings(path)]
    return sorted(set(unread).difference(READ))


def _looks_like_settings(path: Path) -> bool:
    is_hidden_or_temporary = path.name.startswith((".", "~"))
    return path.suffix.lower() in LOOKS_LIKE_SETTINGS and not is_hidden_or_temporary
