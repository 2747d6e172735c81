"""The house's tariffs on their way from the file into the database."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

from homeiot_batch.config import ROOT, Settings, shown_path
from homeiot_batch.core.files import is_there
from homeiot_batch.errors import SettingsError
from homeiot_batch.warehouse.database import RECORD_DDL, open_database, transaction, write_lock
from homeiot_batch.warehouse.tariff_file import Tariff, parse_tariffs
from homeiot_batch.warehouse.tariff_rules import contradictions

# where they were before there was a folder for what the user sets
SHIPPED = ROOT / "dbt/seeds/tariffs.csv"
TYPES = pa.schema(
    [
        ("source", pa.string()),
        ("valid_from", pa.date32()),
        ("valid_to", pa.date32()),
        ("weekdays", pa.string()),
        ("from_time", pa.string()),
        ("to_time", pa.string()),
        ("import_price", pa.float64()),
        ("feed_in_price", pa.float64()),
        ("currency", pa.string()),
    ]
)


def tariff_path(settings: Settings) -> Path:
    """The file that is read: the house's, or else the one of the checkout."""
    own = settings.layout.house / "tariffs.csv"
    if is_there(own):
        return own
    return SHIPPED


def examine_tariffs(settings: Settings) -> tuple[list[Tariff], list[str]]:
    """The tariffs, and the mistakes in their file, each a line that names the file too.

    Nothing of both where there is no file. SettingsError if it cannot be read.
    """
    path = tariff_path(settings)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return [], []
    except OSError as error:
        raise SettingsError(
            f"{shown_path(path)} cannot be read ({error.strerror}); see to its permissions"
        ) from None
    tariffs, mistakes = parse_tariffs(content)
    mistakes = mistakes or contradictions(tariffs)
    return tariffs, [f"{shown_path(path)} {mistake}" for mistake in mistakes]


def read_tariffs(settings: Settings) -> list[Tariff]:
    """The tariffs. SettingsError that names the first mistake in their file."""
    tariffs, mistakes = examine_tariffs(settings)
    if len(mistakes) > 1:
        others = len(mistakes) - 1
        raise SettingsError(f"{mistakes[0]}; {others} more mistakes: `homeiot doctor` names all")
    if mistakes:
        raise SettingsError(mistakes[0])
    return tariffs


def put_tariffs(database: Path, tariffs: Sequence[Tariff], wait_s: float) -> None:
    """Replace the tariffs in the database, where dbt finds them, in one transaction."""
    rows = [asdict(tariff) for tariff in tariffs]
    table = pa.Table.from_pylist(rows, TYPES)
    with write_lock, open_database(database, wait_s=wait_s) as connection:
        connection.execute(RECORD_DDL)
        connection.register("new_tariffs", table)
        with transaction(connection):
            connection.execute("DELETE FROM archive.tariffs")
            connection.execute("INSERT INTO archive.tariffs SELECT * FROM new_tariffs")
