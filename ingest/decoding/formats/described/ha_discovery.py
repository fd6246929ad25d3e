"""Home Assistant's discovery: retained messages that say where a value is, what it measures and in which unit.

They are remembered; values on the topics they name are read by them where no format of its own is known. Source:
home-assistant.io, MQTT discovery (abbreviations, ``~``, device discovery with ``components``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from campus.device import Device
from ingest.decoding.contract import Hints
from ingest.decoding.formats.described.ha_template import picked
from ingest.decoding.reading.descriptions import Described, Description, Descriptions, short
from ingest.decoding.reading.device_class import meant
from ingest.decoding.reading.fields import registered, value_of
from ingest.decoding.reading.number import truth
from ingest.decoding.reading.timestamp import parse, plausible
from ingest.decoding.wire.bare import bare
from ingest.decoding.wire.document import document, inner, mapping
from ingest.errors import Rejected
from ingest.message import LONGEST_TOPIC, Decoded, Message, Report, Value

_CONFIG = re.compile(r"[^/]+/([a-z_]+)/(?:([^/]+)/)?([^/]+)/config")
_MEASURING = {"sensor", "binary_sensor"}
#: platforms that discovery knows; a topic ending in /config of another is no discovery
COMPONENTS = frozenset({
    "alarm_control_panel", "binary_sensor", "button", "camera", "climate", "cover", "device", "device_automation",
    "device_tracker", "event", "fan", "humidifier", "image", "lawn_mower", "light", "lock", "notify", "number", "scene",
    "select", "sensor", "siren", "switch", "tag", "text", "update", "vacuum", "valve", "water_heater",
})  # fmt: skip
_LONG = {
    "stat_t": "state_topic", "val_tpl": "value_template", "unit_of_meas": "unit_of_measurement", "dev_cla": "device_class",
    "dev": "device", "ids": "identifiers", "cns": "connections", "obj_id": "object_id", "uniq_id": "unique_id",
    "pl_on": "payload_on", "pl_off": "payload_off", "stat_on": "payload_on", "stat_off": "payload_off", "cmps": "components",
    "p": "platform", "def_ent_id": "default_entity_id", "e": "encoding",
}  # fmt: skip
_TIMES = ("last_seen", "lastseen", "timestamp", "time", "Time")


class HomeAssistantDiscovery:
    """Descriptions are remembered and hold no readings; values are read by the descriptions of their topic."""

    name: ClassVar[str] = "ha_discovery"
    topics: ClassVar[tuple[str, ...]] = ("homeassistant/+/+/config", "homeassistant/+/+/+/config")

    def __init__(self, descriptions: Descriptions) -> None:
        self._descriptions = descriptions

    def recognises(self, message: Message) -> bool:
        """Discovery of a component that measures, and any topic that a remembered description names."""
        config = _CONFIG.fullmatch(message.topic)
        if config is not None:
            return config[1] in COMPONENTS
        return bool(self._descriptions.on(message.topic, message.broker))

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """Remembers a description, or forgets it at an empty payload; elsewhere the values that descriptions find on the topic.

        Rejected: ``not_described``.
        """
        config = _CONFIG.fullmatch(message.topic)
        if config is None or config[1] not in COMPONENTS:
            return self._values(message, hints)
        if not message.payload:
            self._descriptions.forget(message.topic, message.broker)
            return Decoded(ignored="Home Assistant's discovery: removed")
        body = _long(mapping(message.payload))
        self._descriptions.tell(message.topic, _descriptions(config[1], config[3], body), message.broker)
        return Decoded(ignored="Home Assistant's discovery")

    def _values(self, message: Message, hints: Hints) -> Decoded:
        described = self._descriptions.on(message.topic, message.broker)
        if not described:
            raise Rejected("not_described", f"no discovery message describes {message.topic!r}")
        body: object = None
        if any(one.path for one in described):
            body = document(message.payload)
        text = bare(message.payload) if any(not one.path for one in described) else ""
        time_ms = None
        if isinstance(body, dict):
            clocks = (plausible(parse(body.get(key), hints.zone), message.received_ms) for key in _TIMES)
            time_ms = next((one for one in clocks if one is not None), None)
        values: dict[str, list[Value]] = {}
        dropped: dict[str, str] = {}
        for one in described:
            address = _address(message.topic, one, hints)
            raw = _at(body, one.path) if one.path else text
            value = _value(one, raw, dropped, hints.device_at(address))
            values.setdefault(address, [])
            if value is not None and value not in values[address]:
                values[address].append(value)
        return Decoded(
            tuple(Report(address, time_ms, tuple(some), dropped) for address, some in values.items())
        )


def _long(body: dict[str, Any]) -> dict[str, Any]:
    """*body* with its abbreviated keys written out."""
    return {_LONG.get(key, key): raw for key, raw in body.items()}


def _descriptions(component: str, entity: str, body: dict[str, Any]) -> Iterator[Description]:
    """What one message describes: one value, or in device discovery one for each of its components."""
    device = _long(inner(body, "device"))
    if component != "device":
        yield from _entity(component, entity, body, device)
        return
    shared = {key: raw for key, raw in body.items() if key not in {"components", "device"}}
    for key, one in inner(body, "components").items():
        if isinstance(one, dict):
            own = _long(one)
            yield from _entity(short(own.get("platform")), key, shared | own, device)


def _entity(
    component: str, entity: str, body: dict[str, Any], device: dict[str, Any]
) -> Iterator[Description]:
    topic = body.get("state_topic")
    path = picked(short_template(body.get("value_template")))
    if component not in _MEASURING or not isinstance(topic, str) or not topic or path is None:
        return
    base = body.get("~")
    # each of its components would hold a long one once more
    if isinstance(base, str) and len(base) <= LONGEST_TOPIC:
        topic = base + topic[1:] if topic.startswith("~") else topic
        topic = topic[:-1] + base if topic.endswith("~") else topic
    two_state = component == "binary_sensor"
    yield (
        topic,
        Described(
            field=short(body.get("object_id")) or short(entity),
            address=_identity(device) or short(body.get("unique_id")),
            name=short(body.get("name")),
            unit=short(body.get("unit_of_measurement")),
            device_class=short(body.get("device_class")),
            path=path,
            on=_payload(body.get("payload_on"), "ON") if two_state else "",
            off=_payload(body.get("payload_off"), "OFF") if two_state else "",
        ),
    )


def short_template(raw: object) -> str:
    """The template; one that is no text picks nothing we could read."""
    return "" if raw is None else raw if isinstance(raw, str) else "{{ no text }}"


def _payload(raw: object, default: str) -> str:
    if isinstance(raw, bool):
        return str(raw).lower()
    return str(raw)[:32] if isinstance(raw, int | str) and raw != "" else default


def _identity(device: dict[str, Any]) -> str:
    """The device's first identifier, or the address of its first connection."""
    identifiers = device.get("identifiers")
    first = identifiers[0] if isinstance(identifiers, list) and identifiers else identifiers
    if isinstance(first, str) and first:
        return short(first)
    connections = device.get("connections")
    pair = connections[0] if isinstance(connections, list) and connections else None
    return short(pair[1]) if isinstance(pair, list) and len(pair) == 2 else ""


def _address(topic: str, described: Described, hints: Hints) -> str:
    """The register may know the device by the value's topic or by its identity in discovery."""
    known = (one for one in (topic, described.address) if one and hints.device_at(one) is not None)
    return next(known, described.address or topic)


def _at(body: object, path: tuple[str | int, ...]) -> object:
    for step in path:
        if isinstance(step, int):
            body = body[step] if isinstance(body, list) and step < len(body) else None
        else:
            body = body.get(step) if isinstance(body, dict) else None
    return body


def _value(one: Described, raw: object, dropped: dict[str, str], device: Device | None) -> Value | None:
    key = str(one.path[-1]) if one.path else one.field
    found = registered(key, device) or registered(one.field, device)
    if found is None:
        found = meant(one)
        # one plain word names the device's only value of its kind
        found = found and found._replace(channel="" if key.isalpha() else one.field)
    if found is None or isinstance(raw, dict | list):
        return None
    if one.on:
        said = str(raw).lower() if isinstance(raw, bool) else str(raw)
        state = 1.0 if said == one.on else 0.0 if said == one.off else truth(raw)
        return None if state is None else Value(found.quantity, state, "bool", found.channel, key)
    return value_of(found, key, raw, dropped)
