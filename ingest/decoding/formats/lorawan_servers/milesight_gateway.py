"""The network server inside Milesight gateways (UG56, UG65, UG67): ChirpStack's flat uplink with gateways by ``mac``.

Source: the UG6x user guides, Applications, MQTT: the topic is free text (the guides write ``/milesight/uplink/$deveui``);
``data`` is base64; with a payload codec its fields come as ``object`` or between the other keys; batches are lists.
"""

from __future__ import annotations

from typing import ClassVar

from ingest.decoding.contract import Hints
from ingest.decoding.formats.lorawan_servers import flat
from ingest.decoding.wire.document import document
from ingest.decoding.wire.topic import matches
from ingest.errors import Rejected
from ingest.message import Decoded, Message


class MilesightGateway:
    """One uplink, or a list of them."""

    name: ClassVar[str] = "milesight_gateway"
    topics: ClassVar[tuple[str, ...]] = ("/milesight/uplink/+", "milesight/uplink/+")

    def recognises(self, message: Message) -> bool:
        """By the topics of the guides, or by a flat uplink that is neither of ChirpStack's versions."""
        head = message.payload[:4096]
        return any(matches(topic, message.topic) for topic in self.topics) or (
            b'"devEUI"' in head
            and b'"deviceInfo"' not in head
            and (b'"mac"' in head or b'"applicationName"' in head or b'"fPort"' in head)
            and b'"gatewayID"' not in head
        )

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """A report an uplink. Rejected: ``not_an_object``."""
        body = document(message.payload)
        uplinks = [one for one in body if isinstance(one, dict)] if isinstance(body, list) else [body]
        if not uplinks or not isinstance(uplinks[0], dict):
            raise Rejected(
                "not_an_object", f"found a JSON {type(body).__name__}; expected an uplink or a list"
            )
        return Decoded(tuple(flat.report(one, message, hints) for one in uplinks))
