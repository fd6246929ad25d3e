"""Tencent IoT Explorer: property reports of the thing model; the device is in the topic, as ``{product}/{name}``.

Source: cloud.tencent.com/document/product/1081/34916 (物模型协议): ``{"method": "report", "timestamp": 1212121221,
"params": {"power_switch": 1}}``, seconds by the document, milliseconds from many devices. Platforms of the same protocol
(doc.unitedrhino.com/pages/b4c708) add packed reports with sub-devices.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from ingest.decoding.contract import Hints
from ingest.decoding.formats.clouds import properties
from ingest.decoding.reading.timestamp import parse
from ingest.decoding.wire.document import inner, mapping, text
from ingest.decoding.wire.topic import matches, segments
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report

_PACKED = {"packreport", "pack_report"}


class TencentIot:
    """``method: report`` only: the same topic carries questions for settings and the device's own description."""

    name: ClassVar[str] = "tencent_iot"
    topics: ClassVar[tuple[str, ...]] = ("$thing/up/property/+/+",)

    def recognises(self, message: Message) -> bool:
        """By the topic of properties that go up."""
        return matches(self.topics[0], message.topic)

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """Reports of the device in the topic, and of sub-devices in a pack; other methods are ignored."""
        body = mapping(message.payload)
        method = text(body.get("method"))
        if method.lower() != "report" and method.lower() not in _PACKED:
            return Decoded(ignored=f"method {method[:32]}")
        parts = segments(message.topic)
        if not matches(self.topics[0], message.topic):
            raise Rejected("no_device", f"topic {message.topic!r} names no device")
        reports = tuple(_reports(body, "/".join(parts[3:5]), message, hints))
        return Decoded(reports) if reports else Decoded(ignored="no params")


def _reports(entry: dict[str, Any], address: str, message: Message, hints: Hints) -> Iterator[Report]:
    """The device's params, those of a packed report's moments, and its sub-devices'."""
    if inner(entry, "params"):
        time_ms = parse(entry.get("timestamp"), hints.zone)
        yield properties.report(inner(entry, "params"), address, message, hints, time_ms=time_ms)
    for one in _objects(entry.get("properties")):
        time_ms = parse(one.get("timestamp"), hints.zone)
        yield properties.report(inner(one, "params"), address, message, hints, time_ms=time_ms)
    for sub in _objects(entry.get("subDevices")):
        device = text(sub.get("deviceName"))
        if not device:
            raise Rejected("no_device", "an entry of subDevices has no deviceName")
        product = text(sub.get("productID"))
        # of sub-devices no further ones are known, so a chain of them is no way into the depth
        plain = {key: one for key, one in sub.items() if key != "subDevices"}
        yield from _reports(plain, f"{product}/{device}" if product else device, message, hints)


def _objects(found: object) -> list[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
