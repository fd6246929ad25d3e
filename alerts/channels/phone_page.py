"""The phone page: messages as a phone would show them, on a page of this service."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from alerts.channels.contract import Delivery, retry, sent
from alerts.message import OutgoingMessage
from alerts.routing import Recipient
from store.operations.tables import PhoneMessageRow

#: messages kept; older ones go
KEPT = 500


class PhonePageChannel:
    """Keeps messages in the operations database; *told* is called after each, so that open pages show it at once."""

    def __init__(
        self, database: sa.Engine, now_ms: Callable[[], int], told: Callable[[], None] = lambda: None
    ) -> None:
        self._database = database
        self._now_ms = now_ms
        self._told = told

    def send(self, message: OutgoingMessage, recipient: Recipient, *, doubtful: bool = False) -> Delivery:  # noqa: ARG002 - the contract's signature
        try:
            with Session(self._database) as session, session.begin():
                row = PhoneMessageRow(
                    time_ms=self._now_ms(),
                    recipient=recipient.name or recipient.id,
                    title=message.title,
                    body="\n".join(filter(None, (*message.lines, message.advice))),
                )
                session.add(row)
                session.flush()
                session.execute(sa.delete(PhoneMessageRow).where(PhoneMessageRow.id <= row.id - KEPT))
        except SQLAlchemyError as error:
            return retry(type(error).__name__, str(error))
        self._told()
        return sent()

    def close(self) -> None:
        """Nothing to close."""
