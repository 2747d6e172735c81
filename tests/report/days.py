"""Days of a meter, as the report reads them."""

from dataclasses import replace
from datetime import date
from typing import Any

from homeiot_batch.report.figures import Day


def a_day(day: date, **values: Any) -> Day:
    """A complete day with 10 kWh."""
    usual = Day(
        import_kwh=10.0,
        export_kwh=None,
        net_kwh=None,
        estimated_kwh=0.0,
        date_jst=day,
        reset_count=0,
        step_back_count=0,
        backwards_count=0,
        glitch_count=0,
        coverage=1.0,
        longest_gap_s=60.0,
        is_complete=True,
        peak_w=900.0,
        peak_at_jst=None,
        readings=1440,
    )
    return replace(usual, **values)
