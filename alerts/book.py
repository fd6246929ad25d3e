"""The book of alerts: what fires, who took it on, and what is to be told, in one transaction with the position."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.orm import Session

from alerts.alert import Alert, AlertEvent, AlertState, event_from_row, from_row
from alerts.cursor import AlertCursor, listed_order
from alerts.decision import ENDINGS, Decision, Reason, decide
from alerts.errors import AlertOver, NoSuchAlert
from alerts.message import message_for
from alerts.outbox import enqueue
from alerts.own.service import UNREACHABLE
from alerts.routing import destinations
from campus import selftest
from campus.campus import Campus
from campus.clock import SET_BACK_MS
from rules.level import Level, State
from rules.verdict import Transition
from store.operations.database import reading
from store.operations.tables import AlertEventRow, AlertRow, ConsumerRow, RuleSnapshotRow

_CONSUMER = "rules"
#: not a consumer: where and when the self-test was last booked
_SELFTEST = "selftest"
_TOLD_STATES = {State.FIRING, State.RESOLVED}


def _no_drill(_: str) -> bool:
    return False


def _by_routes(_: str) -> Sequence[str] | None:
    return None


class AlertBook:
    """Alerts in the operations database. *is_drill* says of a subject that its alerts are exercises, *audience* who is
    told of those in place of the routes' recipients (None: these).
    """

    def __init__(
        self,
        database: sa.Engine,
        campus: Callable[[], Campus],
        *,
        is_drill: Callable[[str], bool] = _no_drill,
        audience: Callable[[str], Sequence[str] | None] = _by_routes,
    ) -> None:
        self._database = database
        self._reading = reading(database)
        self._campus = campus
        self._is_drill = is_drill
        self._audience = audience

    def apply(
        self, transitions: Sequence[Transition], *, seq: int, time_ms: int, snapshot: bytes | None = None
    ) -> list[int]:
        """Commits the effects of everything up to batch *seq*; returns the ids of alerts that changed.

        A *seq* that is committed already changes nothing: a replay after a crash is safe.
        """
        changed: list[int] = []
        with Session(self._database) as session, session.begin():
            position = session.get(ConsumerRow, _CONSUMER)
            if position is None:
                position = ConsumerRow(name=_CONSUMER, seq=0, time_ms=0)
                session.add(position)
            if seq > position.seq:
                if position.time_ms - time_ms > SET_BACK_MS:
                    _set_back(session, time_ms)
                for transition in transitions:
                    if transition.rule == selftest.RULE:
                        session.merge(ConsumerRow(name=_SELFTEST, seq=seq, time_ms=transition.time_ms))
                    elif transition.to_state in _TOLD_STATES:
                        changed += self._take(session, transition, time_ms)
                position.seq, position.time_ms = seq, time_ms
            if snapshot is not None:
                session.merge(RuleSnapshotRow(name=_CONSUMER, seq=seq, taken_ms=time_ms, state=snapshot))
        return changed

    def position(self) -> tuple[int, int, bytes | None]:
        """The committed *seq*, the snapshot's *seq* and the snapshot."""
        with Session(self._reading) as session:
            position = session.get(ConsumerRow, _CONSUMER)
            kept = session.get(RuleSnapshotRow, _CONSUMER)
            committed = position.seq if position is not None else 0
            return committed, kept.seq if kept is not None else 0, kept.state if kept is not None else None

    def move_position(self, seq: int, time_ms: int) -> None:
        """Counts from *seq* of another journal on, with the rules' state as it is."""
        with Session(self._database) as session, session.begin():
            session.merge(ConsumerRow(name=_CONSUMER, seq=seq, time_ms=time_ms))
            kept = session.get(RuleSnapshotRow, _CONSUMER)
            if kept is not None:
                kept.seq = seq

    def selftest_ms(self) -> int:
        """When the self-test alarm was last booked, 0 for never."""
        with Session(self._reading) as session:
            row = session.get(ConsumerRow, _SELFTEST)
            return row.time_ms if row is not None else 0

    def open_alerts(self, *, limit: int | None = None) -> list[Alert]:
        """Everything that is not resolved: the worst first, then the newest; at most *limit* of them."""
        return self.find(states=(AlertState.FIRING, AlertState.ACKNOWLEDGED), limit=limit)

    def find(
        self,
        *,
        states: Sequence[AlertState] = (),
        rule: str = "",
        subject: str = "",
        after: AlertCursor | None = None,
        before_id: int | None = None,
        limit: int | None = 100,
    ) -> list[Alert]:
        """Alerts that match: the open ones first, the worst on top, then the resolved ones, newest first; those that come
        *after* a place in this order. With *before_id*: only older ones, simply the newest first.
        """
        query = sa.select(AlertRow).limit(limit)
        if states:
            query = query.where(AlertRow.state.in_([state.value for state in states]))
        if rule:
            query = query.where(AlertRow.rule == rule)
        if subject:
            query = query.where(AlertRow.subject == subject)
        if after is not None:
            query = query.where(after.before())
        if before_id is None:
            query = query.order_by(*listed_order())
        else:
            query = query.where(AlertRow.id < before_id).order_by(AlertRow.id.desc())
        with Session(self._reading) as session:
            return [from_row(row) for row in session.scalars(query)]

    def get(self, alert_id: int) -> Alert:
        """One alert; raises :class:`NoSuchAlert`."""
        with Session(self._reading) as session:
            return from_row(_row(session, alert_id))

    def events(self, alert_id: int) -> list[AlertEvent]:
        """The alert's life, oldest first."""
        query = sa.select(AlertEventRow).where(AlertEventRow.alert_id == alert_id).order_by(AlertEventRow.id)
        with Session(self._reading) as session:
            _row(session, alert_id)
            return [event_from_row(row) for row in session.scalars(query)]

    def acknowledge(self, alert_id: int, who: str, now_ms: int) -> Alert:
        """Somebody takes it on. Whoever was first stays; raises :class:`AlertOver` once it is resolved."""
        with Session(self._database) as session, session.begin():
            row = _row(session, alert_id)
            if row.state == AlertState.RESOLVED:
                raise AlertOver(alert_id)
            if row.state == AlertState.FIRING:
                row.state = AlertState.ACKNOWLEDGED.value
                row.acknowledged_ms, row.acknowledged_by = now_ms, who
                _note(session, row, now_ms, "acknowledged", who=who)
            return from_row(row)

    def note(
        self,
        alert_id: int,
        who: str,
        now_ms: int,
        *,
        cause: str | None = None,
        repair_note: str | None = None,
    ) -> Alert:
        """Writes down what it was and what was done; what is None stays as it was."""
        with Session(self._database) as session, session.begin():
            row = _row(session, alert_id)
            changed = {"cause": cause, "repair_note": repair_note}
            changed = {name: text for name, text in changed.items() if text is not None}
            for name, text in changed.items():
                setattr(row, name, text)
            if changed:
                told = {"cause": row.cause or "", "repair_note": row.repair_note or ""}
                _note(session, row, now_ms, "noted", who=who, **told)
            return from_row(row)

    def read(self, alert_id: int, who: str, now_ms: int) -> bool:
        """Notes that somebody has opened the page an exercise's message leads to; False where that is known already."""
        with Session(self._database) as session, session.begin():
            row = _row(session, alert_id)
            known = sa.select(AlertEventRow.id).where(
                AlertEventRow.alert_id == alert_id, AlertEventRow.kind == "read", AlertEventRow.who == who
            )
            if not row.drill or session.scalar(known) is not None:
                return False
            _note(session, row, now_ms, "read", who=who)
            return True

    def raise_own(
        self, rule: str, subject: str, evidence: dict[str, Any], now_ms: int, *, drill: bool = False
    ) -> int:
        """An alert of the service about itself; nobody is messaged, as that is what it may be about.

        What an exercise found out is an exercise's, until the same happens in earnest.
        """
        with Session(self._database) as session, session.begin():
            row = _open_row(session, rule, subject)
            if row is None:
                row = AlertRow(
                    rule=rule, subject=subject, severity=Level.CRITICAL.value, state=AlertState.FIRING.value,
                    opened_ms=now_ms, updated_ms=now_ms, evidence=evidence, historical=False, drill=drill,
                )  # fmt: skip
                session.add(row)
                session.flush()
                _note(session, row, now_ms, "opened", reason="service")
            else:
                row.updated_ms, row.evidence, row.drill = now_ms, evidence, row.drill and drill
            return row.id

    def take_own(self, transitions: Sequence[Transition], now_ms: int) -> list[int]:
        """Alerts of the service about itself, told like those of rules; the ids of those that changed."""
        with Session(self._database) as session, session.begin():
            return [one for transition in transitions for one in self._take(session, transition, now_ms)]

    def end(self, alert_ids: Sequence[int], now_ms: int) -> None:
        """Ends alerts that nothing judges any more, by what became of their rule or device; told like a recovery.

        Left open they would hide every later alert of the same rule and device.
        """
        with Session(self._database) as session, session.begin():
            for alert_id in alert_ids:
                row = _row(session, alert_id)
                if row.state == AlertState.RESOLVED:
                    continue
                known = row.subject in self._campus().devices
                reason = Reason.RULE_OFF if known else Reason.DEVICE_GONE
                row.state, row.updated_ms = AlertState.RESOLVED.value, max(row.updated_ms, now_ms)
                row.resolved_ms = max(row.opened_ms, now_ms)
                _note(session, row, now_ms, "resolved", reason=reason.value, severity=row.severity)
                self._notify(session, row, Decision(tell=True, reason=reason), now_ms)

    def _take(self, session: Session, transition: Transition, now_ms: int) -> list[int]:
        row = _open_row(session, transition.rule, transition.subject)
        decision = decide(transition, Level(row.severity) if row is not None else None)
        if decision.reason is Reason.NOT_OPEN:
            return []
        if row is None:
            row = self._opened(session, transition)
        evidence = msgspec.to_builtins(transition.evidence)
        row.updated_ms = max(row.updated_ms, transition.time_ms)
        if transition.to_state is State.RESOLVED or transition.historical:
            row.state, row.resolved_ms = AlertState.RESOLVED.value, transition.time_ms
            if not transition.historical:
                row.evidence = _recovered(row.evidence, evidence)
        else:
            row.severity, row.evidence = transition.severity.value, evidence
        kind = {Reason.OPENED: "opened", Reason.RESOLVED: "resolved", Reason.NOT_HISTORICAL: "recorded"}.get(
            decision.reason, "severity"
        )
        _note(
            session,
            row,
            transition.time_ms,
            kind,
            reason=decision.reason.value,
            severity=transition.severity.value,
        )
        if decision.tell and row.rule != UNREACHABLE:  # whom it is about would hear of it the same way
            self._notify(session, row, decision, now_ms)
        session.flush()
        return [row.id]

    def _opened(self, session: Session, transition: Transition) -> AlertRow:
        row = AlertRow(
            rule=transition.rule,
            subject=transition.subject,
            severity=transition.severity.value,
            state=AlertState.FIRING.value,
            opened_ms=transition.time_ms,
            updated_ms=transition.time_ms,
            evidence=msgspec.to_builtins(transition.evidence),
            historical=transition.historical,
            drill=self._is_drill(transition.subject),
        )
        session.add(row)
        session.flush()
        return row

    def _notify(self, session: Session, row: AlertRow, decision: Decision, now_ms: int) -> None:
        campus = self._campus()
        resolved = decision.reason in ENDINGS
        alert = from_row(row)
        to = self._audience(row.subject) if row.drill else None
        told = destinations(row.rule, alert.severity, campus, now_ms, resolved=resolved, to=to)
        events = session.scalar(sa.select(sa.func.count()).where(AlertEventRow.alert_id == row.id)) or 0
        message = message_for(alert, decision.reason, campus, key=f"{row.id}-{events}")
        for one in told:
            enqueue(
                session,
                message,
                one,
                alert_id=row.id,
                reason=decision.reason.value,
                now_ms=now_ms,
            )


def _row(session: Session, alert_id: int) -> AlertRow:
    row = session.get(AlertRow, alert_id)
    if row is None:
        raise NoSuchAlert(alert_id)
    return row


def _open_row(session: Session, rule: str, subject: str) -> AlertRow | None:
    return session.scalar(
        sa.select(AlertRow).where(
            AlertRow.rule == rule, AlertRow.subject == subject, AlertRow.state != AlertState.RESOLVED.value
        )
    )


def _recovered(told: dict[str, Any], at_end: dict[str, Any]) -> dict[str, Any]:
    """What was told, with the last figures of the time it was bad, and what is well now."""
    facts = {**told.get("facts", {}), **at_end["facts"]}
    return told | {"facts": facts, "recovered": at_end.get("recovered")}


def _set_back(session: Session, now_ms: int) -> None:
    """The clock was set back to *now_ms*: nothing that is open began after it."""
    for row in session.scalars(sa.select(AlertRow).where(AlertRow.state != AlertState.RESOLVED.value)):
        row.opened_ms, row.updated_ms = min(row.opened_ms, now_ms), min(row.updated_ms, now_ms)
        if row.acknowledged_ms is not None:
            row.acknowledged_ms = min(row.acknowledged_ms, now_ms)
        since_ms = row.evidence.get("since_ms", 0)
        row.evidence = row.evidence | {"since_ms": min(since_ms, now_ms)}


def _note(session: Session, row: AlertRow, time_ms: int, kind: str, *, who: str = "", **detail: Any) -> None:
    session.add(AlertEventRow(alert_id=row.id, time_ms=time_ms, kind=kind, who=who, detail=detail))
    session.flush()
