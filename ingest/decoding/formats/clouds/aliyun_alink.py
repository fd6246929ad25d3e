"""Aliyun Alink: property posts whose identifiers the school's product model chose; the device is in the topic.

Source: help.aliyun.com, 设备属性、事件、服务 (89301): single posts, gateways' ``pack`` and ``history``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from ingest.decoding.contract import Hints
from ingest.decoding.formats.clouds import properties
from ingest.decoding.wire.document import inner, mapping, text
from ingest.decoding.wire.topic import segments
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report


class AliyunAlink:
    """``property/post``, its ``history`` form, and gateways' ``pack`` with sub-devices."""

    name: ClassVar[str] = "aliyun_alink"
    topics: ClassVar[tuple[str, ...]] = ("/sys/+/+/thing/event/#",)

    def recognises(self, message: Message) -> bool:
        """By Alink's event topics, or by the method in the body where data forwarding chose the topic."""
        return "/thing/event/" in message.topic or b'"thing.event.property' in message.payload[:65_536]

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """A report a device and moment; units come from the register, as identifiers are the product's own.

        Rejected: ``no_params``.
        """
        if message.topic.endswith("_reply") or (
            "/thing/" in message.topic and "/thing/event/property/" not in message.topic
        ):
            return Decoded(ignored="not a property post")
        body = mapping(message.payload)
        params = body.get("params")
        address = _address(message.topic, body)
        if not isinstance(params, dict | list):
            raise Rejected("no_params", f"params is {type(params).__name__}; expected an object or a list")
        reports = [
            report
            for entry in (params if isinstance(params, list) else [params])
            for report in _reports(entry, address, message, hints)
        ]
        return Decoded(tuple(reports)) if reports else Decoded(ignored="no properties")


def _address(topic: str, body: dict[str, Any]) -> str:
    parts = segments(topic)
    if len(parts) > 3 and parts[0] == "sys":
        return f"{parts[1]}/{parts[2]}"
    found = text(body.get("deviceName")) or (
        parts[-1].removesuffix("-post") if parts[-1].endswith("-post") else ""
    )
    if not found:
        raise Rejected("no_device", f"topic {topic!r} names no device")
    return found


def _reports(entry: object, address: str, message: Message, hints: Hints) -> Iterator[Report]:
    """The gateway's or device's own properties, then those of sub-devices."""
    if not isinstance(entry, dict):
        return
    own = inner(entry, "identity")
    if own:
        name = text(own.get("deviceName"))
        if not name:
            raise Rejected("no_device", "identity names no deviceName")
        product = text(own.get("productKey"))
        address = f"{product}/{name}" if product else name
    packed = isinstance(entry.get("properties"), dict | list) or isinstance(entry.get("subDevices"), list)
    own_properties = entry.get("properties") if packed else entry
    for one in own_properties if isinstance(own_properties, list) else [own_properties]:
        if isinstance(one, dict) and one:
            yield properties.report(one, address, message, hints)
    subs = entry.get("subDevices") if packed else None
    for sub in subs if isinstance(subs, list) else []:
        yield from _reports(sub, address, message, hints)
