"""Two ways the same reading comes twice, and how each is known.

A *redelivery*: the broker sends a message again that was committed but not yet acknowledged when we died or the
connection broke. It keeps its packet identifier and carries the dup flag (MQTT 3.1.1, 4.4), so identifier and
contents together are looked up among the messages committed last.

A *repeat*: a device, gateway or retained message says again what it said before, with the same time and value.
"""

from __future__ import annotations

import functools
import zlib
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable

import msgspec

from campus.reading import Reading, Series
from ingest.message import Message

#: more messages than any broker has in flight to us (its receive maximum is set lower)
REMEMBERED_MESSAGES = 32_768
_REMEMBERED_READINGS = 8
_REMEMBERED_SERIES = 50_000
#: a backlog delivered at once moves its receipt times this far ahead at the most
_LONGEST_LEAD_MS = 60_000


def fingerprint(message: Message) -> int:
    """Packet identifier and a checksum of broker, topic and payload in one number."""
    return message.mid << 32 | zlib.crc32(message.payload, _source(message.broker, message.topic))


@functools.lru_cache(maxsize=50_000)
def _source(broker: str, topic: str) -> int:
    return zlib.crc32(topic.encode(), zlib.crc32(broker.encode()) if broker else 0)


class Redeliveries:
    """The fingerprints of messages committed last, as a bounded multiset."""

    def __init__(self, recent: Counter[int]) -> None:
        self._known = Counter(recent)
        self._order: deque[int] = deque(recent.elements())

    def seen(self, message: Message, mark: int) -> bool:
        """Whether *message* is a redelivery of one committed before; each commit answers for one redelivery."""
        if not message.dup or self._known[mark] <= 0:
            return False
        self._known[mark] -= 1
        return True

    def committed(self, marks: list[int]) -> None:
        """Remembers messages just committed."""
        self._known.update(marks)
        self._order.extend(marks)
        while len(self._order) > REMEMBERED_MESSAGES:
            oldest = self._order.popleft()
            if self._known[oldest] <= 1:
                del self._known[oldest]
            else:
                self._known[oldest] -= 1


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
                if time_ms <= memory.received_ms:
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
