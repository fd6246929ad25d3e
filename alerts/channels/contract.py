"""What every channel is, and what becomes of a message."""

from __future__ import annotations

import enum
from typing import Protocol

import msgspec

from alerts.message import OutgoingMessage
from alerts.routing import Recipient


class Outcome(enum.StrEnum):
    """The provider's own word on a message, judged."""

    SENT = "sent"
    RETRY = "retry"
    FAILED = "failed"


class Delivery(msgspec.Struct, frozen=True):
    """*after_ms* is when to try again (0: the outbox's own back-off); *code*, *text*, *id* are the provider's."""

    outcome: Outcome
    code: str = ""
    text: str = ""
    id: str = ""
    after_ms: int = 0


class Channel(Protocol):
    """Sends one message to one recipient. Never raises: whatever happens is a :class:`Delivery`."""

    def send(self, message: OutgoingMessage, recipient: Recipient, *, doubtful: bool = False) -> Delivery:
        """*doubtful* says that an earlier try may have gone out."""
        ...

    def close(self) -> None: ...


def sent(code: str = "", text: str = "", *, message_id: str = "") -> Delivery:
    """The provider took it."""
    return Delivery(Outcome.SENT, code, text, message_id)


def retry(code: str, text: str, *, after_ms: int = 0) -> Delivery:
    """Not now."""
    return Delivery(Outcome.RETRY, code, text, after_ms=after_ms)


def failed(code: str, text: str) -> Delivery:
    """Never over this channel."""
    return Delivery(Outcome.FAILED, code, text)
