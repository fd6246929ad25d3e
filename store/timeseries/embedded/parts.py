"""Roll-ups: what the points of each hour (or other step) come to, as columns."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

import msgspec

from store.timeseries.contract import Aggregate


class Parts(msgspec.Struct, gc=False):
    """One entry a part of time with any points, in order of time. Two entries may be parts of the same hour."""

    starts: list[int]
    counts: list[int]
    totals: list[float]
    lows: list[float]
    highs: list[float]
    openings: list[float]
    closings: list[float]

    @classmethod
    def none(cls) -> Parts:
        return cls([], [], [], [], [], [], [])

    def cut(self, begin: int, end: int) -> Parts:
        """Those at positions *begin* to before *end*."""
        return Parts(*(getattr(self, name)[begin:end] for name in self.__struct_fields__))

    def between(self, start_ms: int, end_ms: int) -> Parts:
        """Those that start at *start_ms* or later and before *end_ms*."""
        return self.cut(bisect_left(self.starts, start_ms), bisect_left(self.starts, end_ms))

    def chunks(self, most: int) -> Iterator[Parts]:
        """All, in pieces of at most *most*."""
        for begin in range(0, len(self.starts), most):
            yield self.cut(begin, begin + most)


def parts_of(times: Sequence[int], values: Sequence[float], step_ms: int, origin_ms: int = 0) -> Parts:
    """The roll-ups of points in order of time."""
    parts = Parts.none()
    at, end = 0, len(times)
    while at < end:
        start_ms = times[at] - (times[at] - origin_ms) % step_ms
        until = bisect_left(times, start_ms + step_ms, at)
        some = values[at:until]
        parts.starts.append(start_ms)
        parts.counts.append(until - at)
        parts.totals.append(sum(some))
        parts.lows.append(min(some))
        parts.highs.append(max(some))
        parts.openings.append(some[0])
        parts.closings.append(some[-1])
        at = until
    return parts


def joined(first: Parts, second: Parts) -> Parts:
    """*second* behind *first*; where one ends in the hour the other begins in, that hour becomes one entry."""
    if first.starts and second.starts and first.starts[-1] == second.starts[0]:
        second = second.cut(0, len(second.starts))
        second.counts[0] += first.counts[-1]
        second.totals[0] += first.totals[-1]
        second.lows[0] = min(second.lows[0], first.lows[-1])
        second.highs[0] = max(second.highs[0], first.highs[-1])
        second.openings[0] = first.openings[-1]
        first = first.cut(0, len(first.starts) - 1)
    return Parts(*(getattr(first, name) + getattr(second, name) for name in Parts.__struct_fields__))


#: the column each aggregate needs; the mean needs the counts beside
COLUMN = {
    Aggregate.MEAN: "totals",
    Aggregate.MIN: "lows",
    Aggregate.MAX: "highs",
    Aggregate.SUM: "totals",
    Aggregate.COUNT: "counts",
    Aggregate.FIRST: "openings",
    Aggregate.LAST: "closings",
}
