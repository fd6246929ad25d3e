"""AI-on-the-edge: a camera reads a meter's dial; ``<main>/<number>/json`` with texts, and one topic a value.

Source: jomjol.github.io, MQTT API. A value the device does not trust is empty and the error says why: what it read is
then ``raw``, which the meter's arithmetic may still understand (a register that starts again at 0), so it is kept, suspect.
"""

from __future__ import annotations

from typing import ClassVar

from campus.device import Device, Kind
from campus.quantity import Quantity
from campus.reading import Quality
from ingest.decoding.contract import Hints
from ingest.decoding.reading.fields import registered, value_of
from ingest.decoding.reading.lexicon import words
from ingest.decoding.reading.names import Meaning
from ingest.decoding.reading.timestamp import parse, plausible
from ingest.decoding.wire.bare import bare
from ingest.decoding.wire.document import mapping
from ingest.decoding.wire.topic import segments
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report, Value

_SCALARS = {"value", "raw", "pre", "error", "rate", "rate_per_time_unit", "rate_per_digitization_round", "changeabsolut",
            "timestamp"}  # fmt: skip
_MAIN = ("watermeter", "gasmeter", "powermeter", "wasserzaehler", "stromzaehler", "gaszaehler")
_OF_KIND = {
    Kind.WATER_METER: Meaning(Quantity.WATER_VOLUME, "m3"),
    Kind.GAS_METER: Meaning(Quantity.GAS_VOLUME, "m3"),
    Kind.ELECTRICITY_METER: Meaning(Quantity.ENERGY, "kWh"),
}
_FINE = {"", "no error"}
#: the device's own flow is a difference of two readings of the camera, beside the one we derive
_REPORTED = "reported"


class AiOnTheEdge:
    """The register of a dial, by JSON or by its own topics."""

    name: ClassVar[str] = "aiontheedge"
    topics: ClassVar[tuple[str, ...]] = (
        "+/main/json",
        *(f"{main}/+/json" for main in _MAIN),
        "watermeter/json",
    )

    def recognises(self, message: Message) -> bool:
        """By the keys of its JSON, or by a main topic that the firmware proposes."""
        parts = segments(message.topic)
        if len(parts) < 2:
            return False
        if parts[-1] == "json":
            return all(key in message.payload for key in (b'"value"', b'"raw"', b'"error"', b'"rate"')) or (
                parts[0] in _MAIN
            )
        return parts[0] in _MAIN

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """The register in the unit of the device's kind, or the device's error as a flag."""
        parts = segments(message.topic)
        address = "/".join(parts[:-1])
        if not address:
            raise Rejected("no_device", f"topic {message.topic!r} names no device")
        if parts[-1] == "json":
            return _document(address, message, hints)
        if parts[-1] not in _SCALARS:
            return Decoded(ignored=f"{parts[-1][:64]} holds no readings")
        text = bare(message.payload)
        if parts[-1] == "error":
            flags = {} if text.lower() in _FINE else {"error": text[:256]}
            return Decoded((Report(address, None, (), flags=flags),))
        if parts[-1] != "value":
            return Decoded(ignored=f"{parts[-1]} comes with the value")
        dropped: dict[str, str] = {}
        value = value_of(_register(address, hints.device_at(address)), "value", text, dropped)
        return Decoded((Report(address, None, () if value is None else (value,), dropped),))


def _document(address: str, message: Message, hints: Hints) -> Decoded:
    body = mapping(message.payload)
    device = hints.device_at(address)
    dropped: dict[str, str] = {}
    found = _register(address, device)
    error = str(body.get("error") or "").strip()
    fine = error.lower() in _FINE
    read = str(body.get("value") if body.get("value") is not None else "").strip()
    values: list[Value] = []
    if read:
        value = value_of(found, "value", read, dropped)
        values += [] if value is None else [value]
    elif not fine and body.get("raw"):
        value = value_of(found, "raw", body["raw"], dropped)
        if value is not None:
            values.append(_suspect(value))
    else:
        dropped["value"] = "empty: the dial was not read"
    if read and fine and found.quantity == Quantity.WATER_VOLUME and found.unit == "m3":
        flow = Meaning(Quantity.WATER_FLOW, "m3/min", _REPORTED)
        rate = value_of(flow, "rate", body.get("rate"), {})
        values += [] if rate is None else [rate]
    time_ms = plausible(parse(body.get("timestamp"), hints.zone), message.received_ms)
    flags = {} if fine else {"error": error[:256]}
    return Decoded((Report(address, time_ms, tuple(values), dropped, flags),))


def _register(address: str, device: Device | None) -> Meaning:
    """What the dial counts: the register's word, the kind of device, else the words of the topic; water by default."""
    found = registered("value", device)
    if found is not None:
        return found
    if device is not None and device.kind in _OF_KIND:
        return _OF_KIND[device.kind]
    said = set(words(address)) | set(address.lower().split("/"))
    if said & {"gas", "gasmeter", "gaszaehler"}:
        return _OF_KIND[Kind.GAS_METER]
    if said & {"power", "energy", "powermeter", "stromzaehler", "electricity", "current"}:
        return _OF_KIND[Kind.ELECTRICITY_METER]
    return _OF_KIND[Kind.WATER_METER]


def _suspect(value: Value) -> Value:
    return Value(
        value.quantity, value.value, value.unit, value.channel, value.field, value.time_ms, Quality.SUSPECT
    )
