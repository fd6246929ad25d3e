"""The service's time: the wall clock's, but never backwards, and never standing still.

A wall clock that is set back (a time server reached at last, a wrong hand) must neither give two readings the same time
nor stop every ``for`` of every rule until it has caught up. While it is behind, our time goes on at half its speed
until both meet: an hour's jump is gone after two, and no delay lasts more than twice as long as it should.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from campus.clock import steady_ms


def wall_ms() -> int:
    """The wall clock, read here and handed down."""
    return time.time_ns() // 1_000_000


class SteadyClock:
    """Thread-safe; call it for the moment."""

    def __init__(self, wall: Callable[[], int] = wall_ms, steady: Callable[[], int] = steady_ms) -> None:
        self._wall = wall
        self._steady = steady
        self._lock = threading.Lock()
        self._now_ms = float(wall())
        self._steady_ms = steady()

    def __call__(self) -> int:
        """Milliseconds since 1970, UTC."""
        with self._lock:
            wall, steady = self._wall(), self._steady()
            elapsed_ms, self._steady_ms = steady - self._steady_ms, steady
            self._now_ms = max(float(wall), self._now_ms + elapsed_ms / 2)
            return int(self._now_ms)
