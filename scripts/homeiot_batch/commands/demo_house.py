"""A house of examples/, shown in data/demo-NAME: from its programs' readings to its balance.

python -m homeiot_batch demo --house home_assistant
"""

import os
import shutil
from datetime import date
from pathlib import Path

import typer
import yaml

from homeiot_batch.commands.demo_run import demo_environment, run_days
from homeiot_batch.config import ROOT
from homeiot_batch.core.duckdb_connections import connect
from homeiot_batch.core.near_names import hint

EXAMPLES = Path("examples")  # from the checkout on
FIRST = date(2026, 10, 19)
LAST = date(2026, 10, 26)

COLUMNS = ("consumed_kwh", "produced_kwh", "imported_kwh", "exported_kwh")
HEAD = ("date", "used", "produced", "bought", "sold", "complete")
TABLE = f"""
SELECT date_jst, {", ".join(COLUMNS)}, is_complete FROM fct_daily_balance ORDER BY date_jst
"""
PLACES = """
The energy is in kWh. A day of which a part is not known has no balance.
The declaration:   examples/{name}/config.yaml   a copy is in {folder}/house
The database:      {database}
Its tables:        fct_daily_energy has the meters, fct_daily_balance the house (who feeds whom)
The report:        {folder}/report/index.html   open it in a browser. Its days are old
Next: docs/how-to/{page}.md shows how to archive your own house of this kind."""


def show_house(name: str) -> None:
    """Run the workflow on the example of that name, and show the balance of its days."""
    os.chdir(ROOT)
    example = _example(name)
    folder = Path(f"data/demo-{name}")
    readings = _copied(example, folder)
    tz = yaml.safe_load((example / "config.yaml").read_text())["tz"]
    environment = demo_environment(folder, tz, readings)
    run_days(FIRST, LAST, environment)
    database = Path(environment["DUCKDB_PATH"])
    _show_balance(database)
    page = name.replace("_", "-")
    typer.echo(PLACES.format(name=name, folder=folder, database=database, page=page))


def _example(name: str) -> Path:
    """The folder of the example. The program ends if there is none of that name."""
    known = sorted(path.parent.name for path in EXAMPLES.glob("*/config.yaml"))
    if not known:
        raise SystemExit("error: there is no folder examples here; run this in a checkout")
    if name not in known:
        raise SystemExit(f"error: --house={name!r} is no house of examples; {hint(name, known)}")
    return EXAMPLES / name


def _copied(example: Path, folder: Path) -> Path:
    """The readings and settings in the demo's folder. Other readings need another archive."""
    readings = folder / "readings.lp.gz"
    given = (example / readings.name).read_bytes()
    if not readings.exists() or readings.read_bytes() != given:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        readings.write_bytes(given)
    (folder / "house").mkdir(exist_ok=True)
    shutil.copy(example / "config.yaml", folder / "house")
    return readings


def _show_balance(database: Path) -> None:
    with connect(database, read_only=True) as connection:
        rows = connection.execute(TABLE).fetchall()
    typer.echo("")
    typer.echo(_line(HEAD))
    for day, *energies, is_complete in rows:
        complete = "yes" if is_complete else "no"
        typer.echo(_line([str(day), *map(_shown, energies), complete]))


def _line(cells: list[str] | tuple[str, ...]) -> str:
    first, *others = cells
    return f"{first:<12}" + "".join(f"{cell:>10}" for cell in others)


def _shown(kwh: float | None) -> str:
    if kwh is None:
        return "no data"
    return f"{kwh:.2f}"
