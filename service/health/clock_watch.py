"""Watches the wall clock: that it can be right at all, and that it does not jump, over a restart either."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

from alerts.own import service as own
from campus.clock import MINUTE_MS, from_ms, steady_ms
from rules.level import Level
from rules.verdict import Facts
from service.health.watch import Drift, Trouble
from service.runtime.clock import plausible


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
