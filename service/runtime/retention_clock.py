"""The time by which old readings and messages are deleted: never further ahead than the service has been running for."""

from __future__ import annotations

from collections.abc import Callable

from campus.clock import HOUR_MS
from store.operations.facts import Facts

#: at an hourly look this catches up with a machine that was off as fast as it was off, and a clock that is years ahead
#: costs an hour of old readings for every hour in which nobody mends it, instead of all of them at once
MOST_AHEAD_MS = 2 * HOUR_MS
_REACHED = "retention_reached_ms"


class RetentionClock:
    """Moves on by at most *MOST_AHEAD_MS* at each call, over restarts too; a clock set back takes it along at once."""

    def __init__(self, facts: Facts, now_ms: Callable[[], int]) -> None:
        self._facts = facts
        self._now_ms = now_ms

    def __call__(self) -> int:
        """Milliseconds since 1970, UTC; to be called once a look."""
        now_ms = self._now_ms()
        before = self._facts.get(_REACHED)
        reached_ms = now_ms if before is None else min(now_ms, int(before) + MOST_AHEAD_MS)
        self._facts.put(_REACHED, str(reached_ms))
        return reached_ms
