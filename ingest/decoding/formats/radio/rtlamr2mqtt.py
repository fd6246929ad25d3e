"""rtlamr2mqtt: ``rtlamr/METER/state`` with the reading as text, its unit in Home Assistant's discovery.

Source: github.com/allangood/rtlamr2mqtt. The reading is bare in older versions, ``{"reading", "lastseen"}`` in newer ones; the
attributes repeat the radio message, and ``rtlamr/status`` is the will.
"""

from __future__ import annotations

from typing import ClassVar

from campus.device import Device, Kind
from campus.quantity import Quantity
from ingest.decoding.contract import Hints
from ingest.decoding.formats.radio.ert import UNIT
from ingest.decoding.reading.descriptions import Described, Descriptions
from ingest.decoding.reading.device_class import meant
from ingest.decoding.reading.fields import registered, value_of
from ingest.decoding.reading.names import Meaning
from ingest.decoding.reading.timestamp import parse, plausible
from ingest.decoding.wire.bare import bare
from ingest.decoding.wire.document import document
from ingest.decoding.wire.topic import segments
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report

_FIELD = "reading"
_OF_KIND = {
    Kind.WATER_METER: Meaning(Quantity.WATER_VOLUME, "m3"),
    Kind.GAS_METER: Meaning(Quantity.GAS_VOLUME, "m3"),
    Kind.ELECTRICITY_METER: Meaning(Quantity.ENERGY, "kWh"),
}


class RtlAmr2Mqtt:
    """A meter's register in the unit its owner configured."""

    name: ClassVar[str] = "rtlamr2mqtt"
    topics: ClassVar[tuple[str, ...]] = ("rtlamr/+/state",)

    def __init__(self, descriptions: Descriptions) -> None:
        self._descriptions = descriptions

    def recognises(self, message: Message) -> bool:
        """By the topic, which rtlamr itself does not use."""
        parts = segments(message.topic)
        return parts[0] == "rtlamr" and parts[-1] in {"state", "attributes", "status"}

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """The register on ``state``; attributes repeat it and are ignored."""
        parts = segments(message.topic)
        if parts[-1] != "state":
            return Decoded(ignored=f"{parts[-1][:64]} holds no readings of its own")
        if len(parts) != 3 or not parts[1]:
            raise Rejected("no_device", f"topic {message.topic!r} names no meter")
        raw: object
        clock: object = None
        if message.payload.lstrip().startswith((b"{", b"[", b'"')):
            body = document(message.payload)
            if not isinstance(body, dict):
                raise Rejected("not_an_object", f"found a JSON {type(body).__name__}; expected an object")
            raw, clock = body.get(_FIELD, body.get("value")), body.get("lastseen")
        else:
            raw = bare(message.payload)
        dropped: dict[str, str] = {}
        found = self._meaning(message, hints.device_at(parts[1]))
        value = value_of(found, _FIELD, raw, dropped)
        time_ms = plausible(parse(clock, hints.zone), message.received_ms)
        return Decoded((Report(parts[1], time_ms, () if value is None else (value,), dropped),))

    def _meaning(self, message: Message, device: Device | None) -> Meaning:
        said = registered(_FIELD, device)
        if said is not None:
            return said
        described: Described | None = next(iter(self._descriptions.on(message.topic, message.broker)), None)
        found = meant(described) if described is not None else None
        if found is not None:
            return found
        if device is not None and device.kind in _OF_KIND:
            return _OF_KIND[device.kind]
        return Meaning("register_raw", UNIT)
