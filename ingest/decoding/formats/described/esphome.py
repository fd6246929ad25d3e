"""ESPHome: ``<prefix>/<component>/<object_id>/state`` with one bare value; units are in Home Assistant's discovery.

Source: esphome.io, MQTT client component: topic_prefix, birth and will on ``<prefix>/status``, log on ``<prefix>/debug``.
"""

from __future__ import annotations

import re
from typing import ClassVar

from campus.quantity import Quantity
from ingest.decoding.contract import Hints
from ingest.decoding.reading.descriptions import Described, Descriptions
from ingest.decoding.reading.device_class import meant
from ingest.decoding.reading.fields import registered, value_of
from ingest.decoding.reading.names import Meaning, loosely
from ingest.decoding.reading.number import truth
from ingest.decoding.wire.bare import bare
from ingest.decoding.wire.document import mapping, text
from ingest.decoding.wire.topic import segments
from ingest.message import Decoded, Message, Report, Value

_MEASURING = ("sensor", "binary_sensor", "switch", "light", "valve")
_OTHERS = {"text_sensor", "button", "cover", "fan", "climate", "number", "select", "text", "lock", "event", "update", "datetime"}  # fmt: skip
_COMPONENTS = {*_MEASURING, *_OTHERS}
#: first levels of formats whose topics have the same shape
_NOT_OURS = {"homeassistant", "shellies", "zigbee2mqtt", "homie", "tele", "stat", "cmnd"}
_SWITCH = Meaning(Quantity.SWITCH, "bool")
#: figures of a past or running period; their own object keeps them apart from the register
_PERIOD = re.compile(r"_?(?:yesterday|today|daily|day|weekly|monthly|hourly|last_hour)(?=_|$)")
_NO_VALUE = {"nan", "inf", "-inf", "unknown", "unavailable", "none", ""}


class EspHome:
    """States of sensors, contacts and relays; will, log and text sensors hold no readings."""

    name: ClassVar[str] = "esphome"
    topics: ClassVar[tuple[str, ...]] = ("+/sensor/+/state", "+/binary_sensor/+/state", "+/switch/+/state")

    def __init__(self, descriptions: Descriptions) -> None:
        self._descriptions = descriptions

    def recognises(self, message: Message) -> bool:
        """By the topic's shape, as a prefix is the owner's to choose: states of known components, and a node's will and log.

        A topic that a description reads as a document is left to Home Assistant's discovery.
        """
        parts = segments(message.topic)
        if parts[0] in _NOT_OURS:
            return False
        if len(parts) == 2 and parts[1] == "status":
            return message.payload in {b"online", b"offline"}
        if len(parts) == 2 and parts[1] == "debug":
            return message.payload.startswith((b"\x1b[", b"["))
        if len(parts) < 4 or parts[-1] != "state" or parts[-3] not in _COMPONENTS:
            return False
        # a document behind such a topic is somebody else's, whom discovery described
        return not any(one.path for one in self._descriptions.on(message.topic, message.broker))

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """One value at most, without a time; its unit is in the register or in a description. States that mean no measurement are dropped."""
        parts = segments(message.topic)
        if len(parts) < 4 or parts[-1] != "state" or parts[-3] not in _MEASURING:
            return Decoded(ignored=f"{'/'.join(parts[1:])[:64]} holds no readings")
        component, entity = parts[-3], parts[-2]
        if component in {"light", "valve"} and message.payload.lstrip().startswith(b"{"):
            raw = text(mapping(message.payload).get("state"))
        else:
            raw = bare(message.payload)
        node = "/".join(parts[:-3])
        address, channel = _place(node, entity, hints)
        device = hints.device_at(address)
        described = next(iter(self._descriptions.on(message.topic, message.broker)), None)
        found = registered(entity, device)
        if found is None:
            found = _meaning(component, entity, described)
            found = found and found._replace(channel=channel)
        dropped: dict[str, str] = {}
        if raw.lower() in _NO_VALUE:
            dropped[entity] = f"{raw} means no measurement"
            return Decoded((Report(address, None, (), dropped),))
        value = _value(found, entity, raw, dropped) if found is not None else None
        return Decoded((Report(address, None, () if value is None else (value,), dropped),))


def _place(node: str, entity: str, hints: Hints) -> tuple[str, str]:
    """Address and channel: one board may carry the probes of several devices, registered as ``node/object_id``."""
    own = f"{node}/{entity}"
    return (own, "") if hints.device_at(own) is not None else (node, entity)


def _meaning(component: str, entity: str, described: Described | None) -> Meaning | None:
    if component in {"switch", "light", "valve"}:
        return _SWITCH
    if described is not None and (found := meant(described)) is not None:
        return found
    named = loosely(entity)
    if component == "binary_sensor":
        return named if named is not None and named.unit == "bool" else None
    if named is None:
        period = loosely(_PERIOD.sub("", entity))
        named = period if period is not None and period.quantity == Quantity.ENERGY else None
    return None if named is None or named.unit == "bool" else named


def _value(found: Meaning, entity: str, raw: str, dropped: dict[str, str]) -> Value | None:
    state = truth(raw)
    if found.unit == "bool" and state is None:
        return None
    return value_of(found, entity, raw, dropped)
