"""A batch of readings as bytes: columns, with each series written once a batch.

``[series table, series index, value, time, received, quality]`` as MessagePack; times are differences to the
batch's first, which keeps them short. About 20 bytes a reading.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series


class _Columns(msgspec.Struct, array_like=True, gc=False):
    base_ms: int
    series: list[tuple[str, str, str]]
    index: list[int]
    value: list[float]
    time: list[int]
    received: list[int]
    quality: dict[int, int]


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Columns)


def encode(readings: Sequence[Reading]) -> bytes:
    """The bytes of *readings*, in their order; empty bytes for none."""
    if not readings:
        return b""
    base_ms = readings[0].received_ms
    numbers: dict[Series, int] = {}
    index = [numbers.setdefault(one.series, len(numbers)) for one in readings]
    value = [one.value for one in readings]
    time = [one.time_ms - base_ms for one in readings]
    received = [one.received_ms - base_ms for one in readings]
    quality = {at: int(one.quality) for at, one in enumerate(readings) if one.quality}
    series = [(one.device, one.quantity.value, one.channel) for one in numbers]
    return _ENCODER.encode(_Columns(base_ms, series, index, value, time, received, quality))


def decode(encoded: bytes) -> tuple[Reading, ...]:
    """The readings of *encoded*; raises :class:`ValueError` for bytes that are no batch."""
    if not encoded:
        return ()
    columns = _DECODER.decode(encoded)
    series = [Series(device, Quantity(quantity), channel) for device, quantity, channel in columns.series]
    base_ms, quality = columns.base_ms, columns.quality
    try:
        return tuple(
            Reading(
                series[number], value, base_ms + time, base_ms + received,
                Quality(quality[position]) if position in quality else Quality.GOOD,
            )
            for position, (number, value, time, received) in enumerate(
                zip(columns.index, columns.value, columns.time, columns.received, strict=True)
            )
        )  # fmt: skip
    except IndexError as error:
        raise ValueError("a reading names a series the batch does not hold") from error
