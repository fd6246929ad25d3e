"""Tuya TuyaLink: property reports of the thing model; the device is in the topic.

Source: developer.tuya.com, TuyaLink standard protocol: ``tylink/{deviceId}/thing/property/report`` with
``{"msgId", "time", "data": {"code": {"value", "time"}}}``, and ``thing/data/batch_report`` with ``properties`` of the
device and of sub-devices in ``data``.

Tuya's numbers are integers that the product's model scales (2203 for 220.3 V): no message tells the scale. A number that
could be scaled is therefore left to the register, whatever its code is called; switches, contacts and percents are not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from campus.quantity import Quantity
from ingest.decoding.contract import Hints
from ingest.decoding.formats.clouds import properties
from ingest.decoding.reading.names import Meaning
from ingest.decoding.reading.timestamp import parse
from ingest.decoding.wire.document import inner, mapping, text
from ingest.decoding.wire.topic import segments
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report

_REPORTS = {"thing/property/report", "thing/data/batch_report", "thing/property/history_report"}
#: whole numbers by their nature, never scaled
_UNSCALED = {Quantity.SWITCH, Quantity.DOOR_OPEN, Quantity.LEAK_DETECTED, Quantity.BATTERY_LEVEL}


class TuyaLink:
    """Reports of properties; replies, settings, actions and events hold none."""

    name: ClassVar[str] = "tuya_tylink"
    topics: ClassVar[tuple[str, ...]] = ("tylink/+/thing/+/+",)

    def recognises(self, message: Message) -> bool:
        """By the topic's first level."""
        return message.topic.startswith("tylink/")

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """Reports of the device in the topic and of its sub-devices, whose numbers the product's model scales."""
        parts = segments(message.topic)
        if parts[0] != "tylink" or len(parts) < 3 or not parts[1]:
            raise Rejected("no_device", f"topic {message.topic!r} names no device")
        if "/".join(parts[2:]) not in _REPORTS:
            return Decoded(ignored="no report of properties")
        body = mapping(message.payload)
        time_ms = parse(body.get("time"), hints.zone)
        reports = tuple(_reports(inner(body, "data"), parts[1], time_ms, message, hints))
        return Decoded(reports) if reports else Decoded(ignored="no properties")


def _reports(
    data: dict[str, Any], address: str, time_ms: int | None, message: Message, hints: Hints
) -> Iterator[Report]:
    batch = isinstance(data.get("properties"), dict) or "subDevices" in data
    own = inner(data, "properties") if batch else data
    if own:
        yield properties.report(own, address, message, hints, time_ms=time_ms, explain=_explained)
    subs = data.get("subDevices") if batch else None
    for name, found in _sub_devices(subs):
        if found:
            yield properties.report(found, name, message, hints, time_ms=time_ms, explain=_explained)


def _sub_devices(subs: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Sub-devices by their id, as keys or as entries of a list."""
    entries = subs.items() if isinstance(subs, dict) else []
    listed = [(text(inner(one).get("deviceId")), one) for one in subs] if isinstance(subs, list) else []
    for name, one in [*entries, *listed]:
        if not name:
            raise Rejected("no_device", "an entry of subDevices has no deviceId")
        yield name, inner(one, "properties")


def _explained(code: str, raw: object) -> Meaning | None:
    found = properties.by_name(code, raw)
    whole = isinstance(raw, int) and not isinstance(raw, bool)
    return None if found is None or (whole and found.quantity not in _UNSCALED) else found
