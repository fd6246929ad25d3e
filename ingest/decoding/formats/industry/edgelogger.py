"""EdgeLogger: three-phase meters of a factory's edge computer, one batch element a meter and a moment.

Source: ruoneo/EdgeLogger, ReadMe.md, both versions: ``timestamp`` is epoch ms as text, later ``yyyyMMddHHmmssSSS`` in local
time. The unit printed at active energy is "kW"; the comments beside it say kWh, and a counter of kW there cannot be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from campus.device import Device
from campus.quantity import Quantity as Q  # noqa: N817 - a table of many names reads better so
from ingest.decoding.contract import Hints
from ingest.decoding.reading.fields import first_of_each, registered, value_of
from ingest.decoding.reading.names import Meaning
from ingest.decoding.reading.timestamp import parse, plausible
from ingest.decoding.wire.document import inner, mapping, text
from ingest.decoding.wire.topic import matches, segments
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report, Value

_PHASES = {"phase_a": "a", "phase_b": "b", "phase_c": "c"}
#: path of a metric's object → what its values mean, and which of them are read as which channel
_METRICS: dict[tuple[str, ...], tuple[Meaning, Mapping[str, str]]] = {
    ("voltage",): (Meaning(Q.VOLTAGE, "V"), _PHASES),
    ("current",): (Meaning(Q.CURRENT, "A"), _PHASES | {"neutral": "n"}),
    ("power", "active"): (Meaning(Q.ACTIVE_POWER, "kW"), _PHASES | {"total": "total"}),
    ("energy", "active"): (Meaning(Q.ENERGY, "kWh"), {"forward": "", "reverse": "produced"}),
}
_SYSTEM = {"power_factor": Meaning(Q.POWER_FACTOR, "1"), "frequency": Meaning(Q.FREQUENCY, "Hz")}


class EdgeLogger:
    """``device/{what}/up/{device}``; messages down to a device are no readings."""

    name: ClassVar[str] = "edgelogger"
    topics: ClassVar[tuple[str, ...]] = ("device/+/up/+",)

    def recognises(self, message: Message) -> bool:
        """By ``batch`` with ``metrics``, or by the topic where there is no batch."""
        if b'"batch"' not in message.payload[:4096]:
            return any(matches(one, message.topic) for one in self.topics)
        return b'"metrics"' in message.payload

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """A report an element of ``batch``; commands are ignored. Rejected: ``no_batch``."""
        body = mapping(message.payload)
        batch = body.get("batch")
        if body.get("msgType") == "down":
            return Decoded(ignored="a command to the device")
        if not isinstance(batch, list):
            raise Rejected("no_batch", f"batch is {type(batch).__name__}; expected a list")
        reports = tuple(_report(one, message, hints) for one in batch if isinstance(one, dict))
        return Decoded(reports) if reports else Decoded(ignored="an empty batch")


def _report(entry: dict[str, Any], message: Message, hints: Hints) -> Report:
    parts = segments(message.topic)
    address = text(entry.get("device_id")) or (parts[3] if len(parts) == 4 else "")
    if not address:
        raise Rejected("no_device", "a batch element names no device_id")
    time_ms = plausible(parse(entry.get("timestamp"), hints.zone), message.received_ms)
    dropped: dict[str, str] = {}
    values = first_of_each(_values(inner(entry, "metrics"), dropped, hints.device_at(address)))
    status = inner(entry, "status").get("device_status")
    flags = {"device_status": f"{status!r:.24}"} if status else {}
    return Report(address, time_ms, tuple(values), dropped, flags)


def _values(metrics: Mapping[str, Any], dropped: dict[str, str], device: Device | None) -> Iterator[Value]:
    for path, (what, channels) in _METRICS.items():
        metric = inner(metrics, *path)
        unit = text(metric.get("unit")) if what.quantity != Q.ENERGY else ""
        for key, raw in inner(metric, "value").items():
            field = ".".join((*path, key))
            explained = what._replace(channel=channels[key]) if key in channels else None
            yield from _read(field, raw, explained, dropped, device, unit)
    system = metrics.get("system")
    for one in system if isinstance(system, list) else [system]:
        for key, what in _SYSTEM.items():
            if isinstance(one, dict) and key in one:
                yield from _read(f"system.{key}", one[key], what, dropped, device, "")


def _read(
    field: str,
    raw: object,
    explained: Meaning | None,
    dropped: dict[str, str],
    device: Device | None,
    unit: str,
) -> Iterator[Value]:
    found = registered(field, device) or explained
    value = value_of(found, field, raw, dropped, unit=unit) if found is not None else None
    if value is not None:
        yield value
