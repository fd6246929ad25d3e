"""Marks the message that is being read, so that the next start knows what the process died of; and knows what rests."""

from __future__ import annotations

from collections.abc import Callable

from ingest.message import Message
from ingest.redeliveries import fingerprint as fingerprint_of
from store.poison.handling import Handling, kept_topic
from store.poison.record import Kind, Poison

#: the pipeline's place among the marks
SLOT = 0
_CHECKSUM = 0xFFFFFFFF
_WHY = (
    "the service died while it was reading this or others of its topic; a topic is tried again after a rest"
)


class MessageGuard:
    """One thread's. A mark is one word, as it is made for every message."""

    def __init__(self, handling: Handling, poison: Poison, now_ms: Callable[[], int]) -> None:
        self._poison = poison
        self._now_ms = now_ms
        self._slot = handling.slot(SLOT)
        self._words = self._slot.words
        self._numbers, self._enter = handling.topics.numbers, handling.topics.enter
        #: item and topic of the suspect that is being read
        self._suspect: tuple[str, str] | None = None

    def begin(self, message: Message, fingerprint: int) -> str:
        """*message* is being read from now on, unless it rests: then the reason is returned, else "".

        The one before has been read, and the process lives.
        """
        topic = message.topic
        if message.broker or message.renumbered:  # a replayed one has lost its broker
            fingerprint = checksum(topic, message.payload)
        if not self._poison.is_empty:
            self._clear()
            group = kept_topic(topic)
            if self._poison.watches(Kind.MESSAGE, group):
                item = item_of(fingerprint)
                if self._poison.holds(Kind.MESSAGE, item, group, self._now_ms()) is not None:
                    self._slot.end()
                    return _WHY
                self._suspect = item, group
        self._words[0] = (self._numbers.get(topic) or self._enter(topic)) | fingerprint & _CHECKSUM
        return ""

    def end(self) -> None:
        """No message is being read any more."""
        self._slot.end()
        self._clear()

    def _clear(self) -> None:
        """The message that was being read did no harm."""
        if self._suspect is not None:
            (item, group), self._suspect = self._suspect, None
            self._poison.completed(Kind.MESSAGE, item, group)


def item_of(fingerprint: int) -> str:
    """What tells a message from others of its topic, whichever packet brings it: the checksum of topic and payload."""
    return f"{fingerprint & _CHECKSUM:08x}"


def checksum(topic: str, payload: bytes) -> int:
    """The checksum of a message that came without a broker's name."""
    return fingerprint_of(Message(topic, payload, 0))
