"""Data forwarded by the CHN-DAS platform: an array of devices, each with properties of key, value, type and time.

Source: aiot.docs.chn-das.com, data forwarding: the declared ``type`` decides, as one key is a number on one device and
a text of digits on another; ``time`` is epoch ms.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from ingest.decoding.contract import Hints
from ingest.decoding.reading.fields import first_of_each
from ingest.decoding.reading.modelled import modelled_value
from ingest.decoding.reading.names import Meaning, meaning
from ingest.decoding.reading.timestamp import parse, plausible
from ingest.decoding.wire.document import document, text
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report, Value

_NO_NUMBER = frozenset({"text", "string", "date", "struct", "array", "object", "enum", "geo", "file"})
#: a switch on one product and watts or kilowatts on another, as the platform's own example shows
_AMBIGUOUS = frozenset({"power"})


class ChnDasArray:
    """One message, many devices; a device is addressed by its own id."""

    name: ClassVar[str] = "chndas_array"
    topics: ClassVar[tuple[str, ...]] = ()

    def recognises(self, message: Message) -> bool:
        """By a list whose elements have ``deviceId`` and ``properties``."""
        head = message.payload[:4096]
        return head.lstrip()[:1] == b"[" and b'"deviceId"' in head and b'"properties"' in head

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """A report an element. Rejected: ``not_an_object`` where one is none."""
        body = document(message.payload)
        entries = body if isinstance(body, list) else [body]
        if not all(isinstance(one, dict) for one in entries):
            raise Rejected("not_an_object", "the array holds more than objects; expected one object a device")
        reports = tuple(_report(one, message, hints) for one in entries)
        return Decoded(reports) if reports else Decoded(ignored="no devices")


def _report(entry: dict[str, Any], message: Message, hints: Hints) -> Report:
    address = text(entry.get("deviceId"))
    if not address:
        raise Rejected("no_device", "an entry names no deviceId")
    dropped: dict[str, str] = {}
    values = first_of_each(_values(entry, address, dropped, message, hints))
    times = {value.time_ms for value in values}
    return Report(address, times.pop() if len(times) == 1 else None, tuple(values), dropped)


def _values(
    entry: dict[str, Any], address: str, dropped: dict[str, str], message: Message, hints: Hints
) -> Iterator[Value]:
    device = hints.device_at(address)
    properties = entry.get("properties")
    for one in properties if isinstance(properties, list) else []:
        key = text(one.get("key")) if isinstance(one, dict) else ""
        declared = one.get("type") if key else None
        if not key or (isinstance(declared, str) and declared.lower() in _NO_NUMBER):
            continue
        time_ms = plausible(parse(one.get("time"), hints.zone), message.received_ms)
        value = modelled_value(key, one.get("value"), device, dropped, time_ms=time_ms, understand=_meaning)
        if value is not None:
            yield value


def _meaning(key: str) -> Meaning | None:
    return None if key.lower() in _AMBIGUOUS else meaning(key)
