"""Tasmota: ``tele/NAME/SENSOR`` and ``stat/NAME/STATUS8|10``, in any order of the full topic; times are local.

Source: tasmota.github.io, MQTT (FullTopic), Commands (SetOption52 adds the zone to times, SetOption4, Status).
"""

from __future__ import annotations

import functools
from typing import Any, ClassVar, NamedTuple

from ingest.decoding.contract import Hints
from ingest.decoding.formats.tasmota.sensors import Sensors
from ingest.decoding.formats.tasmota.zigbee import zigbee_reports
from ingest.decoding.reading.timestamp import parse, plausible
from ingest.decoding.wire.document import inner, mapping, text
from ingest.decoding.wire.topic import segments
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report

_READINGS = {"SENSOR", "STATUS8", "STATUS10", "STATUS0", "ENERGY"}
#: the bridge answers commands with what devices said; the result of any other command holds no readings
_RESULT, _OF_BRIDGE = "RESULT", b'"ZbReceived"'
#: a device's report behind the Zigbee bridge holds one of these or the above, and no sensor of the board's own does
_LINK, _ENDPOINT = b'"LinkQuality"', b'"Endpoint"'
#: the meter is the board itself
_METER = "ENERGY"
_OLD_STATUS = "StatusPWR"
_PREFIXES = {"tele", "stat"}


class Tasmota:
    """Sensor messages; states, results and last wills hold no readings."""

    name: ClassVar[str] = "tasmota"
    topics: ClassVar[tuple[str, ...]] = (
        "tele/+/+",
        "stat/+/+",
        "+/tele/SENSOR",
        "+/stat/STATUS8",
        "+/stat/STATUS10",
    )

    def recognises(self, message: Message) -> bool:
        """By ``tele`` or ``stat`` in the topic, or by a last level that holds readings, with a document in the payload."""
        topic = _topic(message.topic)
        return topic.prefixed or (topic.readings and topic.several and b'"' in message.payload)

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """A report of the device, one more each for devices behind its Zigbee bridge and for sensors registered by themselves."""
        topic, payload = _topic(message.topic), message.payload
        if not topic.readings and not (topic.last == _RESULT and _OF_BRIDGE in payload):
            return Decoded(ignored=f"{topic.last[:64]} holds no readings")
        address = topic.address
        if not address:
            raise Rejected("no_device", f"topic {message.topic!r} names no device")
        body = mapping(payload)
        if "StatusSNS" in body:
            body = inner(body, "StatusSNS") or body
        if topic.last == _METER or _OLD_STATUS in body:
            # before version 6 the meter had a topic and a status of its own
            body = {"Time": body.get("Time"), _METER: inner(body, _OLD_STATUS) or body}
        time_ms = _time_ms(body, message.received_ms, hints)
        if _LINK in payload or _ENDPOINT in payload or _OF_BRIDGE in payload:
            zigbee = zigbee_reports(body, address, time_ms, hints)
            if zigbee:
                return Decoded(zigbee)
        own, rest = _apart(body, address, hints)
        report = _report(address, rest, time_ms, hints)
        return Decoded((report, *(_report(*one, time_ms, hints) for one in own)) if own else (report,))


class _Topic(NamedTuple):
    """What a topic says: its *last* level of *several*, whether that is one of readings, and whose they are."""

    last: str
    several: bool
    readings: bool
    #: it holds ``tele`` or ``stat`` where Tasmota puts it
    prefixed: bool
    address: str


@functools.lru_cache(maxsize=50_000)
def _topic(topic: str) -> _Topic:
    parts = segments(topic)
    prefixed = len(parts) >= 3 and (parts[0] in _PREFIXES or parts[-2] in _PREFIXES)
    return _Topic(parts[-1], len(parts) > 1, parts[-1] in _READINGS, prefixed, _address(parts[:-1]))


def _time_ms(body: dict[str, Any], received_ms: int, hints: Hints) -> int | None:
    for key in ("Epoch", "Time"):
        if key in body:
            time_ms = plausible(parse(body[key], hints.zone), received_ms)
            if time_ms is not None:
                return time_ms
    return None


def _report(address: str, body: dict[str, Any], time_ms: int | None, hints: Hints) -> Report:
    sensors = Sensors(body, hints.device_at(address))
    return Report(address, time_ms, tuple(sensors.values), sensors.dropped)


def _apart(
    body: dict[str, Any], address: str, hints: Hints
) -> tuple[list[tuple[str, dict[str, Any]]], dict[str, Any]]:
    """The probes that are devices of their own in the register, as ``NAME/<chip's id>`` or ``NAME/DS18B20-1``; the rest."""
    own: list[tuple[str, dict[str, Any]]] = []
    rest = body
    for name, one in body.items():
        if not isinstance(one, dict) or name == _METER:
            continue
        addresses = (f"{address}/{key}" for key in (text(one.get("Id")), name) if key)
        known = next((found for found in addresses if hints.device_at(found) is not None), "")
        if known:
            units = {key: body[key] for key in ("TempUnit", "PressureUnit") if key in body}
            own.append((known, units | {"": one}))
            rest = {key: other for key, other in rest.items() if key != name}
    return own, rest


def _address(parts: list[str]) -> str:
    """The topic without its ``tele`` or ``stat``, wherever the full topic was set to hold it."""
    at = next((number for number, part in enumerate(parts) if part in _PREFIXES), None)
    return "/".join(parts if at is None else parts[:at] + parts[at + 1 :])
