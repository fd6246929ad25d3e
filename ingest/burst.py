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


class Burst(msgspec.Struct, frozen=True, gc=False):
    """*released* are the quarantine entries the messages were replayed from, one each; empty otherwise."""

    messages: Sequence[Message]
    acknowledge: Acknowledge | None = None
    released: tuple[int, ...] = ()


class Waiting:
    """Bursts in order, bounded by the messages in them: whoever brings more waits, and so holds the broker back."""

    def __init__(self, most_messages: int) -> None:
        self._most = most_messages
        self._bursts: deque[Burst] = deque()
        self._messages = 0
        self._changed = threading.Condition()
        self._closed = False

    def put(self, burst: Burst) -> bool:
        """Waits for room; False when the line was closed before. A burst larger than all the room goes in alone."""
        size = len(burst.messages)
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or not self._bursts or self._messages + size <= self._most
            )
            if self._closed:
                return False
            self._bursts.append(burst)
            self._messages += size
            self._changed.notify_all()
            return True

    def take(self, most_messages: int, *, timeout_s: float, gather_s: float) -> list[Burst]:
        """The next bursts, about *most_messages* in all; from the first on, waits *gather_s* at most for more."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._closed or self._bursts, timeout_s):
                return []
            deadline = time.monotonic() + gather_s
            self._changed.wait_for(
                lambda: self._closed or self._messages >= most_messages, deadline - time.monotonic()
            )
            taken: list[Burst] = []
            count = 0
            while self._bursts and count < most_messages:
                taken.append(self._bursts.popleft())
                count += len(taken[-1].messages)
            self._messages -= count
            self._changed.notify_all()
            return taken

    def __len__(self) -> int:
        return self._messages

    def close(self) -> None:
        """Lets everybody go who waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
