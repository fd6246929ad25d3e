"""Points by step: what the parts of each step come to, gathered in order of time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from math import fsum

from campus.clock import HOUR_MS
from store.timeseries.contract import Aggregate, Point


class Steps:
    """Gathers the column one aggregate needs, part by part in order of time, and makes points of it."""

    def __init__(self, aggregate: Aggregate, step_ms: int, origin_ms: int) -> None:
        self.aggregate = aggregate
        self._step_ms = step_ms
        self._origin_ms = origin_ms
        self._starts: list[int] = []
        self._values: list[float] = []
        self._counts: list[int] = []

    def add(self, starts: list[int], values: list[float], counts: list[int]) -> None:
        """The parts' starts, their values of this aggregate (sums for the mean) and, for the mean, their counts."""
        if not starts:
            return
        if self._starts and self._starts[-1] == starts[0]:  # an hour that lies in two blocks
            self._values[-1] = _FOLDS[self.aggregate]((self._values[-1], values[0]))
            if counts:
                self._counts[-1] += counts[0]
            starts, values, counts = starts[1:], values[1:], counts[1:]
        self._starts += starts
        self._values += values
        self._counts += counts

    def add_points(self, times: Sequence[int], values: Sequence[float]) -> None:
        """Points in order of time, at least one."""
        step_ms, origin_ms = self._step_ms, self._origin_ms
        roll_up, at, end = _ROLL_UPS[self.aggregate], 0, len(times)
        starts, rolled, counts = [], [], []
        while at < end:
            start_ms = times[at] - (times[at] - origin_ms) % step_ms
            until = bisect_left(times, start_ms + step_ms, at)
            starts.append(start_ms)
            rolled.append(roll_up(values[at:until]))
            counts.append(until - at)
            at = until
        self.add(starts, rolled, counts if self.aggregate is Aggregate.MEAN else [])

    def points(self) -> list[Point]:
        """One point a step, in order of time."""
        starts, step_ms, origin_ms = self._starts, self._step_ms, self._origin_ms
        if step_ms > HOUR_MS:  # else every part is a step
            starts = [time_ms - (time_ms - origin_ms) % step_ms for time_ms in starts]
            return self._folded(starts)
        return self._means(starts) if self.aggregate is Aggregate.MEAN else self._plain(starts)

    def _plain(self, starts: list[int]) -> list[Point]:
        return list(map(Point, starts, self._values))

    def _means(self, starts: list[int]) -> list[Point]:
        means = [total / count for total, count in zip(self._values, self._counts, strict=True)]
        return list(map(Point, starts, means))

    def _folded(self, starts: list[int]) -> list[Point]:
        groups: dict[int, list[float]] = {}
        for start_ms, value in zip(starts, self._values, strict=True):
            groups.setdefault(start_ms, []).append(value)
        fold = _FOLDS[self.aggregate]
        if self.aggregate is not Aggregate.MEAN:
            return [Point(start_ms, fold(values)) for start_ms, values in groups.items()]
        counts = dict.fromkeys(groups, 0)
        for start_ms, count in zip(starts, self._counts, strict=True):
            counts[start_ms] += count
        return [Point(start_ms, fold(values) / counts[start_ms]) for start_ms, values in groups.items()]


#: what two or more parts of a step come to
_FOLDS: dict[Aggregate, Callable[[Sequence[float]], float]] = {
    Aggregate.MEAN: fsum,
    Aggregate.MIN: min,
    Aggregate.MAX: max,
    Aggregate.SUM: fsum,
    Aggregate.COUNT: sum,
    Aggregate.FIRST: lambda values: values[0],
    Aggregate.LAST: lambda values: values[-1],
}
#: what the points of a part come to; for the mean their sum
_ROLL_UPS: dict[Aggregate, Callable[[Sequence[float]], float]] = _FOLDS | {
    Aggregate.COUNT: lambda values: float(len(values)),
}
