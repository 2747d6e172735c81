"""A second dataset: the climate of rooms, of all types, where what is missing stays NULL."""

from tests.integration.points import Point, Row, Value, at, rows

MEASUREMENT = "room climate, all"
TAGS = {"room": "unknown", "sensor": "0"}
TYPES = {
    "temperature_c": "DOUBLE",
    "co2_ppm": "BIGINT",
    "window_open": "BOOLEAN",
    "note": "VARCHAR",
}
CLIMATE = f"""
datasets:
  room_climate:
    measurement: "{MEASUREMENT}"
    tags: {{room: unknown, sensor: "0"}}
    fields: {{temperature_c: double, co2_ppm: integer, window_open: boolean, note: string}}
"""


def climate() -> list[Point]:
    """Readings on 2025-11-09 and 2025-11-11, hardly one with all fields.

    None on the day between.
    """
    readings: list[tuple[str, dict[str, str], dict[str, Value]]] = [
        ("2025-10-01T00:00", {}, {"co2_ppm": 400.5}),  # before the sensor was set to integers
        (
            "2025-11-09T00:00",
            {"room": "Küche", "sensor": "1"},
            {"temperature_c": 21.5, "co2_ppm": 9007199254740993, "window_open": False},
        ),
        (
            "2025-11-09T00:00",
            {"room": "Küche", "sensor": "2"},
            {"temperature_c": -3.0, "note": 'it "rains", a=b \\ c'},
        ),
        ("2025-11-09T12:00", {}, {"co2_ppm": 0, "window_open": True}),
        ("2025-11-09T12:00", {"room": "居間 1"}, {"note": ""}),
        ("2025-11-11T08:00", {"sensor": "9"}, {"note": "⚡️ # not a comment, 'no' end"}),
        ("2025-11-11T08:30", {"sensor": "9"}, {"note": "two\n# lines\n"}),
        (
            "2025-11-11T23:59:59",
            {"room": "Küche", "sensor": "1"},
            {"temperature_c": 0.0, "co2_ppm": -5, "window_open": True, "note": "x"},
        ),
    ]
    return [Point(at(wall), fields, tags, MEASUREMENT) for wall, tags, fields in readings]


def climate_rows(first: str, last: str) -> list[Row]:
    """The rows of `room_climate` that these readings become, in no order."""
    return rows(
        climate(), first, last, measurement=MEASUREMENT, tags=TAGS, fields=TYPES, missing=None
    )
