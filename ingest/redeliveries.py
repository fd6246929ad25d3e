"""Redeliveries: messages the broker sends again because our acknowledgement did not reach it.

A message that was committed but not yet acknowledged when we died or the connection broke comes again, with the dup
flag. Most brokers keep its packet identifier (MQTT 3.1.1, 4.4), so identifier and contents together are looked up among
the messages committed last.

nats-server gives it another identifier where it had taken our acknowledgement but not yet removed the message from its
stream when the time to acknowledge ran out (each removal waits for the disk), and after its own restart. There a
message with the dup flag is known by topic and contents alone, for :data:`ANOTHER_IDENTIFIER_MS` after the commit: two
true readings that are equal carry no dup flag, and are two.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import zlib
from collections import Counter, deque
from collections.abc import Iterable, Sequence

from ingest.message import Message

#: more messages than any broker has in flight to us (its receive maximum is set lower)
REMEMBERED_MESSAGES = 32_768
#: how long after its commit a message may come again under another packet identifier
ANOTHER_IDENTIFIER_MS = 60_000
#: a fingerprint has the packet identifier above these bits of the contents' digest, and fits the journal's 63 bits
_CONTENT_BITS = 47
CONTENT = (1 << _CONTENT_BITS) - 1


def fingerprint(message: Message) -> int:
    """Packet identifier and a digest of broker, topic and payload in one number.

    Without the identifier the digest stands alone, so it is longer where the broker may change that.
    """
    if not message.renumbered:
        return message.mid << 32 | zlib.crc32(message.payload, _source(message.broker, message.topic))
    digest = hashlib.blake2b(message.payload, digest_size=8, key=_key(message.broker, message.topic)).digest()
    return message.mid << _CONTENT_BITS | int.from_bytes(digest, "big") & CONTENT


@functools.lru_cache(maxsize=50_000)
def _source(broker: str, topic: str) -> int:
    return zlib.crc32(topic.encode(), zlib.crc32(broker.encode()) if broker else 0)


@functools.lru_cache(maxsize=50_000)
def _key(broker: str, topic: str) -> bytes:
    return hashlib.blake2b(f"{broker}\0{topic}".encode(errors="replace"), digest_size=16).digest()


class Redeliveries:
    """The fingerprints of the messages committed last.

    Times are those of a clock that nobody can set. *recent* are the fingerprints of earlier runs with the service's time
    of their commit, the oldest first; at *began_ms* they are as old as they were at the last of these commits, as a
    broker counts no time in which we were away. Where the service's time was set back in between, none passed.
    """

    def __init__(self, recent: Sequence[tuple[int, Sequence[int]]] = (), *, began_ms: int = 0) -> None:
        self._known: Counter[int] = Counter()
        #: when contents were committed last
        self._contents: dict[int, int] = {}
        self._order: deque[tuple[int, int]] = deque()
        commits_ms = [commit_ms for commit_ms, _ in recent]
        steps_ms = [max(0, after - before) for before, after in itertools.pairwise(commits_ms)]
        committed_ms = began_ms - sum(steps_ms)
        for (_, marks), step_ms in zip(recent, [*steps_ms, 0], strict=False):
            self.committed(marks, committed_ms)
            committed_ms += step_ms

    def seen(self, message: Message, mark: int) -> bool:
        """Whether *message* is a redelivery of one committed before."""
        if not message.dup:
            return False
        if self._known[mark] > 0:
            return True
        if not message.renumbered:
            return False
        committed_ms = self._contents.get(mark & CONTENT)
        return committed_ms is not None and message.heard_ms - committed_ms <= ANOTHER_IDENTIFIER_MS

    def committed(self, marks: Iterable[int], committed_ms: int) -> None:
        """Remembers messages just committed."""
        for mark in marks:
            self._known[mark] += 1
            self._contents[mark & CONTENT] = committed_ms
            self._order.append((committed_ms, mark))
        while len(self._order) > REMEMBERED_MESSAGES:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        committed_ms, mark = self._order.popleft()
        if self._known[mark] <= 1:
            del self._known[mark]
        else:
            self._known[mark] -= 1
        if self._contents.get(mark & CONTENT) == committed_ms:
            del self._contents[mark & CONTENT]
