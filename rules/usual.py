"""What is usual for a value: robust figures of its own past, that anomalies must not train (DOMAIN.md 1.4, 3.2)."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Sequence
from functools import cached_property

import msgspec

from campus.clock import HOUR_MS

#: a median absolute deviation as a standard deviation, where values are normal
_MAD_SIGMA = 1.4826


def quantile(ordered: Sequence[float], share: float) -> float:
    """The *share* quantile of sorted values, interpolated."""
    at = share * (len(ordered) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def median(values: Sequence[float]) -> float:
    """The middle of *values*."""
    return quantile(sorted(values), 0.5)


def spread(values: Sequence[float]) -> float:
    """A robust standard deviation: 1.4826 times the median distance from the median."""
    middle = median(values)
    return _MAD_SIGMA * median([abs(one - middle) for one in values])


class Hourly(msgspec.Struct, dict=True):
    """Hourly means of a value over the last days, and the quantiles of them that count as usual.

    It learns at most once an hour, and only what it is told to: where an hour was anomalous, it is left out.
    """

    means: list[float] = []
    first_ms: int = 0
    hour_ms: int = 0
    total: float = 0.0
    count: int = 0
    spoiled: bool = False
    middle: float = 0.0
    high: float = 0.0
    low: float = 0.0

    def add(self, time_ms: int, value: float, *, learn: bool, days: float) -> bool:
        """Takes a value; True when an hour was closed and the quantiles are new."""
        hour_ms = time_ms - time_ms % HOUR_MS
        closed = False
        if hour_ms != self.hour_ms:
            closed = self._close(int(days * 24))
            self.hour_ms, self.total, self.count, self.spoiled = hour_ms, 0.0, 0, False
        if not self.first_ms:
            self.first_ms = time_ms
        self.total += value
        self.count += 1
        self.spoiled = self.spoiled or not learn
        return closed

    def learned(self, days: float) -> bool:
        """Whether *days* of hours are known, but for a tenth of them."""
        return len(self.means) >= 0.9 * 24 * days

    @cached_property
    def _ordered(self) -> list[float]:
        """The means by size; no part of what a snapshot keeps, as it follows from them."""
        return sorted(self.means)

    def _close(self, most: int) -> bool:
        if not self.count or self.spoiled:
            return False
        means, ordered = self.means, self._ordered
        mean = round(self.total / self.count, 3)
        means.append(mean)
        insort(ordered, mean)
        for old in means[:-most]:
            del ordered[bisect_left(ordered, old)]
        del means[:-most]
        self.low, self.middle, self.high = (quantile(ordered, share) for share in (0.1, 0.5, 0.9))
        return True


class Slots(msgspec.Struct):
    """The last values of each slot (as an hour of a kind of day), robustly summed up.

    *kept* values a slot at the most; nothing is said of a slot with fewer than *enough*.
    """

    values: dict[str, list[float]] = {}

    def learn(self, slot: str, value: float, kept: int) -> None:
        """One more value of *slot*."""
        self.values[slot] = [*self.values.get(slot, ()), round(value, 4)][-kept:]

    def expected(self, slot: str, enough: int) -> tuple[float, float] | None:
        """Median and robust spread of *slot*; None while it is still learning."""
        values = self.values.get(slot, ())
        return (median(values), spread(values)) if len(values) >= enough else None

    def high(self, slot: str, enough: int) -> float | None:
        """The greatest value of *slot*; None while it is still learning."""
        values = self.values.get(slot, ())
        return max(values) if len(values) >= enough else None
