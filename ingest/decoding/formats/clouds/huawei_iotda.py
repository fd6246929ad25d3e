"""Huawei Cloud IoTDA: property reports of a device, and of a gateway for its sub-devices (up to 100 in a message).

Source: support.huaweicloud.com, 设备属性上报 (iot_06_v5_3010), 网关批量属性上报 (3006), 查询设备属性的响应 (3012), and
the ``device.property`` notice that data forwarding sends on. ``event_time`` is UTC, ``20151212T121212Z`` or
``2015-12-12T12:12:12.333Z``; without it, or where it is written wrongly, the time of receipt counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from ingest.decoding.contract import Hints
from ingest.decoding.formats.clouds import properties
from ingest.decoding.reading.timestamp import parse
from ingest.decoding.wire.document import inner, mapping, text
from ingest.decoding.wire.topic import segments
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report

_REPORTS = (
    "/sys/properties/report",
    "/sys/properties/get/response",
    "/sys/gateway/sub_devices/properties/report",
)


class HuaweiIotDA:
    """Services of properties; other messages of the topic tree hold none."""

    name: ClassVar[str] = "huawei_iotda"
    topics: ClassVar[tuple[str, ...]] = (
        "$oc/devices/+/sys/properties/report",
        "$oc/devices/+/sys/gateway/sub_devices/properties/report",
    )

    def recognises(self, message: Message) -> bool:
        """By the platform's topic tree, or by ``notify_data`` of data that was forwarded."""
        return message.topic.startswith("$oc/devices/") or b'"notify_data"' in message.payload[:4096]

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """Reports of properties under the topic's device, or the notice's; anything else below the topic tree is ignored."""
        parts = segments(message.topic)
        own = len(parts) > 2 and parts[:2] == ["$oc", "devices"]
        # a request's number may follow as ?request_id= or /request_id=
        if own and not "/".join(["", *parts[3:]]).split("?")[0].split("/request_id")[0].endswith(_REPORTS):
            return Decoded(ignored="no report of properties")
        body = mapping(message.payload)
        address = parts[2] if own else ""
        notice = inner(body, "notify_data")
        if notice:
            address = text(inner(notice, "header").get("device_id"))
            body = inner(notice, "body")
        reports = tuple(_reports(body, address, message, hints))
        return Decoded(reports) if reports else Decoded(ignored="no properties")


def _reports(body: dict[str, Any], address: str, message: Message, hints: Hints) -> Iterator[Report]:
    """The services of the device itself, or of each sub-device that a gateway names."""
    devices = body.get("devices")
    entries = devices if isinstance(devices, list) else [{**body, "device_id": address}]
    for entry in entries:
        services = entry.get("services") if isinstance(entry, dict) else None
        if not isinstance(services, list):
            continue
        name = text(entry.get("device_id"))
        if not name:
            raise Rejected("no_device", "an entry of devices has no device_id")
        for service in services:
            found = inner(service, "properties")
            if found:
                written = service.get("event_time") or service.get("eventTime")
                yield properties.report(found, name, message, hints, time_ms=parse(written, hints.zone))
