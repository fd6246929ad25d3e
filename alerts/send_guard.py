"""Marks the message that a channel is sending, so that the next start knows what the process died of."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable

from alerts.channels.contract import Delivery, retry
from alerts.outbox import POISON, RESTING, Due
from store.poison.handling import Handling, Slot
from store.poison.record import Kind, Poison

#: channels' places among the marks begin here
FIRST_SLOT = 2
_BETWEEN = "\n"


class SendGuard:
    """Thread-safe; each channel is sent over by one thread."""

    def __init__(self, handling: Handling, poison: Poison, now_ms: Callable[[], int]) -> None:
        self._handling = handling
        self._poison = poison
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._slots: dict[str, Slot] = {}
        self._sending: dict[str, str] = {}

    def begin(self, due: Due) -> None:
        """*due* is being sent from now on."""
        item = int.from_bytes(hashlib.blake2b(due.key.encode(), digest_size=8).digest()) | 1
        self._slot(due.channel).begin(item, f"{due.channel}{_BETWEEN}{due.key}")
        self._sending[due.channel] = due.key

    def end(self, channel: str) -> None:
        """Whatever *channel* was sending has come to its end, and that is written down; whether it was sent or not, the
        process lives.
        """
        self._slot(channel).end()
        key = self._sending.pop(channel, None)
        if key is not None:
            self._poison.completed(Kind.CHANNEL, key, channel)

    def refuses(self, due: Due) -> Delivery | None:
        """What becomes of *due* where it, or its channel, rests; None where it is to be sent."""
        if self._poison.is_empty:
            return None
        now_ms = self._now_ms()
        aside = self._poison.holds(Kind.CHANNEL, due.key, due.channel, now_ms)
        if aside is None:
            return None
        text = "the service died while it was sending over this channel; tried again after a rest"
        return retry(POISON if aside.item else RESTING, text, after_ms=aside.again_ms - now_ms)

    def _slot(self, channel: str) -> Slot:
        with self._lock:
            slot = self._slots.get(channel)
            if slot is None:
                slot = self._slots[channel] = self._handling.slot(FIRST_SLOT + len(self._slots))
            return slot


def apart(text: str) -> tuple[str, str]:
    """Channel and message of a mark that was left."""
    channel, _, key = text.partition(_BETWEEN)
    return channel, key
