"""Sparkplug B's payload: metrics with names or aliases, their own times, datatypes and properties.

Source: Sparkplug 3.0.0 (ISO/IEC 20237:2023), chapter 6, "Payload Definition": field numbers and datatypes.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator

import msgspec

from ingest.decoding.wire.document import LARGEST_BYTES
from ingest.decoding.wire.protobuf_wire import FIXED32, FIXED64, LENGTH, VARINT, as_double, as_float, fields
from ingest.errors import Rejected

#: a name longer than that is no name; topics and stores end there too
LONGEST_NAME = 256
#: templates within templates, and metrics in one payload
_DEEPEST = 4
MOST_METRICS = 5_000
_MOST_PROPERTIES = 64


class DataType(enum.IntEnum):
    """The datatypes that hold one value; all others (sets, arrays, files) are only known by being none of these."""

    UNKNOWN = 0
    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    DATETIME = 13
    TEXT = 14
    UUID = 15


_SIGNED_BITS = {DataType.INT8: 8, DataType.INT16: 16, DataType.INT32: 32, DataType.INT64: 64}
_UNSIGNED_BITS = {DataType.UINT8: 8, DataType.UINT16: 16, DataType.UINT32: 32, DataType.UINT64: 64}

Scalar = int | float | bool | str | None


class Metric(msgspec.Struct, kw_only=True):
    """One metric as sent; *value* is raw until :func:`typed`. *template* holds the metrics of a template instance."""

    name: str = ""
    alias: int | None = None
    time_ms: int | None = None
    datatype: int = 0
    historical: bool = False
    null: bool = False
    value: Scalar = None
    #: the value was an integer, which is unsigned on the wire whatever it means
    integer: bool = False
    properties: dict[str, Scalar] = {}
    template: list[Metric] = []


class Payload(msgspec.Struct, kw_only=True):
    """*sequence* is 0 to 255, one more with each message of a node, 0 again with its birth."""

    time_ms: int | None = None
    sequence: int | None = None
    metrics: list[Metric] = []


def payload_of(data: bytes) -> Payload:
    """The payload of *data*; raises :class:`Rejected` naming what is wrong with it."""
    if not data:
        raise Rejected("empty", "the payload is empty")
    if len(data) > LARGEST_BYTES:
        raise Rejected("too_large", f"{len(data)} bytes; expected at most {LARGEST_BYTES}")
    found = Payload()
    left = MOST_METRICS
    for number, kind, raw in fields(data):
        if kind == VARINT and isinstance(raw, int):
            if number == 1:
                found.time_ms = raw
            elif number == 3:
                found.sequence = raw
        elif number == 2 and kind == LENGTH and isinstance(raw, bytes):
            metric = _metric(raw, 0)
            left -= 1 + len(metric.template)
            if left < 0:
                raise Rejected("too_many_values", f"expected at most {MOST_METRICS} metrics in a message")
            found.metrics.append(metric)
    return found


def typed(metric: Metric, datatype: int) -> Scalar:
    """The metric's value read as *datatype*; None for null and for what holds no single value.

    Integers are carried in unsigned fields of 32 or 64 bits, negative ones as two's complement: some libraries
    extend the sign to the field's width, some to the datatype's, so the datatype's own bits decide.
    """
    if metric.null or metric.value is None or not metric.integer:
        return None if metric.null else metric.value
    raw = int(metric.value)
    if datatype in _SIGNED_BITS:
        bits = _SIGNED_BITS[DataType(datatype)]
        raw &= (1 << bits) - 1
        return raw - (1 << bits) if raw >> (bits - 1) else raw
    if datatype in _UNSIGNED_BITS:
        return raw & ((1 << _UNSIGNED_BITS[DataType(datatype)]) - 1)
    return bool(raw) if datatype == DataType.BOOLEAN else raw


def _metric(data: bytes, depth: int) -> Metric:
    found = Metric()
    for number, kind, raw in fields(data):
        if kind == VARINT and isinstance(raw, int):
            _of_varint(found, number, raw)
        elif isinstance(raw, bytes):
            _of_bytes(found, number, kind, raw, depth)
    return found


def _of_varint(metric: Metric, number: int, raw: int) -> None:
    match number:
        case 2:
            metric.alias = raw
        case 3:
            metric.time_ms = raw
        case 4:
            metric.datatype = raw & 0xFFFF_FFFF
        case 5:
            metric.historical = bool(raw)
        case 7:
            metric.null = bool(raw)
        case 10 | 11:
            _set(metric, raw & 0xFFFF_FFFF if number == 10 else raw, integer=True)
        case 14:
            _set(metric, bool(raw))
        case _:
            pass


def _of_bytes(metric: Metric, number: int, kind: int, raw: bytes, depth: int) -> None:
    match number, kind:
        case 1, 2:
            metric.name = _text(raw)
        case 9, 2:
            metric.properties = dict(_properties(raw))
        case 12, _ if kind == FIXED32:
            _set(metric, as_float(raw))
        case 13, _ if kind == FIXED64:
            _set(metric, as_double(raw))
        case 15, 2:
            _set(metric, _text(raw))
        case 18, 2:
            _set(metric, None)
            metric.template = _template(raw, depth + 1)
        case _:
            pass


def _set(metric: Metric, value: Scalar, *, integer: bool = False) -> None:
    """The values are one of many: the last one written counts."""
    metric.value, metric.integer, metric.template = value, integer, []


def _template(data: bytes, depth: int) -> list[Metric]:
    """The metrics of a template instance, those of templates in it beside them under joined names."""
    found: list[Metric] = []
    for number, kind, raw in fields(data):
        if number == 5 and raw:  # a definition: names and types, no values
            return []
        if number != 2 or kind != LENGTH or not isinstance(raw, bytes):
            continue
        if depth >= _DEEPEST or len(found) > MOST_METRICS:
            raise Rejected("too_deep", "templates are nested too deeply, or hold too many metrics")
        metric = _metric(raw, depth)
        for inside in metric.template:
            inside.name = f"{metric.name}/{inside.name}"
        found += metric.template or [metric]
    return found


def _properties(data: bytes) -> Iterator[tuple[str, Scalar]]:
    """A property set: keys and values are two lists of one length."""
    keys: list[str] = []
    values: list[Scalar] = []
    for number, kind, raw in fields(data):
        if kind != LENGTH or not isinstance(raw, bytes) or len(keys) > _MOST_PROPERTIES:
            continue
        if number == 1:
            keys.append(_text(raw))
        elif number == 2:
            values.append(_property(raw))
    return zip(keys, values, strict=False)


def _property(data: bytes) -> Scalar:
    found: Scalar = None
    for number, kind, raw in fields(data):
        if isinstance(raw, int):
            if kind == VARINT and number in {3, 4}:
                found = raw
            elif kind == VARINT and number == 7:
                found = bool(raw)
        elif number == 5 and kind == FIXED32:
            found = as_float(raw)
        elif number == 6 and kind == FIXED64:
            found = as_double(raw)
        elif number == 8 and kind == LENGTH:
            found = _text(raw)
    return found


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise Rejected("not_utf8", f"byte {error.start} of a text is not UTF-8") from error
