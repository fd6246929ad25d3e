"""Watches the wall clock: that it can be right at all, and that it does not jump, over a restart either."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

from alerts.own import service as own
from campus.clock import MINUTE_MS, from_ms, steady_ms
from rules.level import Level
from rules.verdict import Facts
from service.clock import plausible
from service.trouble import Trouble


class ClockWatch:
    """*continue_from* is the time that was reached before the start, 0 for none."""

    def __init__(
        self,
        wall: Callable[[], int],
        *,
        continue_from: int,
        zone: dt.tzinfo,
        steady: Callable[[], int] = steady_ms,
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._zone = zone
        self._drift = Drift()
        if plausible(continue_from):
            self._drift.continue_from(continue_from, wall(), steady())

    def look(self, _now_ms: int) -> Iterator[Trouble]:
        """What is wrong with it now, if anything."""
        wall_ms = self._wall()
        jumped_ms = self._drift.jumped_ms(wall_ms, self._steady())
        if not plausible(wall_ms):
            wrong: Facts = {"clock": self._text(wall_ms)}
            yield Trouble(own.CLOCK_WRONG, "clock", Level.WARNING, wrong, part="clock")
        elif jumped_ms:
            jumped: Facts = {"minutes": jumped_ms / MINUTE_MS}
            yield Trouble(own.CLOCK_JUMP, "clock", Level.WARNING, jumped, part="clock")

    def _text(self, wall_ms: int) -> str:
        return from_ms(wall_ms, self._zone).strftime("%Y-%m-%d %H:%M")


class Drift:
    """Notices a wall clock that jumps, against one that cannot. A jump is reported for *report_ms*."""

    def __init__(self, *, tolerance_ms: int = 2 * MINUTE_MS, report_ms: int = 10 * MINUTE_MS) -> None:
        self._tolerance_ms = tolerance_ms
        self._report_ms = report_ms
        self._before: tuple[int, int] | None = None
        self._jumped_ms = 0
        self._reported_until_ms = 0

    def continue_from(self, last_ms: int, wall_ms: int, steady_ms: int) -> None:
        """At the start: a wall clock from before *last_ms*, which was reached before, was set back meanwhile."""
        self._before = (max(last_ms, wall_ms), steady_ms)

    def jumped_ms(self, wall_ms: int, steady_ms: int) -> int:
        """By how much the clock jumped lately, 0 when it did not."""
        before, self._before = self._before, (wall_ms, steady_ms)
        if before is not None:
            jump_ms = (wall_ms - before[0]) - (steady_ms - before[1])
            if abs(jump_ms) > self._tolerance_ms:
                self._jumped_ms, self._reported_until_ms = jump_ms, steady_ms + self._report_ms
        return self._jumped_ms if steady_ms < self._reported_until_ms else 0
