"""ThingsBoard's MQTT telemetry, which PandaX and many gateways speak, too.

Source: thingsboard.io/docs/reference/mqtt-api and gateway-mqtt-api: ``v1/devices/me/telemetry`` with ``{key: value}``,
``{"ts": ms, "values": {…}}`` or a list of either; ``v1/gateway/telemetry`` with lists of those by device name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from ingest.decoding.contract import Hints
from ingest.decoding.formats.clouds import properties
from ingest.decoding.reading.timestamp import parse
from ingest.decoding.wire.document import document, text
from ingest.decoding.wire.topic import matches, segments
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report

_GATEWAY = "v1/gateway/telemetry"
#: the device topic's short forms, subscribed to where a school's source names them
_SHORT = {"v2/t", "v2/t/j"}
#: ThingsBoard knows its device by the connection's credentials; behind a plain broker only the payload can name it
_ME = "me"
_OWN_NAMES = ("deviceName", "device_name", "deviceId", "device_id", "sn")


class ThingsBoard:
    """Telemetry of a device, or of a gateway's devices by their names."""

    name: ClassVar[str] = "thingsboard_json"
    topics: ClassVar[tuple[str, ...]] = ("v1/devices/+/telemetry", _GATEWAY)

    def recognises(self, message: Message) -> bool:
        """By the topics of telemetry, long or short."""
        return message.topic in _SHORT or any(matches(topic, message.topic) for topic in self.topics)

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """A report a device and moment; on a device's own topic the payload names it, else it is ``me``.

        Rejected: ``not_an_object``.
        """
        body = document(message.payload)
        if not isinstance(body, dict | list):
            raise Rejected(
                "not_an_object", f"found a JSON {type(body).__name__}; expected an object or a list"
            )
        if message.topic == _GATEWAY:
            if not isinstance(body, dict):
                raise Rejected("not_an_object", "found a JSON list; expected an object of device names")
            devices = body
        else:
            parts = segments(message.topic)
            devices = {parts[2] if len(parts) == 4 and parts[0] == "v1" else _ME: body}
        reports = tuple(
            report for name, records in devices.items() for report in _reports(name, records, message, hints)
        )
        return Decoded(reports) if reports else Decoded(ignored="no telemetry")


def _reports(name: str, records: object, message: Message, hints: Hints) -> Iterator[Report]:
    for record in records if isinstance(records, list) else [records]:
        if not isinstance(record, dict):
            raise Rejected("not_an_object", f"telemetry of {name[:64]!r} holds a {type(record).__name__}")
        timed = isinstance(record.get("values"), dict)
        values: dict[str, Any] = record["values"] if timed else record
        if not values:
            continue
        address = (_own_name(values) or _ME) if name == _ME else name.strip()
        if not address:
            raise Rejected("no_device", "a device of the gateway has an empty name")
        time_ms = parse(record.get("ts"), hints.zone) if timed or "ts" in record else None
        plain = values if timed else {key: one for key, one in values.items() if key != "ts"}
        yield properties.report(plain, address, message, hints, time_ms=time_ms)


def _own_name(values: dict[str, Any]) -> str:
    return next((found for key in _OWN_NAMES if (found := text(values.get(key)))), "")
