"""What Tasmota's Zigbee bridge passes on: attributes of ZCL clusters under their own names, one object a device.

``{"ZbReceived": {"0x5ADF": {"Device": "0x5ADF", "Name": "…", "Temperature": 21.4}}}``; SetOption100 leaves the wrapper out,
SetOption118 puts the device into the topic. Source: tasmota.github.io, Zigbee.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from campus.device import Device
from campus.quantity import Quantity
from ingest.decoding.contract import Hints
from ingest.decoding.reading.fields import first_of_each, registered, value_of
from ingest.decoding.reading.names import Meaning
from ingest.decoding.wire.document import inner, text
from ingest.message import Report, Value

_WRAPPER = "ZbReceived"
#: what every report of a Zigbee device carries beside its attributes
_MARKS = {"LinkQuality", "Endpoint"}
_FIELDS: dict[str, Meaning] = {
    "Temperature": Meaning(Quantity.TEMPERATURE, "°C"),
    "LocalTemperature": Meaning(Quantity.TEMPERATURE, "°C"),
    "Humidity": Meaning(Quantity.HUMIDITY, "%"),
    "Pressure": Meaning(Quantity.PRESSURE, "hPa"),
    "BatteryPercentage": Meaning(Quantity.BATTERY_LEVEL, "%"),
    "BatteryVoltage": Meaning(Quantity.BATTERY_VOLTAGE, "V"),
    "Contact": Meaning(Quantity.DOOR_OPEN, "bool"),
    "Water": Meaning(Quantity.LEAK_DETECTED, "bool"),
    "ActivePower": Meaning(Quantity.ACTIVE_POWER, "W"),
    "RMSVoltage": Meaning(Quantity.VOLTAGE, "V"),
    "EnergyTotal": Meaning(Quantity.ENERGY, "kWh"),
    # on and off, not watts
    "Power": Meaning(Quantity.SWITCH, "bool"),
}


def zigbee_reports(
    body: dict[str, Any], address: str, time_ms: int | None, hints: Hints
) -> tuple[Report, ...]:
    """One report a device of the message; none for a message that is not the bridge's."""
    return tuple(
        _report(name, one, time_ms, hints.device_at(name)) for name, one in _devices(body, address) if name
    )


def _devices(body: dict[str, Any], address: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if not _MARKS.isdisjoint(body):  # the topic names the device
        yield _name(body, address), body
        return
    for key, one in (inner(body, _WRAPPER) or body).items():
        if isinstance(one, dict) and (_WRAPPER in body or (_MARKS & one.keys() and "Device" in one)):
            yield _name(one, key), one


def _name(one: dict[str, Any], otherwise: str) -> str:
    return text(one.get("Name")) or text(one.get("Device")) or otherwise


def _report(name: str, one: dict[str, Any], time_ms: int | None, device: Device | None) -> Report:
    dropped: dict[str, str] = {}
    values: list[Value] = []
    for key, raw in one.items():
        found = registered(key, device) or _FIELDS.get(key)
        value = value_of(found, key, raw, dropped) if found is not None else None
        if value is not None:
            values.append(value)
    return Report(name, time_ms, tuple(first_of_each(values)), dropped)
