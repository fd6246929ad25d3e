"""Actility ThingPark: ``DevEUI_uplink``, wrapped in that name or without it.

Source: docs.thingpark.com, LRC-AS tunnel interface and ThingPark X IoT Flow: ``Time`` ISO with offset, ``FPort`` number or
text, ``payload_hex`` hex, and where a driver decoded it ``payload`` (its output) and ``points`` (values with units, by
name). Reports of downlinks, locations, joins and notices share the address and hold no readings.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from ingest.decoding.contract import Hints
from ingest.decoding.formats.lorawan_servers import flat, network
from ingest.decoding.reading.timestamp import parse
from ingest.decoding.wire.document import inner, mapping, text
from ingest.decoding.wire.topic import matches
from ingest.errors import Rejected
from ingest.message import Decoded, Message

_UPLINK = "DevEUI_uplink"


class ThingPark:
    """Uplinks of a device."""

    name: ClassVar[str] = "thingpark"
    topics: ClassVar[tuple[str, ...]] = ("mqtt/things/+/uplink",)

    def recognises(self, message: Message) -> bool:
        """By the usual topic, the wrapper ``DevEUI_…``, or the names of an uplink's fields."""
        payload = message.payload[:65_536]
        return (
            matches(self.topics[0], message.topic)
            or b'"DevEUI_' in payload
            or (b'"DevEUI"' in payload and b'"payload_hex"' in payload)
        )

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """One report by ``DevEUI`` at the server's ``Time``; other wrappers than the uplink's are ignored."""
        body = mapping(message.payload)
        other = next((key for key in body if key.startswith("DevEUI_") and key != _UPLINK), "")
        if other:
            return Decoded(ignored=other)
        uplink = inner(body, _UPLINK) or body
        address = flat.eui(text(uplink.get("DevEUI")))
        if not address:
            raise Rejected("no_device", "DevEUI is missing")
        found = network.report(
            message,
            address=address,
            time_ms=parse(uplink.get("Time"), hints.zone),
            decoded=_decoded(uplink),
            encoded=text(uplink.get("payload_hex")),
            f_port=network.port(uplink.get("FPort")),
            names=list(_names(uplink)),
            device=hints.device_at(address),
            zone=hints.zone,
            to_bytes=network.from_hex,
        )
        return Decoded((found,))


def _decoded(uplink: dict[str, Any]) -> dict[str, Any]:
    """The driver's output; its points where there is no other."""
    return inner(uplink, "payload") or {name: _newest(one) for name, one in inner(uplink, "points").items()}


def _newest(point: object) -> object:
    """``{"unitId": "Cel", "records": [{"eventTime": …, "value": 21.5}]}`` as a value with its unit."""
    records = inner(point).get("records")
    value = (
        inner(records[-1]).get("value")
        if isinstance(records, list) and records
        else inner(point).get("value")
    )
    return {"value": value, "unit": text(inner(point).get("unitId"))}


def _names(uplink: dict[str, Any]) -> Iterator[str]:
    """What may tell the model: the driver's, the device's, the customer's."""
    driver = inner(uplink, "DriverCfg", "mod")
    yield text(driver.get("mId"))
    for key in ("DevProfile", "DeviceProfile", "DevName"):
        yield text(uplink.get(key))
    yield text(inner(uplink, "CustomerData").get("name"))
