"""Homie 4 and 5: a value as text on ``homie/DEVICE/NODE/PROPERTY``; in 5 ``homie/5/…``, also under other first levels.

In 4 the unit and type of a property are retained topics of their own (``…/$unit``), in 5 the device describes itself in
``$description``. Both are remembered. Source: homieiot.github.io, convention 4.0.0 and 5.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple

import msgspec

from ingest.decoding.contract import Hints
from ingest.decoding.reading.descriptions import Described, Description, Descriptions, short
from ingest.decoding.reading.device_class import meant
from ingest.decoding.reading.fields import registered, value_of
from ingest.decoding.reading.names import meaning
from ingest.decoding.reading.number import truth
from ingest.decoding.wire.bare import bare
from ingest.decoding.wire.document import inner, mapping
from ingest.decoding.wire.topic import segments
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report

#: attributes of a property in Homie 4 that say what it measures
_ATTRIBUTES = {"$unit": "unit", "$datatype": "datatype", "$name": "name"}
_VERSION = "5"


class _Place(NamedTuple):
    """A topic's device, and what follows it; *base* is the topic up to the device."""

    base: str
    device: str
    rest: list[str]
    version: str


class Homie:
    """Values of properties, and a device's own alerts as flags; descriptions and states hold no readings."""

    name: ClassVar[str] = "homie"
    topics: ClassVar[tuple[str, ...]] = ("homie/#",)

    def __init__(self, descriptions: Descriptions) -> None:
        self._descriptions = descriptions

    def recognises(self, message: Message) -> bool:
        """By ``homie`` as the first level; under another one, Homie 5 only, where it describes itself or did."""
        parts = segments(message.topic)
        if parts[0] == "homie":
            return True
        other_domain = len(parts) >= 4 and parts[1] == _VERSION
        return other_domain and (
            parts[3] in {"$description", "$state", "$alert", "$log"}
            or bool(self._descriptions.on(message.topic, message.broker))
        )

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """A property's value in the unit its device described, or an alert as a flag; descriptions are remembered and ignored."""
        place = _place(message.topic)
        rest = place.rest
        if not place.device or place.device.startswith("$") or not rest:
            return Decoded(ignored="not of one device")
        if rest == ["$description"]:
            return self._description(place, message)
        if rest[0] == "$alert" and len(rest) == 2:
            return _alert(place, rest[1], message)
        if len(rest) == 3 and rest[2] in _ATTRIBUTES:
            return self._attribute(message)
        if len(rest) != 2 or any(one.startswith("$") for one in rest):
            return Decoded(ignored=f"{rest[-1][:64]} holds no readings")
        return self._value(place, message, hints)

    def _description(self, place: _Place, message: Message) -> Decoded:
        if not message.payload:
            self._descriptions.forget(message.topic, message.broker)
            return Decoded(ignored="Homie's description: removed")
        self._descriptions.tell(
            message.topic, _descriptions(place.base, mapping(message.payload)), message.broker
        )
        return Decoded(ignored="Homie's description")

    def _attribute(self, message: Message) -> Decoded:
        topic, _, attribute = message.topic.rpartition("/")
        said = next(
            (one for _, one in self._descriptions.said_by(topic, message.broker)),
            Described(topic.rpartition("/")[2]),
        )
        text = short(bare(message.payload)) if message.payload else ""
        changed = msgspec.structs.replace(said, **{_ATTRIBUTES[attribute]: text})
        self._descriptions.tell(topic, [(topic, changed)], message.broker)
        return Decoded(ignored="Homie's attribute")

    def _value(self, place: _Place, message: Message, hints: Hints) -> Decoded:
        node, name = place.rest
        if message.payload in {b"", b"\0"}:  # deleted, and Homie 5's word for the empty text
            return Decoded(ignored="no value")
        raw = bare(message.payload)
        address, channel = _addressed(place.device, node, name, hints)
        described = next(iter(self._descriptions.on(message.topic, message.broker)), None) or Described(name)
        found = registered(f"{node}/{name}", hints.device_at(address))
        if found is None:
            found = meant(described)
            if found is None and not described.datatype and truth(raw) is not None:
                found = meaning(
                    name
                )  # not described: true and false of a name that is a contact's or a leak's
                found = found if found is not None and found.unit == "bool" else None
            found = found and found._replace(channel=channel)
        dropped: dict[str, str] = {}
        value = value_of(found, f"{node}/{name}", raw, dropped) if found is not None else None
        return Decoded((Report(address, None, () if value is None else (value,), dropped),))


def _place(topic: str) -> _Place:
    parts = segments(topic)
    first = 2 if len(parts) > 2 and parts[1] == _VERSION else 1
    if len(parts) <= first:
        raise Rejected("no_device", f"topic {topic!r} names no device")
    base = topic[: len(topic) - len("/".join(["", *parts[first + 1 :]]))] if parts[first + 1 :] else topic
    return _Place(base, parts[first], parts[first + 1 :], _VERSION if first == 2 else "4")


def _addressed(device: str, node: str, name: str, hints: Hints) -> tuple[str, str]:
    """Address and channel: a node or a property may be registered as a device of its own."""
    if hints.device_at(f"{device}/{node}/{name}") is not None:
        return f"{device}/{node}/{name}", ""
    # a property of one word is the node's only value of its kind
    own = "" if name.isalpha() else name
    if hints.device_at(f"{device}/{node}") is not None:
        return f"{device}/{node}", own
    return device, ".".join(one for one in (node, own) if one)


def _alert(place: _Place, alert: str, message: Message) -> Decoded:
    if not message.payload:
        return Decoded(ignored="the device's alert is over")
    return Decoded((Report(place.device, None, (), flags={alert[:64]: bare(message.payload)[:256]}),))


def _descriptions(base: str, body: dict[str, Any]) -> Iterator[Description]:
    for node, one in inner(body, "nodes").items():
        for name, raw in inner(one, "properties").items():
            if isinstance(raw, dict):
                described = Described(
                    field=short(name), name=short(raw.get("name")), unit=short(raw.get("unit")), datatype=short(raw.get("datatype"))
                )  # fmt: skip
                yield f"{base}/{node}/{name}", described
