"""The self-test's message: one whole number, nothing else. No source and no register can choose this decoder."""

from __future__ import annotations

from typing import ClassVar

from campus import selftest
from ingest.decoding.contract import Hints
from ingest.decoding.wire.bare import bare
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report, Value

_MOST_DIGITS = 12


class SelfTestNumber:
    """Reads what the service published to itself."""

    name: ClassVar[str] = "selftest"
    topics: ClassVar[tuple[str, ...]] = (selftest.TOPIC,)

    def recognises(self, message: Message) -> bool:
        """By the one topic of the self-test."""
        return message.topic == selftest.TOPIC

    def decode(self, message: Message, hints: Hints) -> Decoded:  # noqa: ARG002 - the protocol's signature
        """The number, as a count. Rejected: ``not_a_number``."""
        text = bare(message.payload)
        if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
            raise Rejected("not_a_number", f"found {text[:20]!r}; expected the number of a self-test")
        value = Value(selftest.SERIES.quantity.value, float(text), "count")
        return Decoded((Report(selftest.DEVICE_ID, None, (value,)),))
