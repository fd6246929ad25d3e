"""The flow behind a register's steps, as far as its resolution lets it be known.

A register that counts in steps of *r* gives what passed between two readings to ± r, so the mean flow over a time *t* to
± r/t (DOMAIN.md 1.1): with 10 L pulses and readings every 5 minutes the smallest flow there is reads 2 L/min.
"""

from __future__ import annotations

import msgspec

from campus.clock import HOUR_MS
from campus.meter.step import Step

_WINDOW_MS = HOUR_MS
#: stretches kept of the window; readings that come faster are put together
_STRETCHES = 60
_SHARE = 0.2


class Rate(msgspec.Struct, frozen=True, gc=False):
    """The mean over the time from *since_ms*: the truth lies within ± *error* of it."""

    per_hour: float
    error: float
    since_ms: int
    until_ms: int


class Stretch(msgspec.Struct, array_like=True, gc=False):
    """What moved within a time."""

    elapsed_ms: int
    moved: float


class Flow(msgspec.Struct):
    """The last *window_ms* of a register in some 60 stretches, the newest last. JSON, and bounded."""

    until_ms: int = 0
    window_ms: int = _WINDOW_MS
    length_ms: int = 0
    stretches: list[Stretch] = []

    def add(self, step: Step) -> None:
        """One more step; one whose flow is not known (a gap, another meter) makes what was before void."""
        if not step.told:
            return
        self.until_ms = step.until_ms
        if not step.flows:
            self.stretches, self.length_ms = [], 0
            return
        elapsed_ms, stretches = step.elapsed_ms, self.stretches
        self.length_ms += elapsed_ms
        if stretches and stretches[-1].elapsed_ms + elapsed_ms <= self.window_ms // _STRETCHES:
            stretches[-1].elapsed_ms += elapsed_ms
            stretches[-1].moved += step.moved
            return
        stretches.append(Stretch(elapsed_ms, step.moved))
        while self.length_ms - stretches[0].elapsed_ms >= self.window_ms:
            self.length_ms -= stretches.pop(0).elapsed_ms

    def rate(self, resolution: float, share: float = _SHARE, least: float = 0.0) -> Rate | None:
        """The newest mean known to ± *share* of itself or to ± *least* per hour; over the whole window if none is.

        None before there was any stretch. Where nothing moves in the window, 0 is known to ± one step over it.
        """
        found = None
        volume, elapsed_ms = 0.0, 0
        for one in reversed(self.stretches):
            volume, elapsed_ms = volume + one.moved, elapsed_ms + one.elapsed_ms
            found = self._rate(volume, elapsed_ms, resolution)
            if found.error <= max(share * found.per_hour, least):
                break
        return found

    def against(self, limit_per_hour: float, resolution: float) -> Rate | None:
        """The mean over the shortest time up to now that decides whether *limit_per_hour* is passed.

        A step of 1 m3 within a minute is no flow of 60 m3/h, and a minute without one none of 0. Where the window does
        not decide, its mean is as good as it gets.
        """
        found = None
        volume, elapsed_ms = 0.0, 0
        for one in reversed(self.stretches):
            volume, elapsed_ms = volume + one.moved, elapsed_ms + one.elapsed_ms
            found = self._rate(volume, elapsed_ms, resolution)
            if abs(found.per_hour - limit_per_hour) >= found.error:
                break
        return found

    def _rate(self, volume: float, elapsed_ms: int, resolution: float) -> Rate:
        hours = elapsed_ms / HOUR_MS
        return Rate(volume / hours, resolution / hours, self.until_ms - elapsed_ms, self.until_ms)
