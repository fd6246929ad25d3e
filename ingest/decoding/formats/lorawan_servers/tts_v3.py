"""The Things Stack v3 (The Things Network)."""

from __future__ import annotations

from typing import ClassVar

from ingest.decoding.contract import Hints
from ingest.decoding.formats.lorawan_servers import network
from ingest.decoding.reading.timestamp import parse
from ingest.decoding.wire.document import inner, mapping, text
from ingest.decoding.wire.topic import matches
from ingest.errors import Rejected
from ingest.message import Decoded, Message


class TheThingsStackV3:
    """Uplinks of a device. Fields equal to 0, false or "" are left out by the server; that is its format."""

    name: ClassVar[str] = "tts_v3"
    topics: ClassVar[tuple[str, ...]] = ("v3/+/devices/+/#",)

    def recognises(self, message: Message) -> bool:
        """By the topic, or by ``end_device_ids`` in the body."""
        return matches(self.topics[0], message.topic) or b'"end_device_ids"' in message.payload[:4096]

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """One report by the device's EUI at the server's time; other events and simulated uplinks are ignored."""
        if matches(self.topics[0], message.topic) and not message.topic.endswith("/up"):
            return Decoded(ignored=f"event {message.topic.rpartition('/')[2]}")
        body = mapping(message.payload)
        uplink = inner(body, "uplink_message")
        if not uplink:
            return Decoded(ignored="no uplink_message")
        if body.get("simulated") is True:
            return Decoded(ignored="simulated uplink")
        identifiers = inner(body, "end_device_ids")
        address = text(identifiers.get("dev_eui")).lower() or text(identifiers.get("device_id"))
        if not address:
            raise Rejected("no_device", "end_device_ids.dev_eui is missing")
        times = (body.get("received_at"), uplink.get("received_at"))
        version = inner(uplink, "version_ids")
        found = network.report(
            message,
            address=address,
            time_ms=next((one for at in times if (one := parse(at, hints.zone)) is not None), None),
            decoded=inner(uplink, "decoded_payload"),
            encoded=text(uplink.get("frm_payload")),
            f_port=network.port(uplink.get("f_port")),
            names=[text(version.get("model_id")), text(identifiers.get("device_id"))],
            device=hints.device_at(address),
            zone=hints.zone,
        )
        return Decoded((found,))
