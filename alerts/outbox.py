"""The outbox: what is to be sent, as rows that survive anything, and what becomes of each."""

from __future__ import annotations

import datetime as dt

import msgspec
import sqlalchemy as sa
from sqlalchemy.orm import Session

from alerts.channels.contract import Delivery, Outcome
from alerts.message import OutgoingMessage
from alerts.parked import PARKED, Unreached, is_overtaken, may_park, try_again, unreached, wait_together
from alerts.routing import Destination, Recipient
from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from rules.level import Level
from store.operations.database import reading
from store.operations.tables import OutboxRow

#: the code of a message that rests because the service died while sending it, and of one whose whole channel rests
POISON, RESTING = "poison", "resting"
_AT_REST = (POISON, RESTING)
PENDING, SENDING, SENT, FAILED = "pending", "sending", "sent", "failed"
_NOT_SENT = (PENDING, SENDING, PARKED)
#: waits after the first, second … failed try; the last repeats until a message is given up
_BACKOFF_MS = (5 * SECOND_MS, 15 * SECOND_MS, MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS)
#: an alarm that could not be sent over a channel for so long goes to the next one
GIVE_UP_MS = 2 * HOUR_MS
#: no wait between two tries is longer, whoever asked for it
_LONGEST_WAIT_MS = 20 * MINUTE_MS
#: what killed the service is given up like any other message once it is so old and was begun so often
_POISON_GIVE_UP_MS, _POISON_ATTEMPTS = DAY_MS, 8
_KEPT_DAYS = 400
_MOST_LISTED = 1_000


class Undelivered(msgspec.Struct, frozen=True):
    """A message that waits to be sent, since when, over which channel, and how bad what it tells of is."""

    id: int
    created_ms: int
    channel: str
    severity: Level


class Due(msgspec.Struct, frozen=True):
    """A message whose time to be sent has come."""

    id: int
    #: the row's own key: of message, channel and recipient
    key: str
    channel: str
    recipient: Recipient
    message: OutgoingMessage
    attempts: int
    #: a send was under way when we died: it may have gone out
    doubtful: bool


def enqueue(
    session: Session,
    message: OutgoingMessage,
    destination: Destination,
    *,
    alert_id: int | None,
    reason: str,
    now_ms: int,
) -> bool:
    """Adds a message within the caller's transaction; False where the very same is there already."""
    key = _key(message, destination)
    if session.scalar(sa.select(OutboxRow.id).where(OutboxRow.key == key)) is not None:
        return False
    session.add(
        OutboxRow(
            key=key,
            alert_id=alert_id,
            channel=destination.channel,
            recipient=msgspec.json.encode(destination.recipient).decode(),
            message=msgspec.to_builtins(message),
            reason=reason,
            fallback=list(destination.fallback),
            state=PENDING,
            attempts=0,
            created_ms=now_ms,
            due_ms=now_ms,
            drill=message.drill,
        )
    )
    return True


def _is_due(now_ms: int) -> sa.ColumnElement[bool]:
    """Its time has come, or lies further ahead than any wait: then the clock was set back."""
    return sa.or_(OutboxRow.due_ms <= now_ms, OutboxRow.due_ms > now_ms + _LONGEST_WAIT_MS)


def _next_row(session: Session, channel: str, now_ms: int) -> OutboxRow | None:
    """The worst that is due, then the oldest; what killed the service comes last, so that it stops no other. What is
    overtaken is dropped on the way.
    """
    rank = sa.case(
        {level.value: level.rank for level in Level}, value=OutboxRow.message["severity"].as_string(), else_=0
    )
    query = (
        sa.select(OutboxRow)
        .where(OutboxRow.channel == channel, OutboxRow.state.in_(_NOT_SENT), _is_due(now_ms))
        .order_by(
            OutboxRow.provider_code == POISON,
            OutboxRow.drill,
            rank.desc(),
            OutboxRow.created_ms,
            OutboxRow.id,
        )
        .limit(1)
    )
    while (row := session.scalar(query)) is not None and is_overtaken(session, row):
        row.state = FAILED
        session.flush()
    return row


class Outbox:
    """Rows by severity and age, an exercise's after everything real; each is marked before it is sent, judged after."""

    def __init__(self, database: sa.Engine) -> None:
        self._database = database

    def take(self, channel: str, now_ms: int) -> Due | None:
        """The next message due on *channel*, marked as being sent."""
        with Session(self._database) as session, session.begin():
            row = _next_row(session, channel, now_ms)
            if row is None:
                return None
            doubtful = row.state == SENDING
            row.state = SENDING
            row.attempts += 1
            row.created_ms = min(row.created_ms, now_ms)  # its age decides when it is given up
            row.due_ms = now_ms + MINUTE_MS  # should this process die now
            return Due(
                id=row.id,
                key=row.key,
                channel=row.channel,
                recipient=msgspec.json.decode(row.recipient, type=Recipient),
                message=msgspec.convert(row.message, OutgoingMessage),
                attempts=row.attempts,
                doubtful=doubtful,
            )

    def settle(self, due: Due, delivery: Delivery, now_ms: int) -> bool:
        """Writes down what became of it; False when the message is lost and no channel is left to try."""
        with Session(self._database) as session, session.begin():
            row = session.get_one(OutboxRow, due.id)
            row.provider_code, row.provider_text = delivery.code[:120], delivery.text[:2000]
            row.provider_id = delivery.id[:120]
            if delivery.outcome is Outcome.SENT:
                row.state, row.sent_ms = SENT, now_ms
                try_again(session, row.channel, now_ms, _BACKOFF_MS[-1])
                return True
            backoff_ms = _BACKOFF_MS[min(row.attempts, len(_BACKOFF_MS)) - 1]
            row.due_ms = now_ms + min(delivery.after_ms or backoff_ms, _LONGEST_WAIT_MS)
            if delivery.code in _AT_REST:
                row.attempts -= 1
                return self._rest(session, row, now_ms)
            if delivery.outcome is Outcome.RETRY and now_ms - row.created_ms < GIVE_UP_MS:
                row.state = PENDING
                return True
            row.state = PARKED if may_park(session, row) else FAILED
            if row.state == PARKED and delivery.outcome is Outcome.RETRY:
                wait_together(session, row.channel, row.due_ms)
            return self._hand_on(session, row, now_ms)

    def waiting(self) -> int:
        """Messages not yet sent."""
        with Session(self._database) as session:
            return int(
                session.scalar(sa.select(sa.func.count()).where(OutboxRow.state.in_((PENDING, SENDING)))) or 0
            )

    def undelivered(self) -> list[Undelivered]:
        """Messages not yet sent that are no exercise's, the oldest first; at most a thousand."""
        query = (
            sa.select(OutboxRow)
            .where(OutboxRow.state.in_((PENDING, SENDING)), OutboxRow.drill.is_(False))
            .order_by(OutboxRow.created_ms, OutboxRow.id)
            .limit(_MOST_LISTED)
        )
        with Session(reading(self._database)) as session:
            return [
                Undelivered(row.id, row.created_ms, row.channel, Level(row.message["severity"]))
                for row in session.scalars(query)
            ]

    def next_due_ms(self, channel: str) -> int | None:
        """When *channel* has something to send next."""
        with Session(self._database) as session:
            return session.scalar(
                sa.select(sa.func.min(OutboxRow.due_ms)).where(
                    OutboxRow.channel == channel, OutboxRow.state.in_(_NOT_SENT)
                )
            )

    def unreached(self) -> list[Unreached]:
        """Everybody whom an open alert has not reached over any channel."""
        with Session(reading(self._database)) as session:
            return list(unreached(session))

    def revive(self, now_ms: int) -> int:
        """At the start, or after the clock was set back: all that is not sent is due at once; how many there are."""
        with Session(self._database) as session, session.begin():
            found = session.scalars(sa.select(OutboxRow).where(OutboxRow.state.in_(_NOT_SENT))).all()
            for row in found:
                row.due_ms, row.created_ms = min(row.due_ms, now_ms), min(row.created_ms, now_ms)
            return len(found)

    def send_again(self, channel: str, key: str, now_ms: int) -> int:
        """Makes due what rests on *channel*: the row of that *key*, with "" every one; returns how many."""
        with Session(self._database) as session, session.begin():
            rows = session.scalars(
                sa.select(OutboxRow).where(
                    OutboxRow.channel == channel,
                    OutboxRow.state.in_((PENDING, PARKED)),
                    OutboxRow.provider_code.in_(_AT_REST),
                    (OutboxRow.key == key) | (sa.literal(key) == ""),
                )
            ).all()
            for row in rows:
                row.due_ms = now_ms
            return len(rows)

    def is_settled(self, key: str) -> bool:
        """Whether nothing is left to send of that row: it was sent, or given up, or there is none."""
        with Session(reading(self._database)) as session:
            query = sa.select(OutboxRow.id).where(OutboxRow.key == key, OutboxRow.state.in_(_NOT_SENT))
            return session.scalar(query) is None

    def forget_old(self, now_ms: int) -> None:
        """Drops what was settled more than a year ago."""
        oldest_ms = now_ms - dt.timedelta(days=_KEPT_DAYS) // dt.timedelta(milliseconds=1)
        with Session(self._database) as session, session.begin():
            session.execute(
                sa.delete(OutboxRow).where(
                    OutboxRow.state.in_((SENT, FAILED)),
                    OutboxRow.created_ms < oldest_ms,
                    OutboxRow.drill.is_(False),  # these belong to an exercise's record
                )
            )

    def _rest(self, session: Session, row: OutboxRow, now_ms: int) -> bool:
        """The next channel has it at once; where there is none, it waits here until the rest is over."""
        if self._hand_on(session, row, now_ms):
            row.state = PARKED if may_park(session, row) else FAILED
            return True
        given_up = now_ms - row.created_ms >= _POISON_GIVE_UP_MS and row.attempts >= _POISON_ATTEMPTS
        if given_up:
            row.state = PARKED if may_park(session, row) else FAILED
        else:
            row.state = PENDING
        return not given_up

    def _hand_on(self, session: Session, row: OutboxRow, now_ms: int) -> bool:
        """Gives the message to the next channel of its chain that has not failed with it; False where none is left."""
        message = msgspec.convert(row.message, OutgoingMessage)
        recipient = msgspec.json.decode(row.recipient, type=Recipient)
        session.flush()
        for number, channel in enumerate(row.fallback, start=1):
            destination = Destination(channel, recipient, tuple(row.fallback[number:]))
            if enqueue(
                session, message, destination, alert_id=row.alert_id, reason=f"fallback from {row.channel}",
                now_ms=now_ms,
            ):  # fmt: skip
                return True
            if _state(session, message, destination) in {PENDING, SENDING, SENT}:
                return True
        return False


def _state(session: Session, message: OutgoingMessage, destination: Destination) -> str | None:
    """What became of *message* at *destination*."""
    return session.scalar(sa.select(OutboxRow.state).where(OutboxRow.key == _key(message, destination)))


def _key(message: OutgoingMessage, destination: Destination) -> str:
    return f"{message.key}:{destination.channel}:{destination.recipient.id}"
