"""Shelly's meters: their counters are in Wh."""

from homeiot_batch.setup_house.field_tables import FieldRow, FieldTable

PHASES = frozenset("012")
SHELLY = FieldTable(
    name="Shelly",
    # a house feeds in and takes out where it meets the grid
    both_ways="grid",
    rows=(
        # three phases and their sum
        FieldRow(r"total_act", "import", "Wh"),
        FieldRow(r"total_act_ret", "export", "Wh"),
        FieldRow(r"total_act_power", "power", "W"),
        # one phase
        FieldRow(r"total_act_energy", "import", "Wh"),
        FieldRow(r"total_act_ret_energy", "export", "Wh"),
        FieldRow(r"act_power", "power", "W", tells=False),
        # the first generation: three channels are phases, two are whatever they are put around
        FieldRow(r"emeters_([0-9])_total", "import", "Wh", parts=PHASES),
        FieldRow(r"emeters_([0-9])_total_returned", "export", "Wh", parts=PHASES),
        FieldRow(r"emeters_([0-9])_power", "power", "W", parts=PHASES),
        # a plug or a switch
        FieldRow(r"aenergy_total", "import", "Wh"),
        FieldRow(r"ret_aenergy_total", "export", "Wh"),
        FieldRow(r"apower", "power", "W", tells=False),
    ),
)
