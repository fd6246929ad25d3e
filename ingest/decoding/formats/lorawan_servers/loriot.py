"""LORIOT: uplinks of its application output; the topic is the school's to choose.

Source: docs.loriot.io, Application Data API: ``cmd`` ``rx`` with the uplink, ``gw`` the same once more with all gateways
that heard it (a school may have either switched on, so both are read: equal times and values are one reading); ``data`` is
hex, ``ts`` epoch milliseconds, ``decoded`` the output of a payload codec. Other commands hold no uplink; ``encdata`` is
what LORIOT itself cannot decrypt.
"""

from __future__ import annotations

from typing import Any, ClassVar

from ingest.decoding.contract import Hints
from ingest.decoding.formats.lorawan_servers import flat, network
from ingest.decoding.reading.timestamp import parse
from ingest.decoding.wire.document import inner, mapping, text
from ingest.decoding.wire.topic import matches
from ingest.errors import Rejected
from ingest.message import Decoded, Message

_UPLINKS = {"rx", "gw"}


class Loriot:
    """``rx`` and ``gw``."""

    name: ClassVar[str] = "loriot"
    topics: ClassVar[tuple[str, ...]] = ("loriot/+",)

    def recognises(self, message: Message) -> bool:
        """By ``cmd`` with ``EUI``, or by its usual topic."""
        head = message.payload[:4096]
        return matches(self.topics[0], message.topic) or (b'"cmd"' in head and b'"EUI"' in head)

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """One report by the device's EUI from ``rx`` and ``gw``; other commands are ignored."""
        body = mapping(message.payload)
        command = text(body.get("cmd"))
        if command not in _UPLINKS:
            return Decoded(ignored=f"command {command[:32]}")
        address = flat.eui(text(body.get("EUI")))
        if not address:
            raise Rejected("no_device", "EUI is missing")
        uplink = network.report(
            message,
            address=address,
            time_ms=parse(body.get("ts"), hints.zone) or _heard(body, hints),
            decoded=inner(body, "decoded", "data") or inner(body, "decoded"),
            encoded=text(body.get("data")),
            f_port=network.port(body.get("port")),
            names=[text(body.get(key)) for key in ("devProfile", "deviceName", "title")],
            device=hints.device_at(address),
            zone=hints.zone,
            to_bytes=network.from_hex,
        )
        return Decoded((uplink,))


def _heard(body: dict[str, Any], hints: Hints) -> int | None:
    """When the first gateway that says so heard it."""
    gateways = body.get("gws")
    times = (
        (parse(inner(one).get("time"), hints.zone) for one in gateways) if isinstance(gateways, list) else ()
    )
    return next((one for one in times if one is not None), None)
