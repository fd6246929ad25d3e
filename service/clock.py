"""The service's time: the wall clock's where that can be right, never standing still, and never a little backwards.

A wall clock that is set back a little must neither give two readings the same time nor stop every ``for`` of every rule
until it has caught up: our time goes on at half its speed until both meet. One that is set back by more than
``SET_BACK_MS`` is followed at once, as waiting for it would make what devices say of their own time look old: the
journal then begins anew at the earlier time, and the rules move their past by as much.

A wall clock that shows a time before this service was made (a flat battery), or decades after it, is not followed at all:
our time goes on from where the journal ended until the wall clock can be right.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from campus.clock import SET_BACK_MS, steady_ms

#: 2025-01-01 and 2055-01-01, UTC: no wall clock of this service can be right outside of them
EARLIEST_MS, LATEST_MS = 1_735_689_600_000, 2_682_374_400_000


def wall_ms() -> int:
    """The wall clock, read here and handed down."""
    return time.time_ns() // 1_000_000


def plausible(wall_ms: int) -> bool:
    """Whether a wall clock that says so can be right."""
    return EARLIEST_MS <= wall_ms < LATEST_MS


class SteadyClock:
    """Thread-safe; call it for the moment."""

    def __init__(self, wall: Callable[[], int] = wall_ms, steady: Callable[[], int] = steady_ms) -> None:
        self._wall = wall
        self._steady = steady
        self._lock = threading.Lock()
        now_ms = wall()
        self._now_ms = float(now_ms if plausible(now_ms) else EARLIEST_MS)
        self._steady_ms = steady()

    def __call__(self) -> int:
        """Milliseconds since 1970, UTC."""
        with self._lock:
            wall_ms, steady_ms = self._wall(), self._steady()
            elapsed_ms, self._steady_ms = steady_ms - self._steady_ms, steady_ms
            self._now_ms = _moved_on(self._now_ms, elapsed_ms, wall_ms)
            return int(self._now_ms)

    def continue_from(self, last_ms: int) -> None:
        """Goes on from the time that was reached before a restart, unless the wall clock was set back meanwhile."""
        with self._lock:
            if plausible(last_ms):
                self._now_ms = _moved_on(max(self._now_ms, float(last_ms)), 0, self._wall())


def _moved_on(now_ms: float, elapsed_ms: int, wall_ms: int) -> float:
    if not plausible(wall_ms):
        return now_ms + elapsed_ms
    if now_ms + elapsed_ms - wall_ms > SET_BACK_MS:
        return float(wall_ms)
    return max(float(wall_ms), now_ms + elapsed_ms / 2)
