"""Points of one series as columns, in order of time, each time once."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

import msgspec

from campus.reading import Quality
from store.timeseries.contract import Point

_QUALITIES = tuple(Quality)


class Points(msgspec.Struct, gc=False):
    """Columns of equal length."""

    times: list[int]
    values: list[float]
    qualities: bytes

    def __len__(self) -> int:
        return len(self.times)

    def within(self, start_ms: int, end_ms: int) -> Points:
        """Those with ``start_ms <= time_ms < end_ms``."""
        times = self.times
        if not times or (start_ms <= times[0] and times[-1] < end_ms):
            return self
        return self.cut(bisect_left(times, start_ms), bisect_left(times, end_ms))

    def cut(self, begin: int, end: int) -> Points:
        """Those at positions *begin* to before *end*."""
        return Points(self.times[begin:end], self.values[begin:end], self.qualities[begin:end])

    def chunks(self, most: int) -> Iterator[Points]:
        """All, in pieces of at most *most*."""
        for begin in range(0, len(self), most):
            yield self.cut(begin, begin + most)

    def as_list(self) -> list[Point]:
        """As the store's callers get them."""
        if not any(self.qualities):
            return list(map(Point, self.times, self.values))
        return list(map(Point, self.times, self.values, map(_QUALITIES.__getitem__, self.qualities)))


NO_POINTS = Points([], [], b"")


def merged(older: Points, newer: Points) -> Points:
    """Both; of two at one time the newer one's."""
    if not older.times or not newer.times:
        return older if older.times else newer
    if older.times[-1] < newer.times[0]:
        return Points(
            older.times + newer.times, older.values + newer.values, older.qualities + newer.qualities
        )
    return in_order(older.times + newer.times, older.values + newer.values, older.qualities + newer.qualities)


def in_order(times: list[int], values: list[float], qualities: bytes) -> Points:
    """Columns in the order they were written, as points: of several at one time the last."""
    last = {time_ms: position for position, time_ms in enumerate(times)}
    order = sorted(last)
    positions = [last[time_ms] for time_ms in order]
    return Points(order, [values[at] for at in positions], bytes([qualities[at] for at in positions]))
