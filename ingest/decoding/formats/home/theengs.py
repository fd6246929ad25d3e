"""Theengs and OpenMQTTGateway: Bluetooth sensors on ``home/GATEWAY/BTtoMQTT/MAC``, and rtl_433's on ``…/RTL_433toMQTT``.

Several gateways may hear the same sensor; it is one device, by its address. Source: github.com/theengs/decoder (the
properties and units of its devices), docs.openmqttgateway.com.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from campus.device import Device
from campus.quantity import Quantity
from ingest.decoding.contract import Hints
from ingest.decoding.formats.radio.rtl_433 import event, event_time
from ingest.decoding.reading.fields import registered, value_of
from ingest.decoding.reading.names import Meaning
from ingest.decoding.reading.number import number
from ingest.decoding.reading.sentinel import is_sentinel
from ingest.decoding.reading.timestamp import parse, plausible
from ingest.decoding.wire.document import mapping, text
from ingest.decoding.wire.topic import segments
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report, Value

_BLUETOOTH, _RADIO = "BTtoMQTT", "RTL_433toMQTT"
_OTHER = re.compile(r"[A-Za-z0-9_]+toMQTT")
_MAC = re.compile(r"[0-9A-Fa-f]{12}")
_TEMPERATURE = re.compile(r"_?temp([cf])([0-9]?)")
_FIELDS: dict[str, Meaning] = {
    "hum": Meaning(Quantity.HUMIDITY, "%"),
    "batt": Meaning(Quantity.BATTERY_LEVEL, "%"),
    "open": Meaning(Quantity.DOOR_OPEN, "bool"),
    "contact": Meaning(Quantity.DOOR_OPEN, "bool"),
    "leak": Meaning(Quantity.LEAK_DETECTED, "bool"),
    "pres": Meaning(Quantity.PRESSURE, "hPa"),
    "litres": Meaning(Quantity.WATER_VOLUME, "L", "cycle"),  # a shower's own, from 0 each time
    "rssi": Meaning(Quantity.SIGNAL_STRENGTH, "dBm"),
}
#: a meter for plugs says mains volts; every other sensor its battery's
_MAINS = ("power", "current", "energy")
_ELECTRICAL: dict[str, Meaning] = {
    "power": Meaning(Quantity.ACTIVE_POWER, "W"),
    "current": Meaning(Quantity.CURRENT, "A"),
    "energy": Meaning(Quantity.ENERGY, "kWh"),
    "volt": Meaning(Quantity.VOLTAGE, "V"),
}
_SHOWER = "litres"
#: °C; the end of the scale of what a Bluetooth sensor can say, never of what it can measure
_LOWEST_C = -100.0
_WITH_THE_CHIP = {Quantity.TEMPERATURE, Quantity.HUMIDITY, Quantity.PRESSURE}


class TheengsOmg:
    """Sensors behind a gateway; the gateway's own messages hold no readings."""

    name: ClassVar[str] = "theengs_omg"
    topics: ClassVar[tuple[str, ...]] = ("home/+/BTtoMQTT/#", "home/+/RTL_433toMQTT/#")

    def recognises(self, message: Message) -> bool:
        """By a level such as ``BTtoMQTT`` anywhere in the topic, or a gateway's own ``LWT`` and ``version``."""
        parts = segments(message.topic)
        if any(_OTHER.fullmatch(one) for one in parts):
            return True
        return len(parts) == 3 and parts[0] == "home" and parts[2] in {"LWT", "version"}

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """One report of the sensor by its address, whichever gateway heard it."""
        parts = segments(message.topic)
        if _RADIO in parts:
            body = mapping(message.payload)
            return Decoded(
                (event(body, event_time(body.get("time"), hints.zone, message.received_ms), hints),)
            )
        if _BLUETOOTH not in parts:
            return Decoded(ignored=f"{parts[-1][:64]} is the gateway's own")
        body = mapping(message.payload)
        after = parts[parts.index(_BLUETOOTH) + 1 :]
        address = _address(text(body.get("id")) or text(body.get("mac")) or (after[0] if after else ""))
        if not address:
            raise Rejected("no_device", f"neither topic {message.topic!r} nor message names a sensor")
        dropped: dict[str, str] = {}
        values = _values(body, hints.device_at(address), dropped)
        time_ms = plausible(parse(body.get("UTCtime") or body.get("time"), hints.zone), message.received_ms)
        flags = {"alarm": "true"} if body.get("alarm") is True else {}
        return Decoded((Report(address, time_ms, tuple(values), dropped, flags),))


def _address(raw: str) -> str:
    """A MAC with colons and in capitals, however it was written; other names as they are."""
    bare = raw.replace(":", "")
    return ":".join(re.findall("..", bare.upper())) if _MAC.fullmatch(bare) else raw


def _values(body: dict[str, Any], device: Device | None, dropped: dict[str, str]) -> list[Value]:
    values: list[Value] = []
    invalid = False
    for key, raw in body.items():
        found = registered(key, device) or _meaning(key, body)
        if found is None or isinstance(raw, dict | list):
            continue
        invalid = invalid or _is_invalid(found, raw)
        value = value_of(found, key, raw, dropped)
        if value is not None and not (value.quantity == Quantity.BATTERY_VOLTAGE and value.value == 0):
            values.append(value)
    if not invalid:
        return values
    for value in values:
        if value.quantity in _WITH_THE_CHIP:
            dropped[value.field] = "the sensor's temperature says it does not measure"
    return [value for value in values if value.quantity not in _WITH_THE_CHIP]


def _is_invalid(found: Meaning, raw: object) -> bool:
    parsed = number(raw)
    if found.quantity != Quantity.TEMPERATURE or parsed is None:
        return False
    celsius = parsed[0] if found.unit == "°C" else (parsed[0] - 32) / 1.8
    return celsius < _LOWEST_C or is_sentinel(found.quantity, parsed[0])


def _meaning(key: str, body: dict[str, Any]) -> Meaning | None:
    match = _TEMPERATURE.fullmatch(key)
    if match is not None:
        if match[1] == "f" and f"tempc{match[2]}" in body:
            return None  # the same reading again
        return Meaning(Quantity.TEMPERATURE, "°C" if match[1] == "c" else "°F", match[2])
    if key in _ELECTRICAL and _SHOWER not in body:
        if key == "volt" and not any(one in body for one in _MAINS):
            return Meaning(Quantity.BATTERY_VOLTAGE, "V")
        return _ELECTRICAL[key]
    return _FIELDS.get(key)
