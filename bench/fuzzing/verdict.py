"""What became of one case: a word for it, or the exception that a decoder must not raise."""

from __future__ import annotations

import functools
import math

from campus.modbus import ModbusMapping
from campus.site import GenericMapping
from ingest.decoding.formats.described.generic import GenericJson
from ingest.decoding.formats.described.raw_modbus import RawModbus
from ingest.decoding.registry import Registry, decoders
from ingest.errors import Rejected

MAPPING = GenericMapping.model_validate(
    {
        "address": "topic:1",
        "records": "list[*]",
        "time": {"path": "ts", "format": "epoch"},
        "fields": {"v[0].t": {"quantity": "temperature", "unit": "°C"}},
    }
)
REGISTERS = ModbusMapping.model_validate(
    {
        "kind": "modbus",
        "address": "topic:1",
        "replies": [
            {
                "values": [
                    {"offset": 0, "type": "int16", "scale": 0.1, "quantity": "temperature"},
                    {"offset": 1, "type": "float32", "order": "CDAB", "quantity": "water_volume"},
                ]
            },
            {"function": 2, "values": [{"offset": 9, "type": "bit", "quantity": "leak_detected"}]},
        ],
    }
)
#: a reading may be this far ahead of its receipt (ingest.decoding.timestamp)
AHEAD_MS = 600_000


@functools.cache
def _decoders():
    return decoders() | {
        GenericJson.name: GenericJson(MAPPING),
        RawModbus.name: RawModbus(REGISTERS),
    }


@functools.cache
def _registry():
    return Registry()


def verdict(name, message, hints):
    """A rejection's code, or whether there were values; decoders are asked themselves, past the registry's guard."""
    try:
        decoder = _decoders()[name] if name else _registry().choose(message)
        decoded = decoder.decode(message, hints)
    except Rejected as rejected:
        return rejected.code or "a rejection without a code"
    for report in decoded.reports:
        assert report.address, "a report without an address"
        assert all(isinstance(why, str) for why in (*report.dropped.values(), *report.flags.values()))
        for value in report.values:
            assert math.isfinite(value.value), f"{value}"
            assert isinstance(value.unit, str), f"{value}"
            assert value.quantity, f"{value}"
            assert value.time_ms is None or value.time_ms <= message.received_ms + AHEAD_MS, f"{value}"
    if decoded.ignored:
        return "ignored"
    return "read" if any(report.values for report in decoded.reports) else "no values"
