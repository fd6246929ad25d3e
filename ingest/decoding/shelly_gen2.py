"""Shelly Gen2 and later: component statuses, and notifications that carry only what changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from campus.quantity import Quantity
from ingest.decoding.contract import Hints
from ingest.decoding.document import inner, mapping, text
from ingest.decoding.fields import value_of
from ingest.decoding.names import Meaning
from ingest.decoding.timestamp import parse, plausible
from ingest.decoding.topic import segments
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report, Value

_COMPONENT = re.compile(r"([a-z0-9_]+):(\d+)")
#: fields of a component with one circuit (switch, pm1, em1, cover, light)
_CIRCUIT: dict[str, Meaning] = {
    "apower": Meaning(Quantity.ACTIVE_POWER, "W"),
    "act_power": Meaning(Quantity.ACTIVE_POWER, "W"),
    "voltage": Meaning(Quantity.VOLTAGE, "V"),
    "current": Meaning(Quantity.CURRENT, "A"),
    "pf": Meaning(Quantity.POWER_FACTOR, "1"),
    "freq": Meaning(Quantity.FREQUENCY, "Hz"),
    "total_act_energy": Meaning(Quantity.ENERGY, "Wh"),
    "output": Meaning(Quantity.SWITCH, "bool"),
}
_BY_PHASE: dict[str, Meaning] = {
    "act_power": Meaning(Quantity.ACTIVE_POWER, "W"),
    "voltage": Meaning(Quantity.VOLTAGE, "V"),
    "current": Meaning(Quantity.CURRENT, "A"),
    "pf": Meaning(Quantity.POWER_FACTOR, "1"),
    "freq": Meaning(Quantity.FREQUENCY, "Hz"),
    "total_act_energy": Meaning(Quantity.ENERGY, "Wh"),
}
_PHASE_KEY = re.compile(r"([abcn])_(.+)")
_TOTALS: dict[str, Meaning] = {
    "total_act_power": Meaning(Quantity.ACTIVE_POWER, "W", "total"),
    "total_current": Meaning(Quantity.CURRENT, "A", "total"),
    "total_act": Meaning(Quantity.ENERGY, "Wh", "total"),
}
_CIRCUITS = {"switch", "pm1", "em1", "em1data", "cover", "light"}


class ShellyGen2:
    """``<prefix>/status/<component>``, ``<prefix>/events/rpc`` and whole ``GetStatus`` bodies."""

    name: ClassVar[str] = "shelly_gen2"
    topics: ClassVar[tuple[str, ...]] = ("+/status/+", "+/events/rpc", "+/online", "+/rpc")

    def recognises(self, message: Message) -> bool:
        parts = segments(message.topic)
        if len(parts) >= 3 and parts[-2:] == ["events", "rpc"]:
            return True
        if len(parts) >= 3 and parts[-2] == "status" and _COMPONENT.fullmatch(parts[-1]) is not None:
            return True
        head = message.payload[:200]
        return (
            parts[0].startswith("shelly")
            or b'"NotifyStatus"' in head
            or b'"NotifyFullStatus"' in head
            or b'"em:0"' in head
        )

    def decode(self, message: Message, hints: Hints) -> Decoded:
        parts = segments(message.topic)
        if parts[-1] == "online" or (len(parts) >= 2 and parts[-2] == "command"):
            return Decoded(ignored="not a status")
        body = mapping(message.payload)
        if parts[-2:-1] == ["status"]:
            prefix = "/".join(parts[:-2])
            components = {parts[-1]: body}
            clock: object = None
        else:
            if text(body.get("method")) == "NotifyEvent":
                return Decoded(ignored="an event, not a status")
            components = inner(body, "params") or inner(body, "result") or body
            clock = components.get("ts") or inner(components, "sys").get("unixtime")
            prefix = text(body.get("src")) or _prefix(parts) or text(inner(components, "sys").get("mac"))
        if not prefix:
            raise Rejected("no_device", f"topic {message.topic!r} names no device")
        time_ms = plausible(parse(clock, hints.zone), message.received_ms)
        dropped: dict[str, str] = {}
        values = tuple(value for name, one in components.items() for value in _component(name, one, dropped))
        return Decoded((Report(prefix, time_ms, values, dropped),))


def _prefix(parts: list[str]) -> str:
    if parts[-2:] == ["events", "rpc"]:
        return "/".join(parts[:-2])
    return "/".join(parts[:-1]) if parts[-1] == "rpc" and "<" not in parts[0] else ""


def _component(name: str, one: object, dropped: dict[str, str]) -> Iterator[Value]:
    match = _COMPONENT.fullmatch(name)
    if match is None or not isinstance(one, dict):
        return
    kind, number = match[1], match[2]
    if kind in _CIRCUITS:
        # em1data holds the register of em1, so both are one channel
        yield from _circuit(f"{kind.removesuffix('data')}:{number}", one, dropped)
    elif kind in {"em", "emdata"}:
        yield from _three_phase(one, dropped)
    else:
        yield from _sensor(kind, number, one, dropped)


def _circuit(channel: str, one: dict[str, Any], dropped: dict[str, str]) -> Iterator[Value]:
    fields = {key: one[key] for key in _CIRCUIT if key in one}
    for key, raw in fields.items():
        yield from _present(_CIRCUIT[key], channel, f"{channel}.{key}", raw, dropped)
    total = inner(one, "aenergy").get("total")
    yield from _present(Meaning(Quantity.ENERGY, "Wh"), channel, f"{channel}.aenergy.total", total, dropped)
    inside = inner(one, "temperature").get("tC")
    # the device's own case, never the room's
    yield from _present(
        Meaning(Quantity.TEMPERATURE, "°C"), "device", f"{channel}.temperature", inside, dropped
    )


def _three_phase(one: dict[str, Any], dropped: dict[str, str]) -> Iterator[Value]:
    for key, raw in one.items():
        match = _PHASE_KEY.fullmatch(key)
        if match is not None and match[2] in _BY_PHASE:
            yield from _present(_BY_PHASE[match[2]], match[1], key, raw, dropped)
        elif key in _TOTALS:
            yield from _present(_TOTALS[key], "total", key, raw, dropped)


def _sensor(kind: str, number: str, one: dict[str, Any], dropped: dict[str, str]) -> Iterator[Value]:
    channel = "" if number in {"0", "100"} else number
    match kind:
        case "temperature":
            # temperature:0 of a meter is its case; add-on probes are numbered from 100
            where = "device" if number == "0" else channel or "probe"
            yield from _present(
                Meaning(Quantity.TEMPERATURE, "°C"), where, f"{kind}:{number}", one.get("tC"), dropped
            )
        case "humidity":
            yield from _present(
                Meaning(Quantity.HUMIDITY, "%"), channel, f"{kind}:{number}", one.get("rh"), dropped
            )
        case "flood":
            yield from _present(
                Meaning(Quantity.LEAK_DETECTED, "bool"),
                channel,
                f"{kind}:{number}",
                one.get("alarm"),
                dropped,
            )
        case "devicepower":
            battery = inner(one, "battery")
            yield from _present(
                Meaning(Quantity.BATTERY_LEVEL, "%"), channel, kind, battery.get("percent"), dropped
            )
            yield from _present(
                Meaning(Quantity.BATTERY_VOLTAGE, "V"), channel, kind, battery.get("V"), dropped
            )
        case _:
            return


def _present(
    found: Meaning, channel: str, field: str, raw: object, dropped: dict[str, str]
) -> Iterator[Value]:
    value = value_of(Meaning(found.quantity, found.unit, channel), field, raw, dropped)
    if value is not None:
        yield value
