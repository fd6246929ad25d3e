"""A column of numbers in few bytes: what each step exceeds the smallest one by, bytes of equal weight side by side.

Meters and probes send decimal numbers at nearly even intervals, so a column's steps are nearly alike. Written as
``(step - smallest) / greatest common divisor`` in the narrowest width, and with all high bytes before all low ones,
general compression finds little more than the noise. Everything is done by loops within the interpreter's own C
code, at about 0.2 µs a number, with no library.
"""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Sequence
from itertools import accumulate
from operator import sub

import msgspec

#: array codes by width in bytes
_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}
_SCALES = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)
#: whole numbers up to here are exact as floats
_EXACT = 2**53


class Column(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Numbers ``first, first + base + unit * rest[0], …``, each divided by *scale*; raw floats where that is 0."""

    first: int
    base: int
    unit: int
    width: int
    scale: int
    planes: bytes


def pack_ints(numbers: Sequence[int], scale: int = 1) -> Column:
    """Whole numbers, at least one; *scale* is what they are to be divided by when read."""
    steps = list(map(sub, numbers[1:], numbers))
    base = min(steps, default=0)
    rest = [step - base for step in steps]
    top = max(rest, default=0)
    if top == 0:
        return Column(numbers[0], base, 1, 0, scale, b"")
    unit = math.gcd(*rest)
    if unit > 1:
        rest = [step // unit for step in rest]
    width = next(width for width in _CODES if top // unit < 256**width)
    return Column(numbers[0], base, unit, width, scale, _planes(array(_CODES[width], rest)))


def unpack_ints(column: Column, count: int) -> list[int]:
    """The *count* whole numbers that were packed, not yet divided."""
    first, base, unit = column.first, column.base, column.unit
    if column.width == 0:
        return [first] * count if base == 0 else list(range(first, first + base * count, base))
    rest = array(_CODES[column.width])
    rest.frombytes(_interleaved(column.planes, column.width))
    _swap(rest)
    if len(rest) != count - 1:
        raise ValueError(f"a column of {len(rest) + 1} numbers, expected {count}")
    steps = map(base.__add__, rest if unit == 1 else [unit * step for step in rest])
    return list(accumulate(steps, initial=first))


def pack_floats(values: Sequence[float]) -> Column:
    """Floats, at least one: as whole numbers of the fewest decimals where that is exact."""
    scaled = scaled_ints(values)
    if scaled is None:
        return Column(0, 0, 1, 8, 0, _planes(array("d", values)))
    return pack_ints(*scaled)


def unpack_floats(column: Column, count: int) -> list[float]:
    """The *count* floats that were packed."""
    if column.scale == 0:
        values = array("d")
        values.frombytes(_interleaved(column.planes, 8))
        _swap(values)
        if len(values) != count:
            raise ValueError(f"a column of {len(values)} numbers, expected {count}")
        return values.tolist()
    scale = column.scale
    if scale == 1:
        return list(map(float, unpack_ints(column, count)))
    return [number / scale for number in unpack_ints(column, count)]


def scaled_ints(values: Sequence[float]) -> tuple[list[int], int] | None:
    """*values* as whole numbers and what divides them back to the very same floats; None where no decimals do.

    A negative zero comes back as zero.
    """
    largest = max(map(abs, values))
    sample = (values[0], values[len(values) // 2], values[-1])
    for scale in _SCALES:
        if largest * scale >= _EXACT:
            return None
        if any(round(value * scale) / scale != value for value in sample):
            continue
        ints = [round(value * scale) for value in values]
        if all(number / scale == value for number, value in zip(ints, values, strict=True)):
            return ints, scale
    return None


def _planes(numbers: array[int] | array[float]) -> bytes:
    _swap(numbers)
    raw, width = numbers.tobytes(), numbers.itemsize
    return raw if width == 1 else b"".join(raw[at::width] for at in range(width))


def _interleaved(planes: bytes, width: int) -> bytearray:
    count, left = divmod(len(planes), width)
    if left:
        raise ValueError(f"{len(planes)} bytes are no numbers of {width} bytes")
    raw = bytearray(len(planes))
    for at in range(width):
        raw[at::width] = planes[at * count : (at + 1) * count]
    return raw


def _swap(numbers: array[int] | array[float]) -> None:
    """Makes a file read alike on every machine: its bytes are little-endian."""
    if sys.byteorder == "big":  # pragma: no cover - none to test on
        numbers.byteswap()
