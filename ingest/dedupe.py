"""Repeats: a device, gateway or retained message says again what it said before, with the same time and value.

What the *broker* sends again is known before anything reads it: see :mod:`ingest.redeliveries`.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable

import msgspec

from campus.reading import Reading, Series

_REMEMBERED_READINGS = 8
_REMEMBERED_SERIES = 50_000
#: a backlog delivered at once moves its receipt times this far ahead at the most
_LONGEST_LEAD_MS = 60_000


class _Memory:
    """What is remembered of one series: its newest readings, and the last time that was its receipt's."""

    __slots__ = ("newest_ms", "received_ms", "recent")

    def __init__(self) -> None:
        self.recent: deque[tuple[int, float]] = deque(maxlen=_REMEMBERED_READINGS)
        self.newest_ms = 0
        self.received_ms = 0

    def remember(self, time_ms: int, value: float) -> None:
        self.recent.append((time_ms, value))
        if time_ms > self.newest_ms:  # noqa: PLR1730 - the hottest line there is
            self.newest_ms = time_ms


class Repeats:
    """The newest few readings of each series."""

    def __init__(self) -> None:
        self._series: OrderedDict[Series, _Memory] = OrderedDict()

    def prime(self, readings: Iterable[Reading]) -> None:
        """Takes up what was journaled last before a restart, so that times given then are not given again."""
        for reading in readings:
            memory = self._memory(reading.series)
            memory.remember(reading.time_ms, reading.value)
            if 0 <= reading.time_ms - reading.received_ms <= _LONGEST_LEAD_MS:
                memory.received_ms = max(memory.received_ms, reading.time_ms)

    def fresh(self, readings: Iterable[Reading]) -> list[Reading]:
        """*readings* as they are to be stored, without those that were here before.

        Two values of a series received within one millisecond, from a source that gives no time, are two readings:
        the later one is moved on by a millisecond, as a series holds one value a time.
        """
        found = []
        known = self._series
        for reading in readings:
            memory, time_ms, value = known.get(reading.series), reading.time_ms, reading.value
            if memory is None:
                memory = self._memory(reading.series)
            if time_ms <= memory.newest_ms and (time_ms, value) in memory.recent:
                continue
            if time_ms == reading.received_ms:
                # farther ahead it is from before the clock was set back
                if 0 <= memory.received_ms - time_ms <= _LONGEST_LEAD_MS:
                    time_ms = memory.received_ms + 1
                    reading = msgspec.structs.replace(reading, time_ms=time_ms)  # noqa: PLW2901 - the same reading, moved
                memory.received_ms = time_ms
            memory.remember(time_ms, value)
            found.append(reading)
        return found

    def forget(self, readings: list[Reading]) -> None:
        """Takes back readings that were remembered but not committed."""
        for reading in readings:
            memory = self._series.get(reading.series)
            if memory is not None and (reading.time_ms, reading.value) in memory.recent:
                memory.recent.remove((reading.time_ms, reading.value))

    def _memory(self, series: Series) -> _Memory:
        memory = self._series.get(series)
        if memory is None:
            memory = self._series[series] = _Memory()
            if len(self._series) > _REMEMBERED_SERIES:
                self._series.popitem(last=False)
        return memory
