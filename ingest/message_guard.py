"""Marks the message that is being read, so that the next start knows what the process died of; and knows what is set aside."""

from __future__ import annotations

from ingest.message import Message
from ingest.redeliveries import fingerprint as fingerprint_of
from store.handling import Handling, kept_topic
from store.poison import Kind, Poison

#: the pipeline's place among the marks
SLOT = 0
_CHECKSUM = 0xFFFFFFFF
_WHY = "the service died while it was reading this; it is read again only when somebody replays it"


class MessageGuard:
    """One thread's. A mark is one word, as it is made for every message."""

    def __init__(self, handling: Handling, poison: Poison) -> None:
        self._poison = poison
        self._words = handling.slot(SLOT).words
        self._numbers, self._enter = handling.topics.numbers, handling.topics.enter
        #: no message is being read any more
        self.end = handling.slot(SLOT).end

    def begin(self, message: Message, fingerprint: int) -> str:
        """*message* is being read from now on, unless it is set aside: then the reason is returned, else ""."""
        topic = message.topic
        if message.broker or message.renumbered:  # a replayed one has lost its broker
            fingerprint = checksum(topic, message.payload)
        if not self._poison.is_empty and self._poison.holds(
            Kind.MESSAGE, item_of(fingerprint), kept_topic(topic)
        ):
            return _WHY
        self._words[0] = (self._numbers.get(topic) or self._enter(topic)) | fingerprint & _CHECKSUM
        return ""


def item_of(fingerprint: int) -> str:
    """What tells a message from others of its topic, whichever packet brings it: the checksum of topic and payload."""
    return f"{fingerprint & _CHECKSUM:08x}"


def checksum(topic: str, payload: bytes) -> int:
    """The checksum of a message that came without a broker's name."""
    return fingerprint_of(Message(topic, payload, 0))
