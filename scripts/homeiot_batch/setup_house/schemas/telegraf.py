"""What Telegraf writes of other devices: the name of a field ends in its unit, or the topic tells.

Modbus and others have fields that are just called `energy`. Their unit is not known, so they are
left to the user.
"""

from homeiot_batch.setup_house.field_tables import FieldRow, FieldTable

TELEGRAF = FieldTable(
    name="Telegraf",
    rows=(
        FieldRow(r"(?:total_)?(?:energy_)?(?:import|consumed|bought)_kwh", "import", "kWh"),
        FieldRow(r"(?:total_)?(?:energy_)?(?:export|returned|sold)_kwh", "export", "kWh"),
        FieldRow(r"(?:total_)?(?:energy_)?(?:import|consumed|bought)_wh", "import", "Wh"),
        FieldRow(r"(?:total_)?(?:energy_)?(?:export|returned|sold)_wh", "export", "Wh"),
        FieldRow(r"(?:total_)?energy(?:_total)?_kwh", "import", "kWh"),
        FieldRow(r"(?:total_)?energy(?:_total)?_wh", "import", "Wh"),
        FieldRow(r"(?:active_|total_|instant_)?power_w", "power", "W", tells=False),
        FieldRow(r"(?:active_|total_|instant_)?power_kw", "power", "kW", tells=False),
    ),
)
ZIGBEE2MQTT = FieldTable(
    name="Zigbee2MQTT",
    topic=r"zigbee2mqtt/.*",
    rows=(
        FieldRow(r"energy", "import", "kWh"),
        FieldRow(r"produced_energy", "export", "kWh"),
        FieldRow(r"power", "power", "W", tells=False),
    ),
)
