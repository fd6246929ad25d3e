"""Topics as text, each decoded once."""

from __future__ import annotations

from ingest.message import LONGEST_TOPIC

_MOST_BYTES = 16 * 1024 * 1024
#: an entry's own cost beside its bytes, about
_ENTRY_BYTES = 200


class TopicTexts:
    """One text object a topic: everything that looks topics up finds its hash in it.

    Bounded by bytes, not by topics, as anybody who may publish chooses how long they are. A topic that is too long to be
    read anyway is not remembered.
    """

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._texts: dict[bytes, str] = {}
        self.size_bytes = 0

    def __call__(self, topic: bytes) -> str:
        text = self._texts.get(topic)
        if text is None:
            text = topic.decode(errors="replace")
            if len(topic) <= LONGEST_TOPIC:
                self._remember(topic, text)
        return text

    def _remember(self, topic: bytes, text: str) -> None:
        cost = 3 * len(topic) + _ENTRY_BYTES
        if self.size_bytes + cost > self._most_bytes:
            self._texts.clear()
            self.size_bytes = 0
        self._texts[topic] = text
        self.size_bytes += cost
