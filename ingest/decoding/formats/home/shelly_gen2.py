"""Shelly Gen2 and later: component statuses, and notifications that carry only what changed.

Source: shelly-api-docs.shelly.cloud/gen2, Components and Services.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from campus.device import Kind
from ingest.decoding.contract import Hints
from ingest.decoding.formats.home.shelly_components import COMPONENT, Components
from ingest.decoding.reading.timestamp import parse, plausible
from ingest.decoding.wire.document import inner, mapping, text
from ingest.decoding.wire.topic import segments
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report

_NOTIFICATIONS = {"NotifyStatus", "NotifyFullStatus"}
#: components without a number; they hold no readings
_SERVICES = {"sys", "wifi", "eth", "cloud", "mqtt", "ble", "ws", "bthome", "modbus", "knx", "matter", "zigbee", "ui", "ht_ui",
             "plugs_ui", "wd_ui", "script", "schedule", "kvs", "webhook", "serial"}  # fmt: skip
#: models whose ``temperature:0`` is the case; everywhere else it is what the device is there to measure
_METER = re.compile(r"shelly(?:pro|plus)?(?:3?em|em)[^/]*", re.IGNORECASE)
_METER_COMPONENTS = ("em:", "em1:", "emdata:", "em1data:", "switch:", "pm1:", "cover:", "light:")


class ShellyGen2:
    """``<prefix>/status/<component>``, ``<prefix>/events/rpc`` and whole ``GetStatus`` bodies."""

    name: ClassVar[str] = "shelly_gen2"
    topics: ClassVar[tuple[str, ...]] = ("+/status/+", "+/events/rpc", "+/online", "+/rpc")

    def recognises(self, message: Message) -> bool:
        """By the topic of a component or of notifications, or by the method or the meter in the body."""
        parts = segments(message.topic)
        if len(parts) >= 3 and parts[-2:] == ["events", "rpc"]:
            return True
        if len(parts) >= 3 and parts[-2] == "status" and _is_component(parts[-1]):
            return True
        head = message.payload[:400]
        return (
            parts[0].startswith("shelly")
            or any(f'"{method}"'.encode() in head for method in _NOTIFICATIONS)
            or (b'"em:0"' in message.payload[:4096] and b'"a_act_power"' in message.payload[:8192])
        )

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """One report of the components in the message; what a notification leaves out did not change and is not repeated."""
        parts = segments(message.topic)
        if parts[-1] in {"online", "announce"} or "command" in parts[1:]:
            return Decoded(ignored="not a status")
        if parts[-2:-1] == ["status"] and not COMPONENT.fullmatch(parts[-1]):
            return Decoded(ignored=f"{parts[-1]} holds no readings")
        body = mapping(message.payload)
        if parts[-2:-1] == ["status"]:
            return self._report("/".join(parts[:-2]), {parts[-1]: body}, None, message, hints)
        method = text(body.get("method"))
        if method and method not in _NOTIFICATIONS:
            return Decoded(ignored=f"{method} is no status")
        components = inner(body, "params") or inner(body, "result") or body
        clock = components.get("ts") or inner(components, "sys").get("unixtime")
        prefix = _prefix(parts) or text(body.get("src")) or text(inner(components, "sys").get("mac"))
        if not any(COMPONENT.fullmatch(name) for name in components):
            return Decoded(ignored="no component in it holds readings")
        return self._report(prefix, components, clock, message, hints)

    def _report(
        self, prefix: str, components: dict[str, Any], clock: object, message: Message, hints: Hints
    ) -> Decoded:
        if not prefix:
            raise Rejected("no_device", f"topic {message.topic!r} names no device")
        device = hints.device_at(prefix)
        electric = device is not None and device.kind is Kind.ELECTRICITY_METER
        case = electric or _METER.match(prefix.rpartition("/")[2]) is not None or _is_meter(components)
        reading = Components(case=case, device=device)
        for name, one in components.items():
            reading.add(name, one)
        time_ms = plausible(parse(clock, hints.zone), message.received_ms)
        return Decoded((Report(prefix, time_ms, tuple(reading.values), reading.dropped, reading.flags),))


def _prefix(parts: list[str]) -> str:
    """The device's own topic, which its plain statuses use too; a reply's topic names who asked."""
    return "/".join(parts[:-2]) if parts[-2:] == ["events", "rpc"] else ""


def _is_component(name: str) -> bool:
    return name in _SERVICES or COMPONENT.fullmatch(name) is not None


def _is_meter(components: dict[str, Any]) -> bool:
    return any(name.startswith(_METER_COMPONENTS) for name in components)
