"""How something that goes wrong goes on in time: at once, growing, or on and off."""

from __future__ import annotations

from typing import NamedTuple


class Course(NamedTuple):
    """*size* from *start_ms* to *end_ms* (half open): at once, growing over *rise_ms*, or *on_ms* in each *every_ms*."""

    start_ms: int
    end_ms: int
    size: float
    rise_ms: int = 0
    on_ms: int = 0
    every_ms: int = 0

    def at(self, time_ms: int) -> float:
        """The size at a moment, 0 outside."""
        since_ms = time_ms - self.start_ms
        if since_ms < 0 or time_ms >= self.end_ms:
            return 0.0
        if since_ms < self.rise_ms:
            return self.size * since_ms / self.rise_ms
        if self.every_ms and since_ms % self.every_ms >= self.on_ms:
            return 0.0
        return self.size

    def mean(self, from_ms: int, to_ms: int) -> float:
        """The mean size over a span, exact however long the span is."""
        begin, end = max(from_ms, self.start_ms), min(to_ms, self.end_ms)
        if end <= begin:
            return 0.0
        area = self._area(end - self.start_ms) - self._area(begin - self.start_ms)
        return self.size * area / (to_ms - from_ms)

    def _area(self, since_ms: float) -> float:
        """The integral of the course, for size 1, up to *since_ms* after its start."""
        if self.every_ms:
            cycles, rest_ms = divmod(since_ms, self.every_ms)
            return cycles * self.on_ms + min(rest_ms, self.on_ms)
        if since_ms < self.rise_ms:
            return since_ms * since_ms / (2 * self.rise_ms)
        return since_ms - self.rise_ms / 2


class Courses(list[Course]):
    """What adds up at one place; empty nearly always, and then it costs nothing."""

    __slots__ = ()

    def at(self, time_ms: int) -> float:
        """The sum at a moment."""
        return sum(one.at(time_ms) for one in self) if self else 0.0

    def mean(self, from_ms: int, to_ms: int) -> float:
        """The sum's mean over a span."""
        return sum(one.mean(from_ms, to_ms) for one in self) if self else 0.0
