"""The schemas that `homeiot init` recognises, a module each. The first that claims one has it."""

from homeiot_batch.setup_house.candidates import Schema
from homeiot_batch.setup_house.schemas.dsmr import DSMR
from homeiot_batch.setup_house.schemas.evcc import Evcc
from homeiot_batch.setup_house.schemas.home_assistant import HomeAssistant
from homeiot_batch.setup_house.schemas.shelly import SHELLY
from homeiot_batch.setup_house.schemas.shipped import Shipped
from homeiot_batch.setup_house.schemas.tasmota import TASMOTA
from homeiot_batch.setup_house.schemas.telegraf import TELEGRAF, ZIGBEE2MQTT

SCHEMAS: tuple[Schema, ...] = (
    Shipped(),
    HomeAssistant(),
    Evcc(),
    DSMR,
    TASMOTA,
    SHELLY,
    TELEGRAF,
    ZIGBEE2MQTT,
)
