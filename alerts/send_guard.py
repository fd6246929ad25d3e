"""Marks the message that a channel is sending, so that the next start knows what the process died of."""

from __future__ import annotations

import hashlib
import threading

from alerts.outbox import Due
from store.handling import Handling, Slot
from store.poison import Kind, Poison

#: channels' places among the marks begin here
FIRST_SLOT = 2
_BETWEEN = "\n"


class SendGuard:
    """Thread-safe; each channel is sent over by one thread."""

    def __init__(self, handling: Handling, poison: Poison) -> None:
        self._handling = handling
        self._poison = poison
        self._lock = threading.Lock()
        self._slots: dict[str, Slot] = {}

    def begin(self, due: Due) -> None:
        """*due* is being sent from now on."""
        item = int.from_bytes(hashlib.blake2b(due.key.encode(), digest_size=8).digest()) | 1
        self._slot(due.channel).begin(item, f"{due.channel}{_BETWEEN}{due.key}")

    def end(self, channel: str) -> None:
        """Whatever *channel* was sending has come to its end, and that is written down."""
        self._slot(channel).end()

    def refuses(self, due: Due) -> str:
        """Why *due* is not to be sent over its channel; "" where it is."""
        if self._poison.is_empty or not self._poison.holds(Kind.CHANNEL, due.key, due.channel):
            return ""
        return "the service died while it was sending over this channel"

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
