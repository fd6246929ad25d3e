"""LoRaWAN uplinks as ChirpStack v4 and The Things Stack v3 publish them."""

from __future__ import annotations

import base64
import random
import struct
import uuid
from typing import Any

from campus.clock import iso
from campus.device import Device
from campus.quantity import Quantity
from campus.site import Site
from simulators.formats.contract import Publication, as_json, first, strength
from simulators.physics.model import Values

_F_PORT = 85
_NAMES = {
    Quantity.TEMPERATURE: "temperature",
    Quantity.HUMIDITY: "humidity",
    Quantity.WATER_VOLUME: "water_m3",
    Quantity.PULSE_COUNT: "pulse",
    Quantity.CURRENT: "current",
    Quantity.LEAK_DETECTED: "leak",
    Quantity.DOOR_OPEN: "door",
    Quantity.BATTERY_LEVEL: "battery",
}


def chirpstack_v4(
    device: Device, values: Values, time_ms: int, generator: random.Random, site: Site
) -> list[Publication]:
    """An ``up`` event; a device with a *model* sends its bytes, others the codec's object."""
    body: dict[str, Any] = {
        "deduplicationId": str(uuid.UUID(int=generator.getrandbits(128), version=4)),
        "time": iso(time_ms).replace("Z", "+00:00"),
        "deviceInfo": {
            "tenantName": site.name,
            "applicationName": "campus",
            "deviceProfileName": device.model,
            "deviceName": device.name,
            "devEui": device.address,
            "tags": {},
        },
        "fPort": _F_PORT,
        "fCnt": time_ms // 60_000 % 65_536,
        "rxInfo": [{"gatewayId": "24e124fffef00001", "rssi": strength(values, generator), "snr": 7.5}],
    }
    raw = _milesight(device, values)
    if raw is not None:
        body["data"] = base64.b64encode(raw).decode()
    else:
        body["object"] = _named(values)
    return [Publication(f"application/campus/device/{device.address}/event/up", as_json(body))]


def tts_v3(
    device: Device, values: Values, time_ms: int, generator: random.Random, site: Site
) -> list[Publication]:
    """An ``up`` message, with decoded values or the bytes alone."""
    uplink: dict[str, Any] = {
        "f_port": _F_PORT,
        "f_cnt": time_ms // 60_000 % 65_536,
        "rx_metadata": [{"gateway_ids": {"gateway_id": "school"}, "rssi": strength(values, generator)}],
        "received_at": iso(time_ms),
    }
    raw = _milesight(device, values)
    if raw is not None:
        uplink["frm_payload"] = base64.b64encode(raw).decode()
    else:
        uplink["decoded_payload"] = _named(values)
    identifiers = {"device_id": f"eui-{device.address}", "dev_eui": device.address.upper()}
    body = {"end_device_ids": identifiers, "received_at": iso(time_ms), "uplink_message": uplink}
    return [Publication(f"v3/campus@{site.id}/devices/eui-{device.address}/up", as_json(body))]


def _named(values: Values) -> dict[str, float]:
    return {_NAMES[quantity]: value for (quantity, _), value in values.items() if quantity in _NAMES}


def _milesight(device: Device, values: Values) -> bytes | None:
    """Milesight's channel-type-value bytes for the models that send temperature, humidity, pulses or amperes."""
    if not device.model.upper().startswith(("EM300", "EM500", "CT10")):
        return None
    battery = first(values, Quantity.BATTERY_LEVEL)
    raw = bytes([0x01, 0x75, round(battery)]) if battery is not None else b""
    temperature, humidity = first(values, Quantity.TEMPERATURE), first(values, Quantity.HUMIDITY)
    pulses, current = first(values, Quantity.PULSE_COUNT), first(values, Quantity.CURRENT)
    if temperature is not None:
        raw += bytes([0x03, 0x67]) + struct.pack("<h", max(-32768, round(temperature * 10)))
    if humidity is not None:
        raw += bytes([0x04, 0x68, round(humidity * 2)])
    if pulses is not None:
        raw += bytes([0x05, 0xC8]) + struct.pack("<I", int(pulses))
    if current is not None:
        raw += bytes([0x04, 0x98]) + struct.pack("<H", round(current * 100))
    return raw
