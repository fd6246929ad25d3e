"""What an exercise leaves behind, and words about it to those who take part."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from alerts.alert import AlertState
from alerts.drills.drill import Drill
from alerts.message import MessageKind, OutgoingMessage
from alerts.outbox import FAILED, PENDING, enqueue
from alerts.own.service import UNREACHABLE
from alerts.routing import destinations
from campus.campus import Campus
from campus.text import marked as _
from campus.text import translator
from rules.level import Level
from store.operations.tables import AlertEventRow, AlertRow, OutboxRow

_BEGINS = _("【演练】演练开始:{title}")
_BEGINS_LINE = _("下面收到带【演练】的消息请按真实情况处置:点开链接,点“我来处理”,处理后写明原因和处理情况。")
_ENDS = _("【演练】演练结束:{title}")
_ENDS_LINE = _("之前带【演练】的消息都是演练,现在不用再处置;没有【演练】的都是真实告警。")
_ABORTED = _("【演练】演练中止:{title}")
#: the outbox's code for what was not sent any more
DROPPED = "dropped"
_OVER = "the drill is over"
#: the outbox's reasons for words about an exercise; that it is over is said in any case
_BEGIN, _END = "drill begins", "drill is over"


def close_alerts(database: sa.Engine, subjects: Collection[str], now_ms: int) -> int:
    """Ends the open alerts of an exercise and drops what was still to be sent of them; how many alerts there were."""
    with Session(database) as session, session.begin():
        rows = session.scalars(
            sa.select(AlertRow).where(
                AlertRow.drill.is_(True),
                AlertRow.state != AlertState.RESOLVED.value,
                sa.or_(AlertRow.subject.in_(list(subjects)), AlertRow.rule == UNREACHABLE),
            )
        ).all()
        for row in rows:
            row.state, row.resolved_ms, row.updated_ms = AlertState.RESOLVED.value, now_ms, now_ms
            session.add(
                AlertEventRow(
                    alert_id=row.id, time_ms=now_ms, kind="resolved", who="", detail={"reason": _OVER}
                )
            )
        session.execute(
            sa.update(OutboxRow)
            .where(OutboxRow.drill.is_(True), OutboxRow.state == PENDING, OutboxRow.reason != _END)
            .values(state=FAILED, provider_code=DROPPED, provider_text=_OVER)
        )
        return len(rows)


def notify_begin(database: sa.Engine, drill: Drill, campus: Campus, now_ms: int) -> None:
    """Says that an announced exercise begins."""
    translate = translator(campus.site.language)
    title = translate(_BEGINS).format(title=drill.plan.title)
    message = _message(drill, campus, f"drill-{drill.id}-begin", title, translate(_BEGINS_LINE))
    _notify(database, drill, _Tidings(message, campus, _BEGIN), now_ms)


def notify_end(database: sa.Engine, drill: Drill, campus: Campus, now_ms: int) -> None:
    """Says that it is over, to everybody who may have heard of it, so that nobody acts on what never was."""
    translate = translator(campus.site.language)
    title = translate(_ABORTED if drill.reason else _ENDS).format(title=drill.plan.title)
    message = _message(drill, campus, f"drill-{drill.id}-end", title, drill.reason, translate(_ENDS_LINE))
    _notify(database, drill, _Tidings(message, campus, _END), now_ms)


class _Tidings(NamedTuple):
    message: OutgoingMessage
    campus: Campus
    reason: str


def _message(drill: Drill, campus: Campus, key: str, title: str, *lines: str) -> OutgoingMessage:
    public = campus.site.public_url.rstrip("/")
    return OutgoingMessage(
        key=key,
        kind=MessageKind.TEST,
        severity=Level.NOTICE,
        title=title,
        lines=tuple(filter(None, lines)),
        place=campus.site.name,
        what=drill.plan.title,
        link=f"{public}/drills/{drill.id}" if public else "",
        drill=True,
    )


def _notify(database: sa.Engine, drill: Drill, tidings: _Tidings, now_ms: int) -> None:
    """Over the channels that its alerts take, to the people who were chosen for it."""
    people, campus = drill.asked.people, tidings.campus
    chosen = {
        (one.channel, one.recipient.id): one
        for rule in {rule for one in drill.plan.expect for rule in one.rules}
        for one in destinations(rule, Level.CRITICAL, campus, now_ms, resolved=False, to=people)
    }
    with Session(database) as session, session.begin():
        for one in chosen.values():
            enqueue(session, tidings.message, one, alert_id=None, reason=tidings.reason, now_ms=now_ms)
