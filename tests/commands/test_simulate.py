"""The simulated house."""

import gzip
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from homeiot_batch.commands.simulate import readings, write_export
from homeiot_batch.core.days import LocalDay
from homeiot_batch.sources.exports.line_protocol import (
    parse_series,
    parse_value,
    split_fields,
    split_line,
)

DAY = LocalDay(date(2026, 10, 25), ZoneInfo("Europe/Berlin"))


def test_the_same_seed_makes_the_same_house() -> None:
    """Deterministic by seed. Another seed is another house."""
    assert list(readings(DAY, DAY, 600, 1)) == list(readings(DAY, DAY, 600, 1))
    assert list(readings(DAY, DAY, 600, 1)) != list(readings(DAY, DAY, 600, 2))


def test_it_has_two_meters_solar_export_and_holes(tmp_path: Path) -> None:
    """A day of 25 hours at one reading a minute.

    Both meters whole but for some missing counters, counters never fall.
    """
    file = tmp_path / "house.lp.gz"
    write_export(file, DAY, DAY, step_s=60)
    lines = [
        line
        for line in gzip.decompress(file.read_bytes()).splitlines()
        if not line.startswith((b"#", b"CREATE"))
    ]
    counts: dict[tuple[str, str], list[float]] = {}
    for series, fields, _ in map(split_line, lines):
        for name, value in split_fields(fields):
            source = parse_series(series).tags["source"]
            counts.setdefault((source, name.decode()), []).append(float(parse_value(value)))
    assert {
        key: len(values) for key, values in counts.items() if key[1] != "energy_import_kwh"
    } == {
        ("meter1", "instant_power_w"): 1500,
        ("meter1", "energy_export_kwh"): 1500,
        ("heatpump", "instant_power_w"): 1500,
    }
    for (_, name), values in counts.items():
        if name != "instant_power_w":
            assert 1400 < len(values) <= 1500
            assert values == sorted(values)
    assert 1400 < len(counts["meter1", "energy_import_kwh"]) < 1500
