"""Messages that no channel would take: tried again for as long as their alert is open, and told of meanwhile.

A channel that refuses or does not answer for hours hands its message on to the next one. The message itself is parked:
once the channel takes messages again, what is still open is told over it, the worst first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.orm import Session

from alerts.alert import AlertState
from alerts.message import MessageKind
from alerts.own.service import UNREACHABLE
from alerts.routing import Recipient
from campus.clock import MINUTE_MS
from store.operations.tables import AlertRow, OutboxRow

PARKED = "parked"
#: what stands in place of a provider's code for somebody without a number, which ``shouyuan check`` names
NO_PHONE = "no phone"
#: a parked message that was tried within so long is not tried again because another one went through
_JUST_TRIED_MS = 5 * MINUTE_MS
_UNDER_WAY = ("pending", "sending", "sent")


class Unreached(msgspec.Struct, frozen=True):
    """Whom no channel has reached with an alert that is open, and what the last one said."""

    recipient: str
    message: str


def may_park(session: Session, row: OutboxRow) -> bool:
    """Whether there is still somebody to be told: its alert is open, real, and not about this very trouble."""
    if row.drill or row.alert_id is None or row.message["kind"] != MessageKind.ALERT.value:
        return False
    alert = session.get(AlertRow, row.alert_id)
    return alert is not None and alert.state != AlertState.RESOLVED.value and alert.rule != UNREACHABLE


def is_overtaken(session: Session, row: OutboxRow) -> bool:
    """Whether a parked message need not be told any more: its alert is over, or a newer one of it waits here, too."""
    if row.state != PARKED:
        return False
    newer = sa.select(OutboxRow.id).where(
        OutboxRow.alert_id == row.alert_id,
        OutboxRow.channel == row.channel,
        OutboxRow.recipient == row.recipient,
        OutboxRow.id > row.id,
        OutboxRow.state.in_(("pending", PARKED)),
    )
    return not may_park(session, row) or session.scalar(newer.limit(1)) is not None


def try_again(session: Session, channel: str, now_ms: int, longest_wait_ms: int) -> None:
    """*channel* took a message: what is parked for it is due, but for what it has just refused."""
    session.execute(
        sa.update(OutboxRow)
        .where(
            OutboxRow.channel == channel,
            OutboxRow.state == PARKED,
            OutboxRow.due_ms <= now_ms + longest_wait_ms - _JUST_TRIED_MS,
        )
        .values(due_ms=now_ms)
    )


def wait_together(session: Session, channel: str, due_ms: int) -> None:
    """*channel* does not answer: what is parked for it is next tried at one time, so that the worst is tried first."""
    session.execute(
        sa.update(OutboxRow)
        .where(OutboxRow.channel == channel, OutboxRow.state == PARKED)
        .values(due_ms=due_ms)
    )


def unreached(session: Session) -> Iterator[Unreached]:
    """Everybody whom an open alert has not reached over any channel, each once, the worst message first."""
    rows = session.scalars(sa.select(OutboxRow).where(OutboxRow.state == PARKED).order_by(OutboxRow.id)).all()
    told: set[str] = set()
    for row in rows:
        recipient = msgspec.json.decode(row.recipient, type=Recipient)
        name = row.channel if recipient.id == "group" else recipient.name or recipient.id
        if name in told or not may_park(session, row) or _is_covered(session, row):
            continue
        told.add(name)
        reason = f"{row.channel}: {row.provider_code} {row.provider_text}".strip()
        yield Unreached(name, f"{row.message['title']} → {name} ({reason})"[:300])


def _is_covered(session: Session, row: OutboxRow) -> bool:
    """Whether another channel of its chain has the message, or had it taken; of somebody without a number, any other."""
    key = str(row.message["key"])
    others: Sequence[OutboxRow] = session.scalars(
        sa.select(OutboxRow).where(
            OutboxRow.alert_id == row.alert_id, OutboxRow.id != row.id, OutboxRow.state.in_(_UNDER_WAY)
        )
    ).all()
    same = [one for one in others if one.message["key"] == key]
    if row.provider_code == NO_PHONE:
        return bool(same)
    return any(
        one.recipient == row.recipient and (one.channel in row.fallback or row.channel in one.fallback)
        for one in same
    )
