"""What is written down of an exercise: its alerts, what was sent of them, and what people did, in order of time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.orm import Session

from alerts.drills.drill import Drill, DrillLog, DrillState
from alerts.drills.end import DROPPED
from alerts.drills.score import Act, DrillMessage, Heard, Score, is_handled, score
from alerts.outbox import FAILED
from alerts.routing import Recipient
from rules.level import Level
from store.operations.database import reading
from store.operations.tables import AlertEventRow, AlertRow, OutboxRow

_COMPARED = 5
_BEGAN = (DrillState.RUNNING, DrillState.DONE, DrillState.STOPPED, DrillState.ABORTED)


class Moment(msgspec.Struct, frozen=True):
    """A line of the story; *kind* says what happened, the rest to what and by whom."""

    time_ms: int
    kind: str
    who: str = ""
    alert_id: int | None = None
    detail: dict[str, Any] = {}


class Record(msgspec.Struct, frozen=True):
    """An exercise with all that came of it."""

    drill: Drill
    heard: tuple[Heard, ...]
    score: Score
    story: tuple[Moment, ...]

    @property
    def all_handled(self) -> bool:
        """Whether every alert of it has its cause or repair written down."""
        return all(any(is_handled(act) for act in one.acts) for one in self.heard)


def record_of(database: sa.Engine, drill: Drill, now_ms: int) -> Record:
    """Everything about one exercise."""
    heard = _heard(database, drill)
    return Record(drill, heard, score(drill, heard, now_ms), _story(drill, heard))


def earlier_of(database: sa.Engine, drill: Drill, now_ms: int) -> list[Record]:
    """Earlier exercises of the same scenario, the newest first."""
    found = DrillLog(database).find(
        states=_BEGAN, scenario=drill.asked.scenario, before_id=drill.id, limit=_COMPARED
    )
    return [record_of(database, one, now_ms) for one in found]


def _heard(database: sa.Engine, drill: Drill) -> tuple[Heard, ...]:
    """Its alerts: those of its devices that opened while it ran. No two exercises run at once."""
    if drill.began_ms is None:
        return ()
    rows = sa.select(AlertRow).where(
        AlertRow.drill.is_(True),
        AlertRow.subject.in_(list(drill.plan.copies)),
        AlertRow.opened_ms >= drill.began_ms,
    )
    if drill.ended_ms is not None:
        rows = rows.where(AlertRow.opened_ms <= drill.ended_ms)
    with Session(reading(database)) as session:
        return tuple(_one(session, row) for row in session.scalars(rows.order_by(AlertRow.opened_ms)))


def _one(session: Session, row: AlertRow) -> Heard:
    events = session.scalars(
        sa.select(AlertEventRow).where(AlertEventRow.alert_id == row.id).order_by(AlertEventRow.id)
    ).all()
    sent = session.scalars(
        sa.select(OutboxRow).where(OutboxRow.alert_id == row.id).order_by(OutboxRow.id)
    ).all()
    return Heard(
        id=row.id,
        rule=row.rule,
        subject=row.subject,
        opened_ms=row.opened_ms,
        levels=tuple(
            (event.time_ms, Level(event.detail["severity"]))
            for event in events
            if event.kind in {"opened", "severity"} and "severity" in event.detail
        ),
        messages=tuple(_message(one) for one in sent),
        acts=tuple(_act(event.kind, event.time_ms, event.who, event.detail) for event in events),
    )


def _message(row: OutboxRow) -> DrillMessage:
    recipient = msgspec.json.decode(row.recipient, type=Recipient)
    lost = row.state == FAILED and row.provider_code != DROPPED
    failed = f"{row.provider_code} {row.provider_text}".strip() if lost else ""
    return DrillMessage(row.channel, recipient.name or recipient.id, row.created_ms, row.sent_ms, failed)


def _act(kind: str, time_ms: int, who: str, detail: Mapping[str, Any]) -> Act:
    return Act(kind, time_ms, who, str(detail.get("cause", "")), str(detail.get("repair_note", "")))


def _story(drill: Drill, heard: tuple[Heard, ...]) -> tuple[Moment, ...]:
    story = [Moment(drill.ordered_ms, "ordered", drill.ordered_by)]
    if drill.began_ms is not None:
        story.append(Moment(drill.began_ms, "began"))
        last_ms = drill.ended_ms
        story += [
            Moment(one.start_ms, "fault", detail={"fault": one.kind, "devices": list(one.devices)})
            for one in drill.plan.faults
            if last_ms is None or one.start_ms <= last_ms
        ]
    for alert in heard:
        story += [
            Moment(
                act.time_ms, act.kind, act.who, alert.id,
                {
                    "rule": alert.rule, "subject": alert.subject, "cause": act.cause, "repair_note": act.repair_note,
                    "level": next((level.value for at, level in reversed(alert.levels) if at <= act.time_ms), ""),
                },
            )
            for act in alert.acts
        ]  # fmt: skip
        for one in alert.messages:
            detail = {"channel": one.channel, "failed": one.failed}
            if one.sent_ms is not None:
                story.append(Moment(one.sent_ms, "sent", one.recipient, alert.id, detail))
            elif one.failed:
                story.append(Moment(one.created_ms, "not_sent", one.recipient, alert.id, detail))
    if drill.ended_ms is not None:
        story.append(
            Moment(drill.ended_ms, drill.state.value, drill.ended_by, detail={"reason": drill.reason})
        )
    return tuple(sorted(story, key=lambda one: one.time_ms))
