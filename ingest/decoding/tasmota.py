"""Tasmota: ``tele/NAME/SENSOR`` and ``stat/NAME/STATUS8|10``; times are local without zone."""

from __future__ import annotations

from typing import Any, ClassVar

from ingest.decoding.contract import Hints
from ingest.decoding.document import inner, mapping, text
from ingest.decoding.tasmota_sensors import Sensors
from ingest.decoding.timestamp import parse, plausible
from ingest.decoding.topic import segments
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report

_READINGS = {"SENSOR", "STATUS8", "STATUS10", "STATUS0"}
_PREFIXES = {"tele", "stat"}
#: what the Zigbee bridge wraps its devices' readings in
_ZIGBEE = "ZbReceived"


class Tasmota:
    """Sensor messages; states, results and last wills hold no readings."""

    name: ClassVar[str] = "tasmota"
    topics: ClassVar[tuple[str, ...]] = ("tele/+/+", "stat/+/+")

    def recognises(self, message: Message) -> bool:
        parts = segments(message.topic)
        if len(parts) >= 3 and parts[0] in _PREFIXES:
            return True
        return len(parts) > 1 and parts[-1] in _READINGS and b'"' in message.payload

    def decode(self, message: Message, hints: Hints) -> Decoded:
        parts = segments(message.topic)
        if parts[-1] not in _READINGS:
            return Decoded(ignored=f"{parts[-1]} holds no readings")
        address = _address(parts[:-1])
        if not address:
            raise Rejected("no_device", f"topic {message.topic!r} names no device")
        body = mapping(message.payload)
        body = inner(body, "StatusSNS") or body
        time_ms = plausible(parse(body.get("Epoch"), hints.zone), message.received_ms)
        if time_ms is None:
            time_ms = plausible(parse(body.get("Time"), hints.zone), message.received_ms)
        zigbee = _zigbee(inner(body, _ZIGBEE), time_ms, hints)
        if zigbee:
            return Decoded(tuple(zigbee))
        sensors = Sensors(body, hints.device_at(address))
        return Decoded((Report(address, time_ms, tuple(sensors.values), sensors.dropped),))


def _address(parts: list[str]) -> str:
    """The topic without its ``tele`` or ``stat``, wherever the full topic was set to hold it."""
    at = next((number for number, part in enumerate(parts) if part in _PREFIXES), None)
    return "/".join(parts if at is None else parts[:at] + parts[at + 1 :])


def _zigbee(devices: dict[str, Any], time_ms: int | None, hints: Hints) -> list[Report]:
    """One report a device behind the Zigbee bridge, by its name or else its address."""
    reports = []
    for address, one in devices.items():
        if isinstance(one, dict):
            name = text(one.get("Name")) or text(one.get("Device")) or address
            sensors = Sensors({"": one}, hints.device_at(name))
            reports.append(Report(name, time_ms, tuple(sensors.values), sensors.dropped))
    return reports
