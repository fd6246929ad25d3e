"""Data records of M-Bus: what DIF and VIF say of a value, and the value (EN 13757-3, 6.3 to 6.6 and annex A).

A record is a DIF (length and coding, kind of value, storage), its extensions, a VIF (quantity and power of ten), its
extensions, and the data, little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

_EXTENDED = 0x80
_FILLER, _MAKERS_OWN, _MAKERS_OWN_MORE = 0x2F, 0x0F, 0x1F
_FLOAT, _VARIABLE, _SPECIAL = 0x5, 0xD, 0xF
#: bytes by the DIF's lower four bits
_SIZES = (0, 1, 2, 3, 4, 4, 6, 8, 0, 1, 2, 3, 4, -1, 6, -1)
_DECIMAL = frozenset({0x9, 0xA, 0xB, 0xC, 0xE})
_PLAIN_TEXT = (0x7C, 0xFC)
_SECOND_TABLE, _FIRST_TABLE, _MAKERS_VIF = 0xFD, 0xFB, 0x7F
#: more extensions than the standard allows
_MOST_EXTENSIONS = 10


class BadRecord(Exception):
    """Raised where the bytes are no records."""


class Record(NamedTuple):
    """One value; *vif* without its extension bit, behind the *table* byte (0xFD, 0xFB) or 0 for the primary table.

    *function* is 0 for now, 1 for a maximum, 2 for a minimum, 3 for a value during an error; *storage* 0 is the present.
    *number* is None for texts, for no data, and for decimals that hold none; *raw* is the data as it came.
    """

    function: int
    storage: int
    tariff: int
    subunit: int
    table: int
    vif: int
    extensions: tuple[int, ...]
    number: float | None
    raw: bytes


def records(body: bytes) -> Iterator[Record]:
    """All records until the end, or until the maker's own data; raises :class:`BadRecord` where one is cut off."""
    left = _Bytes(body)
    while left:
        dif = left.byte()
        if dif == _FILLER:
            continue
        if dif in {_MAKERS_OWN, _MAKERS_OWN_MORE}:
            return
        if dif & 0xF == _SPECIAL:
            raise BadRecord(f"DIF {dif:#04x} is reserved")
        yield _record(dif, left)


class _Bytes:
    """Bytes taken from the front."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._body)

    def take(self, count: int) -> bytes:
        """The next *count* bytes; raises BadRecord where there are fewer."""
        found = self._body[self._at : self._at + count]
        if len(found) < count:
            raise BadRecord(f"{count} bytes expected at {self._at}, {len(found)} are there")
        self._at += count
        return found

    def byte(self) -> int:
        """The next byte, 0 to 255; raises BadRecord at the end."""
        return self.take(1)[0]


def _record(dif: int, left: _Bytes) -> Record:
    storage, tariff, subunit, last = dif >> 6 & 1, 0, 0, dif
    for number in range(_MOST_EXTENSIONS + 1):
        if not last & _EXTENDED:
            break
        last = left.byte()
        storage |= (last & 0xF) << (1 + 4 * number)
        tariff |= (last >> 4 & 3) << (2 * number)
        subunit |= (last >> 6 & 1) << number
    table, vif, extensions, own = _vif(left)
    number_of, raw = _data(dif & 0xF, left)
    return Record(
        dif >> 4 & 3, storage, tariff, subunit, table, vif, extensions, None if own else number_of, raw
    )


def _vif(left: _Bytes) -> tuple[int, int, tuple[int, ...], bool]:
    """Table, VIF and its extensions; True where the maker or a text in the record names the quantity."""
    first = left.byte()
    table, vif = (first, left.byte()) if first in {_SECOND_TABLE, _FIRST_TABLE} else (0, first)
    own = table == 0 and (vif & 0x7F == _MAKERS_VIF or vif in _PLAIN_TEXT)
    if table == 0 and vif in _PLAIN_TEXT:  # the unit in words, before the extensions
        left.take(left.byte())
    extensions: list[int] = []
    last = vif
    while last & _EXTENDED:
        if len(extensions) == _MOST_EXTENSIONS:
            raise BadRecord(f"more than {_MOST_EXTENSIONS} extensions of a VIF")
        last = left.byte()
        extensions.append(last & 0x7F)
    return table, vif & 0x7F, tuple(extensions), own


def _data(coding: int, left: _Bytes) -> tuple[float | None, bytes]:
    if coding == _VARIABLE:
        return _variable(left)
    raw = left.take(_SIZES[coding])
    if coding == _FLOAT:
        return float(struct.unpack("<f", raw)[0]), raw
    if coding in _DECIMAL:
        return _decimal(raw), raw
    return (float(int.from_bytes(raw, "little", signed=True)) if raw else None), raw


def _variable(left: _Bytes) -> tuple[float | None, bytes]:
    """Text, decimals or a binary number, by the length byte."""
    length = left.byte()
    match length >> 4:
        case 0xC:
            raw = left.take(length & 0xF)
            return _decimal(raw), raw
        case 0xD:
            raw = left.take(length & 0xF)
            found = _decimal(raw)
            return (None if found is None else -found), raw
        case 0xE:
            raw = left.take(length & 0xF)
            return (float(int.from_bytes(raw, "little", signed=True)) if raw else None), raw
        case 0xF:
            raise BadRecord(f"variable length {length:#04x} is reserved")
        case _:
            return None, left.take(length)


def _decimal(raw: bytes) -> float | None:
    """Two digits a byte, the highest one F for a minus; None where a digit is none (a value that cannot be shown)."""
    digits = raw[::-1].hex()
    sign = -1.0 if digits.startswith("f") else 1.0
    digits = digits.removeprefix("f")
    return sign * int(digits) if digits.isdecimal() else None
