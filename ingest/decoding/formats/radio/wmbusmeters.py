"""wmbusmeters: flat JSON, the unit in each key's ending, registers named ``total_*``."""

from __future__ import annotations

from typing import Any, ClassVar

from campus.device import Device
from campus.quantity import Quantity
from ingest.decoding.contract import Hints
from ingest.decoding.formats.radio.wmbus_fields import meaning_of, media_of
from ingest.decoding.reading.fields import first_of_each, registered, value_of
from ingest.decoding.reading.timestamp import parse, plausible
from ingest.decoding.wire.document import mapping, text
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report, Value

#: the receiver's clock first: it is set by a network, the meter's runs alone for years
_CLOCKS = ("timestamp", "meter_datetime", "device_datetime", "meter_date_time", "device_date_time")
_FLAGS = frozenset(
    {"status", "current_status", "leak_date", "fraud_date", "error_flags", "error_code", "prev_status", "current_alarms",
     "previous_alarms", "alarm_flags", "info", "info_codes", "information_flags", "warning_flags", "time_leaking",
     "time_bursting", "time_dry", "time_reversed", "historic_status", "frame_status"}
)  # fmt: skip
_ALL_WELL = {"", "OK", "null", "no_alarm", "NO_ALARM", "none"}
#: Lansen's door and window contact says its state as a word
_DOOR_DRIVER = "lansendw"


class WMBusMeters:
    """Telegrams of meters; the topic is the user's, so the body is what is recognised."""

    name: ClassVar[str] = "wmbusmeters"
    topics: ClassVar[tuple[str, ...]] = ("wmbusmeters/+",)

    def recognises(self, message: Message) -> bool:
        """By the four keys each telegram has, or by the topic."""
        head = message.payload[:4096]
        return message.topic.startswith("wmbusmeters/") or all(
            key in head for key in (b'"meter"', b'"id"', b'"timestamp"', b'"media"')
        )

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """One report by the meter's ``id``, units from the keys' endings, the meter's status as flags."""
        body = mapping(message.payload)
        address = text(body.get("id"))
        if not address:
            raise Rejected("no_device", "id is missing")
        dropped: dict[str, str] = {}
        clocks = (parse(body.get(key), hints.zone) for key in _CLOCKS)
        time_ms = next((one for one in clocks if plausible(one, message.received_ms) is not None), None)
        values = tuple(_values(body, dropped, hints.device_at(address)))
        return Decoded((Report(address, time_ms, values, dropped, _flags(body)),))


def _flags(body: dict[str, Any]) -> dict[str, str]:
    said = {key: body[key] for key in _FLAGS if isinstance(body.get(key), str | int)}
    return {key: str(word)[:200] for key, word in sorted(said.items()) if str(word).strip() not in _ALL_WELL}


def _values(body: dict[str, Any], dropped: dict[str, str], device: Device | None) -> list[Value]:
    media, values = media_of(text(body.get("media")), text(body.get("meter"))), []
    for key, raw in body.items():
        found = registered(key, device) or meaning_of(key, media)
        value = value_of(found, key, raw, dropped) if found is not None else None
        if value is not None:
            values.append(value)
    door = _door(body)
    return first_of_each([*values, door] if door is not None else values)


def _door(body: dict[str, Any]) -> Value | None:
    said = set(text(body.get("status")).upper().split())
    if text(body.get("meter")) != _DOOR_DRIVER or said.isdisjoint({"OPEN", "CLOSED"}):
        return None
    return Value(Quantity.DOOR_OPEN, float("OPEN" in said), "bool", field="status")
