"""Acrel 安科瑞: meters (ADW300, ADL400 …) and fire-safety monitors (ARCM300), alone or behind a gateway.

Source: Acrel's overseas protocol, ``/gw/acrelHW/{product}/{command}/{sn}``: ``data`` and ``hstdata`` (sent again after an
outage) carry readings, either under short names, or as ``data[].point[]`` numbered as in the ADW300's table, or (AWT200)
under ``reported`` by meter. Times are local without offset, or epochs. Values are given as sent: whether a gateway
multiplied by the transformers' ratios is not documented, so ratios other than 1 are handed on as flags.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import msgspec

from campus.device import Device
from campus.quantity import Quantity
from ingest.decoding.contract import Hints
from ingest.decoding.formats.industry.acrel_fields import NAMED, NUMBERED, RATIO_POINTS, SERIAL_POINT
from ingest.decoding.reading.fields import first_of_each, registered, value_of
from ingest.decoding.reading.names import meaning
from ingest.decoding.reading.number import number
from ingest.decoding.reading.timestamp import parse, plausible
from ingest.decoding.wire.document import inner, mapping, text
from ingest.decoding.wire.topic import segments
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report, Value

_DATA = {"data", "hstdata", "update", ""}
_GONE = {"missing", "offline", "fault"}
#: keys that say who, when and how, never what was measured
_ABOUT = frozenset({
    "type", "time", "gwsn", "metersn", "metername", "meterstatus", "meterid", "state", "ch", "pt", "ct", "data", "ver", "sn",
    "method", "msgid", "timestamp", "sendtime", "version", "rssi", "upinterval", "wl", "varh", "varl",
})  # fmt: skip
#: active power cannot exceed the volt-amperes; this many times over, the figure is in W and not in kW
_SURELY_WATTS = 3.0


class _Record(msgspec.Struct, frozen=True):
    """One meter's fields by their names in lower case, those names as written, and where and when they are from."""

    address: str
    time: object
    fields: Mapping[str, object]
    written: Mapping[str, str]


class Acrel:
    """Data frames; logins, clocks, heartbeats, alarms and whatever the platform sends hold no readings."""

    name: ClassVar[str] = "acrel"
    topics: ClassVar[tuple[str, ...]] = ("/gw/acrelHW/#",)

    def recognises(self, message: Message) -> bool:
        """By ``acrelHW`` in the topic, or by the keys of one of its three bodies."""
        parts = segments(message.topic)
        if len(parts) > 1 and parts[1] == "acrelHW":
            return True
        head = message.payload[:4096]
        return (
            (b'"gwSN"' in head and b'"meterSN"' in head)
            or (b'"point"' in head and b'"tp"' in head)
            or (b'"reported"' in head and b'"EPI"' in head)
        )

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """A report a meter of a data frame, live or sent again; a gateway without a serial in its body has the topic's."""
        parts = segments(message.topic)
        if parts[0] == "server":
            return Decoded(ignored="the platform's own message")
        body = mapping(message.payload)
        kind = text(body.get("type") or body.get("method")).lower()
        if kind == "para":
            return Decoded((_parameters(body, message, hints),))
        if kind not in _DATA:
            return Decoded(ignored=f"{kind:.24} is no data")
        fallback = parts[-1] if len(parts) > 1 and parts[1] == "acrelHW" else ""
        reports = tuple(_report(one, message, hints) for one in _records(body, fallback))
        return Decoded(reports) if reports else Decoded(ignored="no meters")


def _parameters(body: dict[str, Any], message: Message, hints: Hints) -> Report:
    """A parameter frame: no readings, but the interval (minutes) at which the meter means to report."""
    address = text(body.get("meterSN")) or text(body.get("gwSN"))
    if not address:
        raise Rejected("no_device", "a parameter frame names neither meterSN nor gwSN")
    interval = text(body.get("upInterval"))
    time_ms = plausible(parse(body.get("time"), hints.zone), message.received_ms)
    return Report(address, time_ms, (), flags={"upInterval": interval} if interval else {})


def _records(body: dict[str, Any], fallback: str) -> Iterator[_Record]:
    reported = inner(body, "reported")
    if reported:
        for key, fields in reported.items():
            if isinstance(fields, dict):  # "0_24120405680027": the port, then the meter
                yield _record(fields, body, key.rpartition("_")[2])
        return
    data = body.get("data")
    for one in data if isinstance(data, list) else [data]:
        if isinstance(one, dict) and isinstance(one.get("point"), list):
            yield _points(one, fallback)
        elif isinstance(one, dict):
            yield _record(one, body, fallback)
    if not isinstance(data, dict | list):
        yield _record(body, body, fallback)


def _record(fields: Mapping[str, Any], body: Mapping[str, Any], fallback: str) -> _Record:
    folded = {key.strip().lower(): raw for key, raw in fields.items()}
    around = {key.strip().lower(): raw for key, raw in body.items()}
    own = text(folded.get("metersn")) or text(folded.get("meterid"))
    address = own or text(around.get("metersn")) or text(around.get("meterid")) or fallback
    address = address or text(around.get("gwsn"))
    channel = text(folded.get("ch"))
    if channel not in {"", "0"}:  # one circuit of a meter for many
        address = f"{address}/{channel}"
    time = folded.get("time") or around.get("time") or around.get("timestamp")
    return _Record(address, time, folded, {key.strip().lower(): key for key in fields})


def _points(entry: Mapping[str, Any], fallback: str) -> _Record:
    """Numbered points as fields named by their number."""
    found: dict[str, object] = {}
    for point in entry["point"]:
        at = point.get("id") if isinstance(point, dict) else None
        if isinstance(at, int) and not isinstance(at, bool):
            found.setdefault(RATIO_POINTS.get(at, str(at)), point.get("val"))
    return _Record(text(found.pop(str(SERIAL_POINT), "")) or fallback, entry.get("tp"), found, {})


def _report(record: _Record, message: Message, hints: Hints) -> Report:
    if not record.address:
        raise Rejected("no_device", "the frame names no meter")
    fields = record.fields
    time_ms = plausible(parse(record.time, hints.zone), message.received_ms)
    flags = {key: text(fields[key]) or "?" for key in ("pt", "ct") if _is_ratio(fields.get(key))}
    state = text(fields.get("meterstatus") or fields.get("state"))
    if state.lower() in _GONE:
        # the gateway goes on repeating what the meter said last
        return Report(
            record.address, time_ms, (), {"state": f"the gateway says {state}"}, flags | {"state": state}
        )
    dropped: dict[str, str] = {}
    device = hints.device_at(record.address)
    values = first_of_each(
        value
        for key, raw in fields.items()
        if (value := _value(key, record.written.get(key, key), raw, device, dropped)) is not None
    )
    return Report(record.address, time_ms, tuple(_in_watts(values)), dropped, flags)


def _is_ratio(raw: object) -> bool:
    found = number(raw)
    return found is not None and found[0] not in {0.0, 1.0}


def _value(
    key: str, written: str, raw: object, device: Device | None, dropped: dict[str, str]
) -> Value | None:
    known = NUMBERED.get(int(key)) if key.isdecimal() and len(key) < 4 else NAMED.get(key)
    found = registered(written, device) or known or (None if key in _ABOUT else meaning(written))
    return None if found is None else value_of(found, written, raw, dropped)


def _in_watts(values: list[Value]) -> list[Value]:
    """*values* with active power in W where no kW can be meant: meters without transformers send watts."""
    of = {(one.quantity, one.channel): one.value for one in values}
    apparent_kva = sum(
        abs(amps * of.get((Quantity.VOLTAGE, phase), 0.0)) / 1000
        for (quantity, phase), amps in of.items()
        if quantity == Quantity.CURRENT
    )
    power_kw = abs(of.get((Quantity.ACTIVE_POWER, "total"), 0.0))
    if not 0 < apparent_kva * _SURELY_WATTS < power_kw:
        return values
    return [
        msgspec.structs.replace(one, unit="W")
        if one.quantity == Quantity.ACTIVE_POWER and one.unit == "kW"
        else one
        for one in values
    ]
