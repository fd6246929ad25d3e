"""What was written lately and is not yet packed: columns in memory, and the same as rows of the file.

A write adds one row of columns to the file, which costs next to nothing, and the same columns to memory, which
answers questions. When there is enough of it, it is packed series by series (see :mod:`store.timeseries.embedded.block`) and
its rows go. A crash at any moment loses nothing of it: the rows are read again on opening, and packing the same
points twice changes nothing.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator

import msgspec

from store.timeseries.contract import Point
from store.timeseries.points import NO_POINTS, Points, in_order


class FreshBatch(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Readings of one write as columns: series number, time, value, quality."""

    numbers: list[int]
    times: list[int]
    values: list[float]
    qualities: bytes

    def __len__(self) -> int:
        return len(self.times)


class _Row(msgspec.Struct, array_like=True, frozen=True, gc=False):
    numbers: bytes
    base_ms: int
    #: times since the first of them, in 4 bytes each, or in 8 where they span more than 49 days
    times: bytes
    values: bytes
    #: empty where all are good
    qualities: bytes


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Row)


def encode(batch: FreshBatch) -> bytes:
    """A batch as a row of the file: 16 bytes a reading."""
    base_ms = min(batch.times)
    code = "I" if max(batch.times) - base_ms < 2**32 else "Q"
    columns = (
        array("I", batch.numbers),
        array(code, [time_ms - base_ms for time_ms in batch.times]),
        array("d", batch.values),
    )
    numbers, times, values = (column.tobytes() for column in columns)
    return _ENCODER.encode(
        _Row(numbers, base_ms, times, values, batch.qualities.strip(b"\0") and batch.qualities)
    )


def decode(row: bytes) -> FreshBatch:
    """The batch of a row."""
    body = _DECODER.decode(row)
    count = len(body.values) // 8
    numbers, times, values = array("I"), array("I" if len(body.times) == 4 * count else "Q"), array("d")
    numbers.frombytes(body.numbers)
    times.frombytes(body.times)
    values.frombytes(body.values)
    base_ms = body.base_ms
    return FreshBatch(
        numbers.tolist(),
        [base_ms + time_ms for time_ms in times],
        values.tolist(),
        body.qualities or bytes(count),
    )


class _Buffer:
    """The fresh points of one series, as they came."""

    __slots__ = ("in_order", "newest", "newest_ms", "qualities", "times", "values")

    def __init__(self) -> None:
        self.times = array("q")
        self.values = array("d")
        self.qualities = bytearray()
        self.newest_ms = -1
        self.newest = 0
        self.in_order = True

    def points(self) -> Points:
        times, values, qualities = self.times.tolist(), self.values.tolist(), bytes(self.qualities)
        return Points(times, values, qualities) if self.in_order else in_order(times, values, qualities)

    def latest(self) -> Point:
        return Point(self.newest_ms, self.values[self.newest], self.qualities[self.newest])  # type: ignore[arg-type]


class Fresh:
    """Buffers by series number. Not thread-safe."""

    def __init__(self, batches: Iterable[FreshBatch] = ()) -> None:
        self._buffers: dict[int, _Buffer] = {}
        self.count = 0
        for batch in batches:
            self.add(batch)

    def add(self, batch: FreshBatch) -> None:
        """Takes what one write brought."""
        buffers = self._buffers
        for number, time_ms, value, quality in zip(
            batch.numbers, batch.times, batch.values, batch.qualities, strict=True
        ):
            buffer = buffers.get(number)
            if buffer is None:
                buffer = buffers[number] = _Buffer()
            times = buffer.times
            if time_ms > buffer.newest_ms:
                buffer.newest_ms, buffer.newest = time_ms, len(times)
            else:
                buffer.in_order = False
                if time_ms == buffer.newest_ms:
                    buffer.newest = len(times)
            times.append(time_ms)
            buffer.values.append(value)
            buffer.qualities.append(quality)
        self.count += len(batch)

    def points(self, number: int) -> Points:
        """A copy of a series' points."""
        buffer = self._buffers.get(number)
        return NO_POINTS if buffer is None else buffer.points()

    def numbers(self) -> list[int]:
        """The series there is something of, in order."""
        return sorted(self._buffers)

    def latest(self) -> Iterator[tuple[int, Point]]:
        """The newest point of each series; its quality is still a number."""
        for number, buffer in self._buffers.items():
            yield number, buffer.latest()

    def drop(self, numbers: Iterable[int]) -> None:
        """Forgets series that are packed."""
        for number in numbers:
            del self._buffers[number]
