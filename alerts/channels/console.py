"""The console: messages where the service runs, for first steps and drills."""

from __future__ import annotations

from collections.abc import Callable

from alerts.channels.contract import Delivery, sent
from alerts.message import OutgoingMessage
from alerts.routing import Recipient


class ConsoleChannel:
    """Writes each message as a framed block through *write*."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def send(self, message: OutgoingMessage, recipient: Recipient, *, doubtful: bool = False) -> Delivery:  # noqa: ARG002 - the contract's signature
        rule = "─" * 48
        whom = recipient.name or recipient.id
        self._write(f"{rule}\n→ {whom}\n{message.text()}\n{rule}")
        return sent()

    def close(self) -> None:
        """Nothing to close."""
