"""Protocol Buffers' wire format: the numbered fields of one message, read within bounds.

Source: protobuf.dev, Encoding. Written here instead of taken from the ``protobuf`` runtime because one frozen schema
(``sparkplug_payload``) needs five wire types and no more: the runtime would come with generated code that has to be
renewed with each of its major versions and with a schema under another licence. The tests compare it with that runtime.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from ingest.errors import Rejected

VARINT, FIXED64, LENGTH, START_GROUP, END_GROUP, FIXED32 = range(6)
#: a varint of 64 bits takes ten bytes at the most
_LONGEST_VARINT = 10
_MOST_BITS = (1 << 64) - 1
_LARGEST_NUMBER = (1 << 29) - 1
#: groups are of protobuf's first years and in no schema of ours; one is skipped, nested ones are refused
_DEEPEST_GROUP = 8

_DOUBLE = struct.Struct("<d")
_FLOAT = struct.Struct("<f")


def fields(data: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """Number, wire type and raw value of each field of *data*; raises :class:`Rejected` where it is none.

    Integers come unsigned with 64 bits, fixed and length-delimited ones as bytes.
    """
    at, size = 0, len(data)
    while at < size:
        key, at = varint(data, at)
        number, kind = key >> 3, key & 7
        if not 0 < number <= _LARGEST_NUMBER:
            raise _malformed(f"field number {number}")
        if kind == START_GROUP:
            at = _after_group(data, at, number, 0)
            continue
        value, at = _value(data, at, kind)
        yield number, kind, value


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The integer at *at*, cut to 64 bits, and where the next one begins; raises Rejected where it does not end."""
    try:
        found = data[at]
        if found < 0x80:
            return found, at + 1
        found &= 0x7F
        for count in range(1, _LONGEST_VARINT):
            byte = data[at + count]
            found |= (byte & 0x7F) << 7 * count
            if byte < 0x80:
                return found & _MOST_BITS, at + count + 1
    except IndexError as error:
        raise _malformed("the message ends within a number") from error
    raise _malformed("a number of more than ten bytes")


def as_float(value: bytes) -> float:
    """Exactly four bytes, little-endian, as IEEE 754 single precision."""
    return float(_FLOAT.unpack(value)[0])


def as_double(value: bytes) -> float:
    """Exactly eight bytes, little-endian, as IEEE 754 double precision."""
    return float(_DOUBLE.unpack(value)[0])


def _value(data: bytes, at: int, kind: int) -> tuple[int | bytes, int]:
    if kind == VARINT:
        return varint(data, at)
    if kind == LENGTH:
        length, at = varint(data, at)
    elif kind == FIXED64:
        length = 8
    elif kind == FIXED32:
        length = 4
    else:
        raise _malformed(f"wire type {kind}")
    end = at + length
    if end > len(data):
        raise _malformed(f"a field of {length} bytes where {len(data) - at} are left")
    return data[at:end], end


def _after_group(data: bytes, at: int, number: int, depth: int) -> int:
    """Where the group *number* ends; what is in it is of no schema here."""
    if depth >= _DEEPEST_GROUP:
        raise _malformed("groups nested too deeply")
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == END_GROUP:
            if key >> 3 != number:
                raise _malformed("a group ends with another one's number")
            return at
        at = (
            _after_group(data, at, key >> 3, depth + 1)
            if key & 7 == START_GROUP
            else _value(data, at, key & 7)[1]
        )
    raise _malformed("a group without an end")


def _malformed(what: str) -> Rejected:
    return Rejected("malformed_protobuf", what)
