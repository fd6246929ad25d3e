"""Two ways the same reading comes twice, and how each is known.

A *redelivery*: the broker sends a message again that was committed but not yet acknowledged when we died or the
connection broke. It keeps its packet identifier and carries the dup flag (MQTT 3.1.1, 4.4), so identifier and
contents together are looked up among the messages committed last.

A *repeat*: a device, gateway or retained message says again what it said before, with the same time and value.
"""

from __future__ import annotations

import zlib
from collections import Counter, OrderedDict, deque

import msgspec

from campus.reading import Reading, Series
from ingest.message import Message

#: more messages than any broker has in flight to us (its receive maximum is set lower)
REMEMBERED_MESSAGES = 32_768
_REMEMBERED_READINGS = 8
_REMEMBERED_SERIES = 50_000


def fingerprint(message: Message) -> int:
    """Packet identifier and a checksum of topic and payload in one number."""
    return message.mid << 32 | zlib.crc32(message.payload, zlib.crc32(message.topic.encode()))


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


class Repeats:
    """The newest few readings of each series."""

    def __init__(self) -> None:
        self._recent: OrderedDict[Series, deque[tuple[int, float]]] = OrderedDict()

    def place(self, reading: Reading) -> Reading | None:
        """The reading as it is to be stored, or None when it was here before.

        Two values of a series received within one millisecond, from a source that gives no time, are two readings:
        the later one is moved on by a millisecond, as a series holds one value a time.
        """
        recent = self._recent.get(reading.series)
        if recent is None:
            self._recent[reading.series] = deque(((reading.time_ms, reading.value),), _REMEMBERED_READINGS)
            if len(self._recent) > _REMEMBERED_SERIES:
                self._recent.popitem(last=False)
            return reading
        if (reading.time_ms, reading.value) in recent:
            return None
        if reading.time_ms == reading.received_ms:
            taken = {time_ms for time_ms, _ in recent}
            if reading.time_ms in taken:
                reading = msgspec.structs.replace(reading, time_ms=max(taken) + 1)
        recent.append((reading.time_ms, reading.value))
        return reading

    def forget(self, readings: list[Reading]) -> None:
        """Takes back readings that were remembered but not committed."""
        for reading in readings:
            recent = self._recent.get(reading.series)
            if recent is not None and (reading.time_ms, reading.value) in recent:
                recent.remove((reading.time_ms, reading.value))
