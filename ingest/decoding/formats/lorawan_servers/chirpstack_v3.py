"""ChirpStack v3 and the LoRa Server before it: flat JSON of either marshaler (``lorawan.flat``).

Source: chirpstack.io, application-server/integrations/events (v3), and its MQTT topics: ``…/event/up``, ``…/rx`` before
3.11, ``application/{id}/node/{eui}/rx`` in 2016.
"""

from __future__ import annotations

from typing import ClassVar

from ingest.decoding.contract import Hints
from ingest.decoding.formats.lorawan_servers import flat
from ingest.decoding.wire.document import mapping
from ingest.decoding.wire.topic import matches
from ingest.message import Decoded, Message


class ChirpStackV3:
    """Events of a device; only uplinks (``up``, before ``rx``) hold readings."""

    name: ClassVar[str] = "chirpstack_v3"
    topics: ClassVar[tuple[str, ...]] = (
        "application/+/device/+/rx",
        "application/+/node/+/rx",
        "application/+/device/+/event/+",
    )

    def recognises(self, message: Message) -> bool:
        """By the topics it alone has; on the one it shares with version 4, by ``devEUI`` written so."""
        head = message.payload[:4096]
        if any(matches(topic, message.topic) for topic in self.topics[:2]):
            return True
        return (
            b'"devEUI"' in head
            and b'"deviceInfo"' not in head
            and (matches(self.topics[2], message.topic) or b'"gatewayID"' in head)
        )

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """One report by the device's EUI; events but ``up`` are ignored."""
        event = message.topic.rpartition("/")[2]
        if matches(self.topics[2], message.topic) and event != "up":
            return Decoded(ignored=f"event {event}")
        return Decoded((flat.report(mapping(message.payload), message, hints),))
