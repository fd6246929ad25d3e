"""All encoders by the name of the decoder that reads them."""

from __future__ import annotations

from simulators.formats.contract import Encoder
from simulators.formats.home import shelly_gen2, tasmota, zigbee2mqtt
from simulators.formats.lorawan import chirpstack_v4, tts_v3
from simulators.formats.meters import aliyun_alink, generic, wmbusmeters


def encoders() -> dict[str, Encoder]:
    """Every format a simulated device can speak."""
    return {
        "aliyun_alink": aliyun_alink,
        "chirpstack_v4": chirpstack_v4,
        "generic": generic,
        "shelly_gen2": shelly_gen2,
        "tasmota": tasmota,
        "tts_v3": tts_v3,
        "wmbusmeters": wmbusmeters,
        "zigbee2mqtt": zigbee2mqtt,
    }
