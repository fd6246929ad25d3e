"""China Mobile OneNET: OneJSON property posts, gateways' packs, history, and the older data points.

Source: open.iot.10086.cn, OneJSON 数据格式 (``$sys/{pid}/{device}/thing/property/post``, ``thing/pack/post``,
``thing/history/post``) and 数据点 topic 簇 (``dp/post/json``: seconds under ``t``). A device is addressed as
``{pid}/{device}``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from ingest.decoding.contract import Hints
from ingest.decoding.formats.clouds import properties
from ingest.decoding.wire.document import inner, mapping, text
from ingest.decoding.wire.topic import matches, segments
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report

_POSTS = ("thing/property/post", "thing/pack/post", "thing/history/post", "dp/post/json")


class OneNet:
    """Posts of properties; replies, events, settings and services hold none."""

    name: ClassVar[str] = "onenet_onejson"
    topics: ClassVar[tuple[str, ...]] = ("$sys/+/+/thing/+/post", "$sys/+/+/dp/post/json")

    def recognises(self, message: Message) -> bool:
        """By the topic: of the thing model, or of data points."""
        return matches("$sys/+/+/thing/#", message.topic) or matches(self.topics[1], message.topic)

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """A report a device and moment of a post, a pack or a history. Rejected: ``no_params``."""
        parts = segments(message.topic)
        posted = "/".join(parts[3:]) if parts[0] == "$sys" else _POSTS[0]
        if posted not in _POSTS:
            return Decoded(ignored="no post of properties")
        body = mapping(message.payload)
        address = "/".join(parts[1:3]) if parts[0] == "$sys" else _named(body)
        params = body.get("dp" if posted == "dp/post/json" else "params")
        if not isinstance(params, dict | list):
            raise Rejected(
                "no_params", f"params is {type(params).__name__}; expected an object or a list of them"
            )
        reports = tuple(_reports(params, address, message, hints))
        return Decoded(reports) if reports else Decoded(ignored="no properties")


def _reports(
    params: dict[str, Any] | list[Any], address: str, message: Message, hints: Hints
) -> Iterator[Report]:
    """The device's own properties, or those of each sub-device of a pack."""
    for entry in params if isinstance(params, list) else [params]:
        if not isinstance(entry, dict):
            continue
        packed = isinstance(entry.get("identity"), dict) or isinstance(entry.get("properties"), dict)
        found = inner(entry, "properties") if packed else entry
        if not found:
            continue
        identity = inner(entry, "identity")
        yield properties.report(found, _named(identity) if identity else address, message, hints)


def _named(identity: dict[str, Any]) -> str:
    """``{"productID": "p", "deviceName": "d"}`` as ``p/d``."""
    device = text(identity.get("deviceName")) or text(identity.get("device_name"))
    product = text(identity.get("productID")) or text(identity.get("product_id"))
    if not device:
        raise Rejected("no_device", "identity names no deviceName")
    return f"{product}/{device}" if product else device
