"""ChirpStack v4: protobuf-JSON of ``integration.UplinkEvent``."""

from __future__ import annotations

from typing import ClassVar

from ingest.decoding.contract import Hints
from ingest.decoding.formats.lorawan_servers import network
from ingest.decoding.reading.timestamp import parse
from ingest.decoding.wire.document import inner, mapping, text
from ingest.decoding.wire.topic import matches
from ingest.errors import Rejected
from ingest.message import Decoded, Message


class ChirpStackV4:
    """Events of a device; only ``up`` holds readings."""

    name: ClassVar[str] = "chirpstack_v4"
    topics: ClassVar[tuple[str, ...]] = ("application/+/device/+/event/+",)

    def recognises(self, message: Message) -> bool:
        """By ``deviceInfo``, or by the topic where the body is not version 3's."""
        head = message.payload[:4096]
        # version 3 publishes under the same topics
        return b'"deviceInfo"' in head or (matches(self.topics[0], message.topic) and b'"devEUI"' not in head)

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """One report by the device's EUI, at the server's time, else a gateway's; events but ``up`` are ignored."""
        event = message.topic.rpartition("/")[2]
        if matches(self.topics[0], message.topic) and event != "up":
            return Decoded(ignored=f"event {event}")
        body = mapping(message.payload)
        info = inner(body, "deviceInfo")
        address = text(info.get("devEui")).lower()
        if not address:
            raise Rejected("no_device", "deviceInfo.devEui is missing")
        reception = body.get("rxInfo")
        gateway = reception[0] if isinstance(reception, list) and reception else {}
        times = (
            body.get("time"),
            inner(gateway).get("gwTime"),
            inner(gateway).get("time"),
            inner(gateway).get("nsTime"),
        )
        time_ms = next((found for one in times if (found := parse(one, hints.zone)) is not None), None)
        uplink = network.report(
            message,
            address=address,
            time_ms=time_ms,
            decoded=inner(body, "object"),
            encoded=text(body.get("data") or body.get("payload")),
            f_port=network.port(body.get("fPort")),
            names=[text(info.get("deviceProfileName")), text(info.get("deviceName"))],
            device=hints.device_at(address),
            zone=hints.zone,
        )
        return Decoded((uplink,))
