"""Replies of Modbus devices as bytes: RTU with its CRC (Modbus over serial line 1.02, 2.5.1), TCP with its header."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from ingest.errors import Rejected

_EXCEPTION = 0x80
_READS = {1, 2, 3, 4}
_POLYNOMIAL = 0xA001
#: unit, function and byte count before the data; the checksum behind it
_HEAD, _CRC = 3, 2
_MBAP = struct.Struct(">HHH")
_WORDS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    6: "busy",
    11: "no answer behind the gateway",
}


class Reply(NamedTuple):
    """What unit *unit* answered; *exception* says why there is no *data*."""

    unit: int
    function: int
    data: bytes
    exception: str = ""


def crc16(raw: bytes) -> int:
    """The checksum of an RTU frame; it is sent with the low byte first."""
    crc = 0xFFFF
    for byte in raw:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ _POLYNOMIAL if crc & 1 else crc >> 1
    return crc


def rtu(raw: bytes) -> Iterator[Reply]:
    """All replies of *raw*, as a DTU may send several at once; raises :class:`Rejected` for what is none."""
    at = 0
    while at < len(raw):
        size = _size(raw[at:])
        frame = raw[at : at + size]
        if len(frame) < size:
            raise Rejected("cut_off", f"{frame[:32].hex()} is {len(frame)} bytes; expected {size}")
        body, sent = frame[:-_CRC], int.from_bytes(frame[-_CRC:], "little")
        if crc16(body) != sent:
            raise Rejected(
                "bad_crc", f"{frame[:32].hex()} ends with CRC {sent:04x}; expected {crc16(body):04x}"
            )
        yield _reply(body)
        at += size


def tcp(raw: bytes) -> Iterator[Reply]:
    """All replies of *raw* behind their MBAP headers; raises :class:`Rejected` for what is none."""
    at = 0
    while at < len(raw):
        if len(raw) - at < _MBAP.size:
            raise Rejected("cut_off", f"{raw[at:].hex()} is shorter than a Modbus TCP header")
        _, protocol, size = _MBAP.unpack_from(raw, at)
        at += _MBAP.size
        body = raw[at : at + size]
        if protocol:
            raise Rejected("not_modbus", f"protocol {protocol} in the header; expected 0")
        if size < _HEAD or len(body) < size or _size(body) - _CRC != size:
            raise Rejected("cut_off", f"{body[:32].hex()} is no reply of {size} bytes")
        yield _reply(body)
        at += size


def _size(frame: bytes) -> int:
    """The bytes of the reply that *frame* begins with, its CRC among them."""
    if len(frame) < _HEAD:
        raise Rejected("cut_off", f"{frame.hex()} is shorter than any reply")
    function = frame[1]
    if function & _EXCEPTION:
        return _HEAD + _CRC
    if function not in _READS:
        raise Rejected("not_modbus", f"function {function}; expected a reply to a reading (1 to 4)")
    return _HEAD + frame[2] + _CRC


def _reply(body: bytes) -> Reply:
    unit, function, third = body[:_HEAD]
    if function & _EXCEPTION:
        return Reply(unit, function & ~_EXCEPTION, b"", _WORDS.get(third, f"exception {third}"))
    return Reply(unit, function, body[_HEAD:])
