"""Zigbee2MQTT: the merged state of a device, flat, its topic the friendly name (spaces, slashes, any letters)."""

from __future__ import annotations

from typing import Any, ClassVar

from campus.device import Device
from campus.quantity import Quantity
from ingest.decoding.contract import Hints
from ingest.decoding.document import mapping
from ingest.decoding.fields import first_of_each, named_values, registered, value_of
from ingest.decoding.names import Meaning
from ingest.decoding.number import number, truth
from ingest.decoding.timestamp import parse, plausible
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report, Value

_PREFIX = "zigbee2mqtt/"
#: fields whose Zigbee meaning differs from the general one
_OWN: dict[str, Meaning] = {
    "local_temperature": Meaning(Quantity.TEMPERATURE, "°C"),
    "device_temperature": Meaning(Quantity.TEMPERATURE, "°C", "device"),
    "soil_temperature": Meaning(Quantity.TEMPERATURE, "°C", "soil"),
    # litres of the running irrigation cycle; it starts again at 0 with each, so it is no register
    "water_consumed": Meaning(Quantity.WATER_VOLUME, "L", "cycle"),
    "water_leak": Meaning(Quantity.LEAK_DETECTED, "bool"),
    "produced_energy": Meaning(Quantity.ENERGY, "kWh", "produced"),
}
_MERGED_PHASES = {"voltage", "current", "power"}
_BATTERY_MV = (1000, 5000)


class Zigbee2Mqtt:
    """States; availability and the bridge's own topics hold no readings."""

    name: ClassVar[str] = "zigbee2mqtt"
    topics: ClassVar[tuple[str, ...]] = ("zigbee2mqtt/#",)

    def recognises(self, message: Message) -> bool:
        return message.topic.startswith(_PREFIX)

    def decode(self, message: Message, hints: Hints) -> Decoded:
        friendly = message.topic.removeprefix(_PREFIX)
        if friendly.startswith("bridge/") or friendly.endswith(("/availability", "/set", "/get")):
            return Decoded(ignored="not a device's state")
        if not friendly:
            raise Rejected("no_device", f"topic {message.topic!r} names no device")
        body = mapping(message.payload)
        dropped: dict[str, str] = {}
        time_ms = plausible(parse(body.get("last_seen"), hints.zone), message.received_ms)
        values = _values(body, dropped, hints.device_at(friendly))
        return Decoded((Report(friendly, time_ms, tuple(values), dropped),))


def _values(body: dict[str, Any], dropped: dict[str, str], device: Device | None) -> list[Value]:
    phased = any(key.endswith(("_phase_b", "_phase_c")) for key in body)
    values: list[Value] = []
    for key, raw in body.items():
        found = registered(key, device) or _OWN.get(key) or _special(key, raw, body, phased=phased)
        if found is not None:
            value = value_of(found, key, raw, dropped)
            if value is not None:
                values.append(value)
    values += _states(body)
    rest = {key: raw for key, raw in body.items() if key not in _OWN and not _is_special(key, phased=phased)}
    flat = {key: raw for key, raw in rest.items() if not isinstance(raw, dict) and key != "linkquality"}
    return first_of_each(values + named_values(flat, dropped, device=device))


def _states(body: dict[str, Any]) -> list[Value]:
    """Contact (true is *closed* there) and the relay of a plug or valve."""
    values = []
    if isinstance(body.get("contact"), bool):
        values.append(Value(Quantity.DOOR_OPEN, float(not body["contact"]), "bool", field="contact"))
    switched = truth(body.get("state"))
    if switched is not None:
        values.append(Value(Quantity.SWITCH, switched, "bool", field="state"))
    return values


def _is_special(key: str, *, phased: bool) -> bool:
    return key in {"voltage", "contact", "state"} or (phased and key in _MERGED_PHASES)


def _special(key: str, raw: object, body: dict[str, Any], *, phased: bool) -> Meaning | None:
    """Fields whose meaning depends on the rest of the message."""
    if key == "voltage":
        parsed = number(raw)
        if parsed is not None and _BATTERY_MV[0] < parsed[0] < _BATTERY_MV[1]:
            return Meaning(Quantity.BATTERY_VOLTAGE, "mV")
        return Meaning(Quantity.VOLTAGE, "V", "a" if phased else "")
    if key == "current" and phased:
        return Meaning(Quantity.CURRENT, "A", "a")
    if key == "power" and phased:
        # without a phase A of its own the bare power is the whole meter's
        return Meaning(Quantity.ACTIVE_POWER, "W", "a" if "power_phase_b" in body else "")
    return None
