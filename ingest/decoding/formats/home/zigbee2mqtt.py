"""Zigbee2MQTT: the merged state of a device, flat, its topic the friendly name (spaces, slashes, any letters)."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from campus.device import Device
from campus.quantity import Quantity
from ingest.decoding.contract import Hints
from ingest.decoding.reading.fields import first_of_each, registered, value_of, without_full_scale
from ingest.decoding.reading.names import Meaning, meaning
from ingest.decoding.reading.number import number
from ingest.decoding.reading.timestamp import parse, plausible
from ingest.decoding.wire.document import document
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report, Value

_PREFIX = "zigbee2mqtt/"
#: topics of the bridge itself, under whatever base topic
_BRIDGE = re.compile(
    r"(?:.*/)?bridge/(?:state|info|devices|groups|event|extensions|definitions|converters|logging|log|config|health"
    r"|request|response|networkmap|ota_update)(?:/.*)?"
)
_NOT_A_STATE = re.compile(r".*/(?:availability|set|get|action)(?:/.*)?")
#: fields whose Zigbee meaning differs from the general one, or is no measurement there
_OWN: dict[str, Meaning | None] = {
    # litres of the running irrigation cycle; it starts again at 0 with each, so it is no register
    "water_consumed": Meaning(Quantity.WATER_VOLUME, "L", "cycle"),
    "pressure": Meaning(Quantity.PRESSURE, "hPa"),
    "state": None,
    "valve": None,
    "linkquality": None,
    "external_temperature_input": None,
    # of a siren's loudspeaker
    "volume": None,
}
_STATE = re.compile(r"state(?:_(l\d{1,2}|left|right|center|top|bottom|\d{1,2}))?")
_ON_OFF = {"ON": 1.0, "OFF": 0.0}
#: a device is mains powered when it says any of these
_MAINS = {"power", "current", "energy", "power_factor", "ac_frequency"}
_BATTERY = {"battery", "battery_low", "battery_state"}
#: battery volts; beyond it the figure is in mV
_HIGHEST_BATTERY_V = 60.0
_BATTERY_MV = (1000, 5000)
#: hPa of the air; some devices report kPa
_AIR_KPA = (60.0, 115.0)
_PHASED = ("voltage", "current", "power", "power_factor")


class Zigbee2Mqtt:
    """States; availability and the bridge's own topics hold no readings."""

    name: ClassVar[str] = "zigbee2mqtt"
    topics: ClassVar[tuple[str, ...]] = ("zigbee2mqtt/#",)

    def recognises(self, message: Message) -> bool:
        """By the usual base topic; another one is named as a source in site.yaml."""
        return message.topic.startswith(_PREFIX)

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """One report under the friendly name, of a whole state or of a single attribute's topic."""
        friendly = message.topic.removeprefix(_PREFIX)
        if _BRIDGE.fullmatch(friendly) or _NOT_A_STATE.fullmatch(friendly):
            return Decoded(ignored="not a device's state")
        body = document(message.payload)
        if not isinstance(body, dict):
            friendly, body = _attribute(friendly, body)
        if not friendly:
            raise Rejected("no_device", f"topic {message.topic!r} names no device")
        dropped: dict[str, str] = {}
        time_ms = plausible(parse(body.get("last_seen"), hints.zone), message.received_ms)
        values = _values(body, dropped, hints.device_at(friendly))
        return Decoded((Report(friendly, time_ms, tuple(values), dropped),))


def _attribute(friendly: str, body: object) -> tuple[str, dict[str, Any]]:
    """A state published attribute by attribute: ``NAME/temperature`` with a bare value."""
    name, slash, attribute = friendly.rpartition("/")
    if not slash or isinstance(body, list):
        raise Rejected("not_an_object", f"found a JSON {type(body).__name__}; expected an object")
    return name, {attribute: body}


def _values(body: dict[str, Any], dropped: dict[str, str], device: Device | None) -> list[Value]:
    values: list[Value] = []
    for key, raw in body.items():
        found = registered(key, device) or _meaning(key, raw, body)
        value = value_of(found, key, raw, dropped) if found is not None else None
        if value is not None:
            values.append(value)
    return first_of_each(without_full_scale([*values, *_states(body)], dropped))


def _meaning(key: str, raw: object, body: dict[str, Any]) -> Meaning | None:
    if isinstance(raw, dict | list) or key == "contact" or _STATE.fullmatch(key):
        return None
    if key in _OWN:
        own = _OWN[key]
        return _air(raw) if key == "pressure" else own
    if key in _PHASED:
        return _electrical(key, raw, body)
    if "firmware" in key or "phase_sequence" in key:
        return None
    return meaning(key)


def _electrical(key: str, raw: object, body: dict[str, Any]) -> Meaning | None:
    """``voltage`` is a battery's or the mains'; beside other phases a bare name is phase A, or the total."""
    if key == "voltage":
        battery = _battery(raw, body)
        if battery is not None:
            return battery if _amount(raw) else None  # 0: not reported yet
    found = meaning(key)
    suffix = next((one for one in ("_phase_", "_") if f"{key}{one}b" in body or f"{key}{one}c" in body), None)
    if found is None or suffix is None:
        # a meter that gives the phases of its amperes gives one power: all of it
        return found
    own_a = f"{key}{suffix}a" in body
    return found._replace(channel="total" if own_a else "a")


def _battery(raw: object, body: dict[str, Any]) -> Meaning | None:
    amount = _amount(raw)
    if not _BATTERY.isdisjoint(body) and _MAINS.isdisjoint(body):
        return Meaning(Quantity.BATTERY_VOLTAGE, "mV" if amount > _HIGHEST_BATTERY_V else "V")
    return Meaning(Quantity.BATTERY_VOLTAGE, "mV") if _BATTERY_MV[0] < amount < _BATTERY_MV[1] else None


def _air(raw: object) -> Meaning:
    return Meaning(Quantity.PRESSURE, "kPa" if _AIR_KPA[0] < _amount(raw) < _AIR_KPA[1] else "hPa")


def _amount(raw: object) -> float:
    parsed = number(raw)
    return parsed[0] if parsed is not None else 0.0


def _states(body: dict[str, Any]) -> list[Value]:
    """Contact (true is *closed* there) and the relays of a plug or valve."""
    values = []
    if isinstance(body.get("contact"), bool):
        values.append(Value(Quantity.DOOR_OPEN, float(not body["contact"]), "bool", field="contact"))
    for key, raw in body.items():
        match = _STATE.fullmatch(key)
        switched = _ON_OFF.get(raw.upper()) if match is not None and isinstance(raw, str) else None
        if match is not None and switched is not None:
            values.append(Value(Quantity.SWITCH, switched, "bool", match[1] or "", key))
    return values
