"""Dutch and Belgian smart meters, read at their P1 port.

What is delivered is bought in the fields of most programs. Those that follow dsmr_parser say `used`
for that, and call delivered what is sold, so the names are matched as a whole.
"""

from homeiot_batch.setup_house.field_tables import FieldRow, FieldTable

METER = "electric|dsmr|p1|smart|meter"
DSMR = FieldTable(
    name="DSMR",
    kind="grid",
    rows=(
        # ESPHome, DSMR-API and others
        FieldRow(r"energy_delivered_tariff([12])", "import", "kWh"),
        FieldRow(r"energy_returned_tariff([12])", "export", "kWh"),
        # DSMR-reader, and its export to InfluxDB
        FieldRow(r"electricity_delivered_([12])", "import", "kWh"),
        FieldRow(r"electricity_returned_([12])", "export", "kWh"),
        FieldRow(r"delivered_([12])", "import", "kWh", measurement=METER),
        FieldRow(r"returned_([12])", "export", "kWh", measurement=METER),
        # dsmr_parser
        FieldRow(r"electricity_used_tariff_([12])", "import", "kWh"),
        FieldRow(r"electricity_delivered_tariff_([12])", "export", "kWh"),
        # HomeWizard
        FieldRow(r"total_power_import_t([12])_kwh", "import", "kWh"),
        FieldRow(r"total_power_export_t([12])_kwh", "export", "kWh"),
        FieldRow(r"total_power_import_kwh", "import", "kWh"),
        FieldRow(r"total_power_export_kwh", "export", "kWh"),
        FieldRow(r"electricity_currently_delivered", "power", "kW"),
        FieldRow(r"phase_currently_delivered_(l[123])", "power", "kW"),
        FieldRow(r"currently_delivered", "power", "kW", measurement=METER),
        FieldRow(r"currently_delivered_(l[123])", "power", "kW", measurement=METER),
        FieldRow(r"power_delivered", "power", "kW", tells=False),
    ),
)
