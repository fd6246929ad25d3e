"""Messages that arrived together, with what acknowledges them; and the bounded line they wait in."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from ingest.message import Message

#: tells the broker that these messages are kept; only those of QoS 1 and 2 need it
Acknowledge = Callable[[Sequence[Message]], None]

#: what a message takes beside its payload, about
_MESSAGE_BYTES = 300


class Burst(msgspec.Struct, frozen=True, gc=False):
    """*released* are the quarantine entries the messages were replayed from, one each; empty otherwise."""

    messages: Sequence[Message]
    acknowledge: Acknowledge | None = None
    released: tuple[int, ...] = ()

    @property
    def size_bytes(self) -> int:
        """About what it takes in memory: its payloads, and a fixed amount a message."""
        return sum([len(one.payload) for one in self.messages]) + _MESSAGE_BYTES * len(self.messages)


class Waiting:
    """Bursts in order, bounded by the messages and the bytes in them: whoever brings more waits, and so holds the broker
    back.
    """

    def __init__(self, most_messages: int, most_bytes: int) -> None:
        self._most = most_messages
        self._most_bytes = most_bytes
        self._bursts: deque[tuple[Burst, int]] = deque()
        self._messages = 0
        self._bytes = 0
        self._changed = threading.Condition()
        self._closed = False

    def put(self, burst: Burst) -> bool:
        """Waits for room; False when the line was closed before. A burst larger than all the room goes in alone."""
        count, size = len(burst.messages), burst.size_bytes
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    self._closed
                    or not self._bursts
                    or (self._messages + count <= self._most and self._bytes + size <= self._most_bytes)
                )
            )
            if self._closed:
                return False
            self._bursts.append((burst, size))
            self._messages += count
            self._bytes += size
            self._changed.notify_all()
            return True

    def take(self, most_messages: int, most_bytes: int, *, timeout_s: float, gather_s: float) -> list[Burst]:
        """The next bursts, about *most_messages* or *most_bytes* in all; from the first on, waits *gather_s* at most for
        more.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._closed or self._bursts, timeout_s):
                return []
            deadline = time.monotonic() + gather_s
            self._changed.wait_for(
                lambda: self._closed or self._messages >= most_messages or self._bytes >= most_bytes,
                deadline - time.monotonic(),
            )
            taken: list[Burst] = []
            count = size = 0
            while self._bursts and count < most_messages and size < most_bytes:
                burst, burst_bytes = self._bursts.popleft()
                taken.append(burst)
                count += len(burst.messages)
                size += burst_bytes
            self._messages -= count
            self._bytes -= size
            self._changed.notify_all()
            return taken

    @property
    def size_bytes(self) -> int:
        """The bursts that wait, by :attr:`Burst.size_bytes`."""
        return self._bytes

    def __len__(self) -> int:
        return self._messages

    def close(self) -> None:
        """Wakes whoever waits to bring or to take, for good; what waits is kept."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
