"""Messages of Sparkplug B, encoded by a library of others, and what we read of them."""

from __future__ import annotations

import pytest

from campus.clock import parse_iso
from ingest.decoding.registry import Registry
from ingest.message import Message

pytest.importorskip("esio_spb_builder", reason="the peer library of the dev group is not installed")
wire = pytest.importorskip("esio_spb_builder.core.sparkplug_b_pb2")

NOW_MS = parse_iso("2026-11-21T04:00:00Z")
NODE = "spBv1.0/campus/{}/edge"
DEVICE = "spBv1.0/campus/{}/edge/meter"


def metric(
    payload, name=None, value=None, datatype=None, *, alias=None, time_ms=None, historical=False, **properties
):
    """One metric, set the way the runtime's generated code has it."""
    given = {"name": name, "alias": alias, "timestamp": time_ms}
    one = payload.metrics.add(**{key: said for key, said in given.items() if said is not None})
    if datatype is not None:
        one.datatype = wire.DataType.Value(datatype)
    one.is_historical = historical
    field, sent = held(value, datatype)
    setattr(one, field, sent)
    for key, said in properties.items():
        one.properties.keys.append(key)
        told = {"type": 12, "string_value": said} if isinstance(said, str) else {"type": 3, "int_value": said}
        one.properties.values.add(**told)


def held(value, datatype):
    """The field that holds *value*, and what is written to it."""
    if isinstance(value, bool) or value is None:
        return ("is_null", True) if value is None else ("boolean_value", value)
    if isinstance(value, int):
        long = datatype in {"Int64", "UInt64", "DateTime"}
        return ("long_value", value & (1 << 64) - 1) if long else ("int_value", value & (1 << 32) - 1)
    return ("double_value", value) if isinstance(value, float) else ("string_value", value)


def payload(sequence=None, time_ms=NOW_MS):
    found = wire.Payload(timestamp=time_ms)
    if sequence is not None:
        found.seq = sequence
    return found


def decode(topic, body, hints, received_ms=NOW_MS):
    raw = body if isinstance(body, bytes) else body.SerializeToString()
    return Registry().decode(Message(topic, raw, received_ms), hints)[1]


def read(topic, body, hints, received_ms=NOW_MS):
    (report,) = decode(topic, body, hints, received_ms).reports
    return report


def values(report):
    return {(value.quantity, value.channel): (value.value, value.unit) for value in report.values}


def born(hints, received_ms=NOW_MS):
    birth = payload(0)
    metric(birth, "bdSeq", 4, "Int64")
    decode(NODE.format("NBIRTH"), birth, hints, received_ms)
    birth = payload(1)
    metric(birth, "Inputs/Freezer 1/Temperature", -18.5, "Double", alias=1, engUnit="°C")
    metric(birth, "Phase A/Voltage", 2215, "UInt16", alias=2, engUnit="0.1V")
    metric(birth, "Counter", -3, "Int16", alias=3)
    metric(birth, "Properties/Make", "x", "String")
    return read(DEVICE.format("DBIRTH"), birth, hints, received_ms)
