"""JetLinks: property reports of a device or of a gateway's child, addressed by the topic alone.

Source: jetlinks-official-protocol, README and TopicMessageCodec: ``/{product}/{device}/properties/report``, children under
``/{product}/{gateway}/child/{child}/…``; ``timestamp`` is epoch ms and optional, and so are ``propertySourceTimes``
by property. Replies to a read carry the same body.
"""

from __future__ import annotations

import re
from typing import ClassVar

from ingest.decoding.contract import Hints
from ingest.decoding.formats.clouds import properties
from ingest.decoding.reading.timestamp import parse, plausible
from ingest.decoding.wire.document import mapping
from ingest.errors import Rejected
from ingest.message import Decoded, Message

_REPORT = re.compile(
    r"/?([^/]+)/([^/]+)(?:/child(?:-reply)?/([^/]+))?/properties/(?:report|(?:read|write)/reply)"
)
#: what else a device or the platform says under the same prefix
_OTHER = re.compile(
    r"/?[^/]+/[^/]+(?:/child(?:-reply)?/[^/]+)?/(?:event/[^/]+|properties/(?:read|write)|function/invoke(?:/reply)?|tags"
    r"|register|unregister|firmware/.+|metadata/derived|direct|disconnect(?:/reply)?|online|offline|log"
    r"|state-check(?:/reply)?)"
)


class JetLinks:
    """``properties/report`` of devices and children; a child is addressed by its own id, which is unique there."""

    name: ClassVar[str] = "jetlinks"
    topics: ClassVar[tuple[str, ...]] = (
        "/+/+/properties/report",
        "/+/+/properties/+/reply",
        "/+/+/child/+/properties/report",
        "/+/+/child-reply/+/properties/+/reply",
    )

    def recognises(self, message: Message) -> bool:
        """By the topic alone, as a body of properties is anybody's."""
        return _REPORT.fullmatch(message.topic) is not None

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """One report under the topic's device, with each property's own time where it has one.

        Rejected: ``no_properties`` (they are no object).
        """
        if _OTHER.fullmatch(message.topic):
            return Decoded(ignored="not a property report")
        body = mapping(message.payload)
        found = _REPORT.fullmatch(message.topic)
        if found is None:
            raise Rejected("no_device", f"topic {message.topic!r} is no property report of a device")
        listed = body.get("properties")
        if body.get("success") is False or listed is None:
            return Decoded(ignored="no properties")
        if not isinstance(listed, dict):
            raise Rejected("no_properties", f"properties is {type(listed).__name__}; expected an object")
        address = found[3] or f"{found[1]}/{found[2]}"
        time_ms = plausible(parse(body.get("timestamp"), hints.zone), message.received_ms)
        own_times = body.get("propertySourceTimes")
        if isinstance(own_times, dict):
            found_times = {name: at for name, at in own_times.items() if name in listed}
            listed = listed | {name: {"value": listed[name], "time": at} for name, at in found_times.items()}
        return Decoded((properties.report(listed, address, message, hints, time_ms=time_ms),))
