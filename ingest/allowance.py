"""How many messages each topic may bring while there are more than can be taken: so that one cannot starve the others.

Nothing is limited while everything can be taken. When messages wait, a topic that has used up its allowance is left out:
its messages are counted, not read. The allowance is generous, as a device that was cut off for a day says a day's
worth at once, and so does a broker after we were away: 180,000 messages at once, refilled with 50 a second, is an
hour of 50 messages/s, or two days of one a second.
"""

from __future__ import annotations

from campus.clock import SECOND_MS

REFILL_PER_S = 50.0
AT_ONCE = 180_000.0
_MOST_TOPICS = 50_000


class Allowances:
    """One bucket a topic. Not thread-safe."""

    def __init__(self, *, refill_per_s: float = REFILL_PER_S, at_once: float = AT_ONCE) -> None:
        self._refill_per_s = refill_per_s
        self._at_once = at_once
        self._left: dict[str, float] = {}
        self._filled_ms: dict[str, int] = {}

    def take(self, topic: str, now_ms: int) -> bool:
        """Takes one from the allowance of *topic*; False when it is used up."""
        left = self._left.get(topic)
        if left is None:
            left = self._new(topic, now_ms)
        if left < 1.0:
            elapsed_ms = max(0, now_ms - self._filled_ms[topic])
            left = min(self._at_once, left + elapsed_ms * self._refill_per_s / SECOND_MS)
            self._filled_ms[topic] = now_ms
            if left < 1.0:
                self._left[topic] = left
                return False
        self._left[topic] = left - 1.0
        return True

    def _new(self, topic: str, now_ms: int) -> float:
        if len(self._left) >= _MOST_TOPICS:
            self._left.clear()
            self._filled_ms.clear()
        self._filled_ms[topic] = now_ms
        return self._at_once
