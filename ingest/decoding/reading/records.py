"""A codec's whole object: its fields, lists of named values, and history with times of its own."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator, Mapping
from typing import Any

from campus.device import Device
from ingest.decoding.reading.fields import first_of_each, named_values, registered, value_of
from ingest.decoding.reading.names import meaning
from ingest.decoding.reading.timestamp import parse, plausible
from ingest.message import Value

#: more than any uplink can carry; a longer list is not a history
_MOST_RECORDS = 500
_TIMES = frozenset(
    {"timestamp", "time", "ts", "date", "datetime", "epoch", "unixtime", "dataloggertimestamp", "datatime", "systimestamp",
     "currenttimestamp", "currentdate", "recordtime", "measuredat"}
)  # fmt: skip
_NAMES = ("type", "name", "key", "measurement", "parameter", "label", "id")
_VALUES = ("value", "measurementValue", "val", "v")


def object_values(
    body: Mapping[str, Any],
    dropped: dict[str, str],
    *,
    device: Device | None,
    zone: zoneinfo.ZoneInfo,
    received_ms: int,
) -> list[Value]:
    """All values of *body*. Those of a record with a plausible time of its own carry it."""
    own_ms = _own_time(body, received_ms, zone, exact=True)
    values = named_values(body, dropped, device=device, time_ms=own_ms)
    for key, raw in body.items():
        if isinstance(raw, list):
            for record in _records(raw):
                values += _record(key, record, dropped, device, zone, received_ms)
    return first_of_each(values)


def _records(raw: list[Any]) -> Iterator[Mapping[str, Any]]:
    """The objects of a list, and of lists in it (SenseCAP packs its messages twice)."""
    for one in raw[:_MOST_RECORDS]:
        for record in one[:_MOST_RECORDS] if isinstance(one, list) else [one]:
            if isinstance(record, dict):
                yield record


def _record(
    key: str,
    record: Mapping[str, Any],
    dropped: dict[str, str],
    device: Device | None,
    zone: zoneinfo.ZoneInfo,
    received_ms: int,
) -> list[Value]:
    name = next((record[one] for one in _NAMES if isinstance(record.get(one), str)), "")
    raw = next((record[one] for one in _VALUES if one in record), None)
    time_ms = _own_time(record, received_ms, zone, exact=False)
    if name and raw is not None:
        found = registered(name, device) or meaning(name)
        unit = record.get("unit")
        stated = unit if isinstance(unit, str) else ""
        value = value_of(found, name, raw, dropped, unit=stated, time_ms=time_ms) if found else None
        return [] if value is None else [value]
    if time_ms is None:  # a list of records that say neither what nor when
        return []
    inside: dict[str, str] = {}
    values = named_values(record, inside, device=device, time_ms=time_ms)
    dropped |= {f"{key}.{field}": why for field, why in inside.items()}
    return values


def _own_time(
    body: Mapping[str, Any], received_ms: int, zone: zoneinfo.ZoneInfo, *, exact: bool
) -> int | None:
    """The record's own time, where plausible. *exact*: only an epoch or a text with offset counts, as a codec
    writes the zone of the server it runs on.
    """
    for key, raw in body.items():
        if key.replace("_", "").replace(" ", "").lower() not in _TIMES:
            continue
        if exact and isinstance(raw, str) and not raw.strip().endswith("Z") and "+" not in raw[10:]:
            continue
        found = plausible(parse(raw, zone), received_ms)
        if found is not None:
            return found
    return None
