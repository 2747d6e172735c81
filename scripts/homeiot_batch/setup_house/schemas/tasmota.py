"""Tasmota's ENERGY, as Telegraf's json parser lays it out."""

from homeiot_batch.setup_house.field_tables import FieldRow, FieldTable

TASMOTA = FieldTable(
    name="Tasmota",
    rows=(
        FieldRow(r"(?:StatusSNS_)?ENERGY_Total", "import", "kWh"),
        FieldRow(r"(?:StatusSNS_)?ENERGY_ExportActive", "export", "kWh"),
        FieldRow(r"(?:StatusSNS_)?ENERGY_Power", "power", "W"),
    ),
)
