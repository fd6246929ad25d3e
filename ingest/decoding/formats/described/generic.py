"""JSON nobody wrote a decoder for, read as the school's own mapping in site.yaml says."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from campus.clock import to_ms
from campus.quantity import SPECS, Quantity
from campus.site import GenericMapping, TimestampFormat
from ingest.decoding.contract import Hints
from ingest.decoding.reading import path, timestamp
from ingest.decoding.reading.fields import registered, value_of
from ingest.decoding.reading.names import Meaning
from ingest.decoding.wire.document import document, text
from ingest.decoding.wire.topic import segments
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report, Value


class _Body:
    """A message's document. What a path leads to in it is looked up once, not for each of its records."""

    def __init__(self, document: object) -> None:
        self.document = document
        self._found: dict[str, object] = {}

    def first(self, where: str) -> object:
        """The first thing *where* leads to, or None."""
        if where not in self._found:
            self._found[where] = path.first(self.document, where)
        return self._found[where]


class GenericJson:
    """One mapping; the source that names it makes one of these."""

    name: ClassVar[str] = "generic"
    topics: ClassVar[tuple[str, ...]] = ()

    def __init__(self, mapping: GenericMapping | None = None) -> None:
        self._mapping = mapping

    def recognises(self, message: Message) -> bool:  # noqa: ARG002 - only a source names this decoder
        """Never: any JSON would do."""
        return False

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """A report a record, with units, times and addresses from where the mapping says. Rejected: ``no_mapping``."""
        if self._mapping is None:
            raise Rejected("no_mapping", "decoder generic needs a mapping in site.yaml for this topic")
        body = _Body(document(message.payload))
        records = (
            path.find(body.document, self._mapping.records) if self._mapping.records else [body.document]
        )
        if len(records) == 1 and isinstance(records[0], list):
            records = records[0]
        reports = [self._report(self._mapping, body, record, message, hints) for record in records]
        return Decoded(tuple(reports)) if reports else Decoded(ignored="no records")

    def _report(
        self, mapping: GenericMapping, body: _Body, record: object, message: Message, hints: Hints
    ) -> Report:
        address = _address(mapping.address, body, record, message.topic)
        device = hints.device_at(address)
        time_ms = _time(mapping.time, body, record, hints) if mapping.time is not None else None
        dropped: dict[str, str] = {}
        values: list[Value] = []
        for name, field in mapping.fields.items():
            raw = path.first(record, name)
            known = Quantity(field.quantity) if field.quantity in SPECS else None
            unit = field.unit or (SPECS[known].unit if known is not None else "")
            found = registered(name, device) or Meaning(field.quantity, unit, field.channel, field.scale)
            value = value_of(found, name, raw, dropped)
            if value is not None:
                values.append(value)
        return Report(address, timestamp.plausible(time_ms, message.received_ms), tuple(values), dropped)


def _address(where: str, body: _Body, record: object, topic: str) -> str:
    if where.startswith("topic:"):
        parts = topic.split("/")
        number = int(where.removeprefix("topic:"))
        found = parts[number] if number < len(parts) else ""
    else:
        found = text(path.first(record, where)) or text(body.first(where))
    if not found:
        raise Rejected("no_device", f"{where} leads to no device in a message on {'/'.join(segments(topic))}")
    return found


def _time(form: TimestampFormat, body: _Body, record: object, hints: Hints) -> int | None:
    raw = path.first(record, form.path)
    raw = body.first(form.path) if raw is None else raw
    if form.format in {"iso", "epoch"}:
        return timestamp.parse(raw, hints.zone)
    try:
        moment = dt.datetime.strptime(text(raw), form.format)  # noqa: DTZ007 - the zone follows below
    except ValueError:
        return None
    return to_ms(moment if moment.tzinfo is not None else moment.replace(tzinfo=hints.zone))
