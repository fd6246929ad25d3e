"""A block: neighbouring points of one series, packed, with the roll-up of each hour they touch."""

from __future__ import annotations

import zlib

import msgspec

from campus.clock import HOUR_MS
from store.timeseries.contract import Aggregate
from store.timeseries.embedded.columns import (
    Column,
    pack_floats,
    pack_ints,
    scaled_ints,
    unpack_floats,
    unpack_ints,
)
from store.timeseries.embedded.parts import COLUMN, Parts, parts_of
from store.timeseries.points import Points

#: points in a block at most: few enough to be rewritten for a late one, enough to compress
MOST_POINTS = 512
#: zlib's: higher levels take twice the time and save 2 %
_LEVEL = 4
#: what zlib's own header begins with; MessagePack's array never does
_ZLIB = 0x78


class _Packed(msgspec.Struct, array_like=True, frozen=True, gc=False):
    count: int
    times: Column
    values: Column
    #: empty where all are good
    qualities: bytes


class _PackedHours(msgspec.Struct, array_like=True, frozen=True, gc=False):
    count: int
    starts: Column
    counts: Column
    totals: Column
    lows: Column
    highs: Column
    openings: Column
    closings: Column


_ENCODER = msgspec.msgpack.Encoder()
_POINTS = msgspec.msgpack.Decoder(_Packed)
_HOURS = msgspec.msgpack.Decoder(_PackedHours)


def pack(points: Points) -> tuple[bytes, bytes]:
    """The hours and the points as bytes. Sums of decimals are exact, as they are added as whole numbers."""
    times, values = points.times, points.values
    scaled = scaled_ints(values)
    if scaled is None:
        hours = pack_hours(parts_of(times, values, HOUR_MS))
        column = pack_floats(values)
    else:
        ints, scale = scaled
        hours = pack_hours(parts_of(times, ints, HOUR_MS), scale)
        column = pack_ints(ints, scale)
    qualities = points.qualities if any(points.qualities) else b""
    return hours, _squeezed(_Packed(len(times), pack_ints(times), column, qualities))


def unpack(packed: bytes) -> Points:
    """The points of a block; raises :class:`ValueError` for bytes that are none."""
    body = _POINTS.decode(_loosened(packed))
    times, values = unpack_ints(body.times, body.count), unpack_floats(body.values, body.count)
    return Points(times, values, body.qualities or bytes(body.count))


def pack_hours(parts: Parts, scale: int = 0) -> bytes:
    """The roll-ups as bytes; where *scale* is given the values are whole numbers to be divided by it."""

    def packed(values: list[float]) -> Column:
        return pack_ints(values, scale) if scale else pack_floats(values)  # type: ignore[arg-type]  # ints then

    return _squeezed(
        _PackedHours(
            len(parts.starts), pack_ints(parts.starts), pack_ints(parts.counts), packed(parts.totals),
            packed(parts.lows), packed(parts.highs), packed(parts.openings), packed(parts.closings),
        )
    )  # fmt: skip


def unpack_hours(packed: bytes) -> Parts:
    """All of the roll-ups."""
    body = _HOURS.decode(_loosened(packed))
    whole = [unpack_ints(one, body.count) for one in (body.starts, body.counts)]
    columns = (body.totals, body.lows, body.highs, body.openings, body.closings)
    return Parts(whole[0], whole[1], *(unpack_floats(one, body.count) for one in columns))


def unpack_column(packed: bytes, aggregate: Aggregate) -> tuple[list[int], list[float], list[int]]:
    """What one aggregate needs of the roll-ups: their starts, its column, and for the mean the counts."""
    body = _HOURS.decode(_loosened(packed))
    values = unpack_floats(getattr(body, COLUMN[aggregate]), body.count)
    counts = unpack_ints(body.counts, body.count) if aggregate is Aggregate.MEAN else []
    return unpack_ints(body.starts, body.count), values, counts


def _squeezed(body: msgspec.Struct) -> bytes:
    plain = _ENCODER.encode(body)
    small = zlib.compress(plain, _LEVEL)
    return small if len(small) < len(plain) else plain


def _loosened(packed: bytes) -> bytes:
    try:
        return zlib.decompress(packed) if packed[:1] == bytes((_ZLIB,)) else packed
    except zlib.error as error:
        raise ValueError(str(error)) from error
