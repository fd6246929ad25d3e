"""rtl_433: ``rtl_433/HOST/events`` with one JSON object a message, or ``…/devices/MODEL/…/KEY`` with one value a topic.

A device is its model, id and channel. Source: github.com/merbanan/rtl_433, docs/DATA_FORMAT.md, src/output_mqtt.c.
"""

from __future__ import annotations

import zoneinfo
from typing import Any, ClassVar

from ingest.decoding.contract import Hints
from ingest.decoding.formats.radio.rtl_433_fields import field_values, flags_of
from ingest.decoding.reading.number import number
from ingest.decoding.reading.timestamp import parse, plausible
from ingest.decoding.wire.bare import bare
from ingest.decoding.wire.document import mapping, text
from ingest.decoding.wire.topic import segments
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report

_UTC = zoneinfo.ZoneInfo("UTC")
#: an event is published when it is heard: a clock this near the receipt is read in the right zone
_AT_ONCE_MS = 10 * 60 * 1000
#: every message begins with its time, whatever topic another program publishes its lines on
_BEGINS = b'{"time"'
#: tyres and keys of passing cars
_PASSING = "TPMS"


class Rtl433:
    """Events and single values; the receiver's own states hold no readings."""

    name: ClassVar[str] = "rtl_433"
    # the values by topic are the events' once more, without a time: only for who turned the events off
    topics: ClassVar[tuple[str, ...]] = ("rtl_433/+/events",)

    def recognises(self, message: Message) -> bool:
        """By the topic's first level, or by a body that begins as its events do."""
        parts = segments(message.topic)
        if parts[0] == "rtl_433" and len(parts) >= 3:
            return True
        head = message.payload[:512].lstrip()
        return b'"model"' in head and (head.startswith(_BEGINS) or parts[-1] == "events")

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """One report of the transmitter in an event or a single value; tyres of passing cars are ignored."""
        parts = segments(message.topic)
        if "devices" in parts[:-2]:
            return _single(parts[parts.index("devices") + 1 :], message, hints)
        if parts[-1] == "states" or (
            parts[0] == "rtl_433" and len(parts) == 3 and parts[-1] == "availability"
        ):
            return Decoded(ignored="the receiver's own state")
        body = mapping(message.payload)
        if body.get("type") == _PASSING:
            return Decoded(ignored="a tyre of a car")
        time_ms = event_time(body.get("time"), hints.zone, message.received_ms)
        return Decoded((event(body, time_ms, hints),))


def event(body: dict[str, Any], time_ms: int | None, hints: Hints) -> Report:
    """One message as rtl_433 says it, also where another gateway passes it on.

    Its address is ``model/id/channel`` of what is there. Raises :class:`ingest.errors.Rejected` where there is no model.
    """
    model = text(body.get("model"))
    names = [model, *(one for key in ("id", "channel") if (one := text(body.get(key))))]
    if not model:
        raise Rejected("no_device", "found no model; expected rtl_433's own fields")
    address = "/".join(names)
    dropped: dict[str, str] = {}
    values = field_values(body, model, hints.device_at(address), dropped)
    return Report(address, time_ms, tuple(values), dropped, flags_of(body))


def event_time(raw: object, zone: zoneinfo.ZoneInfo, received_ms: int) -> int | None:
    """The event's time. ``-M time:utc`` writes UTC without saying so: a clock that is right in UTC only is read in it."""
    local = plausible(parse(raw, zone), received_ms)
    if not isinstance(raw, str) or (local is not None and received_ms - local <= _AT_ONCE_MS):
        return local
    utc = plausible(parse(raw, _UTC), received_ms)
    return utc if utc is not None and received_ms - utc <= _AT_ONCE_MS else local


def _single(names: list[str], message: Message, hints: Hints) -> Decoded:
    """``[/TPMS]/MODEL[/SUBTYPE][/CHANNEL][/ID]/KEY``: the last two are channel and id, as its default order has them."""
    *identity, key = names
    if not identity or identity[0] == _PASSING:
        return Decoded(ignored="a tyre of a car" if identity else "names no device")
    model, rest = identity[0], identity[1:]
    # the events say model, id, channel: both roads lead to one address
    address = "/".join([model, *reversed(rest[-2:])])
    raw = bare(message.payload)
    dropped: dict[str, str] = {}
    said: object = raw
    parsed = number(raw)
    if parsed is not None and not parsed[1]:
        said = int(parsed[0]) if parsed[0].is_integer() else parsed[0]
    body = {key: said}
    values = field_values(body, model, hints.device_at(address), dropped)
    return Decoded((Report(address, None, tuple(values), dropped, flags_of(body)),))
