"""The audit: who did what, on what, when and from where.

What changes accounts is written down in the same transaction. Of everything else the entry is written right after the act;
where the database does not take it, it is kept, logged, and tried again, and health says so. Failed sign-ins are
counted and written once a minute, so that whoever guesses cannot fill the table or hold the database.
"""

from __future__ import annotations

import enum
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from api.accounts.account import Actor
from campus.clock import DAY_MS
from store.operations.database import reading
from store.operations.tables import AuditRow

log = structlog.get_logger()

_KEPT_MS = 3 * 366 * DAY_MS
_MOST_ENTRIES = 500_000
_MOST_WAITING = 10_000
#: names and addresses of failed sign-ins told apart within a minute; the others are counted together
_MOST_GUESSERS = 50


class Act(enum.StrEnum):
    """What was done."""

    SIGNED_IN = "signed_in"
    SIGNED_IN_BY_LINK = "signed_in_by_link"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGNED_OUT = "signed_out"
    SESSION_ENDED = "session_ended"
    SIGNED_OUT_EVERYWHERE = "signed_out_everywhere"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of an act
    USER_ADDED = "user_added"
    USER_CHANGED = "user_changed"
    USER_DISABLED = "user_disabled"
    USER_ENABLED = "user_enabled"
    USER_DELETED = "user_deleted"
    TOKEN_ADDED = "token_added"  # noqa: S105 - as above
    TOKEN_DISABLED = "token_disabled"  # noqa: S105 - as above
    TOKEN_ENABLED = "token_enabled"  # noqa: S105 - as above
    TOKEN_DELETED = "token_deleted"  # noqa: S105 - as above
    LINK_MADE = "link_made"
    ALERT_ACKNOWLEDGED = "alert_acknowledged"
    ALERT_NOTED = "alert_noted"
    DEVICE_CHANGED = "device_changed"
    REGISTER_RELOADED = "register_reloaded"
    CALENDAR_CHANGED = "calendar_changed"
    HISTORY_REPLAYED = "history_replayed"
    HELD_REPLAYED = "held_replayed"
    HELD_PURGED = "held_purged"
    SET_ASIDE_TRIED = "set_aside_tried"
    DRILL_ORDERED = "drill_ordered"
    DRILL_STOPPED = "drill_stopped"
    MESSAGE_TESTED = "message_tested"


class AuditEntry(msgspec.Struct, frozen=True):
    """One line of the audit; *act* is of :class:`Act`, or older."""

    id: int
    time_ms: int
    who: str
    address: str
    act: str
    subject: str
    detail: dict[str, Any]


def entry(actor: Actor, act: Act, subject: object, now_ms: int, **detail: object) -> AuditRow:
    """A row to be added in a transaction of the caller's."""
    return AuditRow(
        time_ms=now_ms, who=_cut(actor.name, 80), address=_cut(actor.address, 64), what=act.value,
        subject=_cut(str(subject), 200), detail={key: _plain(value) for key, value in detail.items()},
    )  # fmt: skip


class AuditLog:
    """Writes and reads the audit. Thread-safe."""

    def __init__(self, database: sa.Engine) -> None:
        self._database = database
        self._reading = reading(database)
        self._lock = threading.Lock()
        self._waiting: deque[dict[str, Any]] = deque()
        self._dropped = 0
        self._failures: dict[tuple[Act, str, str], int] = {}

    @property
    def waiting(self) -> int:
        """Entries the database did not take yet, those that were given up included."""
        with self._lock:
            return len(self._waiting) + self._dropped

    def note(self, actor: Actor, act: Act, subject: object, now_ms: int, **detail: object) -> None:
        """Writes down what was done. Never fails the act: what cannot be written now is written later."""
        values = _values(entry(actor, act, subject, now_ms, **detail))
        self._keep(values)
        if not self._write_waiting():
            log.error("audit.not_written", **values)

    def note_failure(self, act: Act, name: str, address: str) -> None:
        """Counts a failed sign-in; *name* is a user's, or "" where nobody is called so (it may be a mistyped password)."""
        with self._lock:
            key = (act, name, address)
            if key not in self._failures and len(self._failures) >= _MOST_GUESSERS:
                key = (act, "", "")
            self._failures[key] = self._failures.get(key, 0) + 1

    def flush(self, now_ms: int) -> None:
        """Writes what was counted and what waits; called once a minute."""
        with self._lock:
            failures, self._failures = self._failures, {}
            dropped, self._dropped = self._dropped, 0
        for (act, name, address), times in failures.items():
            who = Actor("", address)
            self._keep(_values(entry(who, act, name, now_ms, times=times)))
        if dropped:
            log.error("audit.dropped", entries=dropped)
        self._write_waiting()

    def find(
        self,
        *,
        before_id: int | None = None,
        limit: int = 100,
        who: str = "",
        act: str = "",
        subject: str = "",
    ) -> Sequence[AuditEntry]:
        """Entries, the newest first."""
        query = sa.select(AuditRow).order_by(AuditRow.id.desc()).limit(limit)
        if before_id is not None:
            query = query.where(AuditRow.id < before_id)
        for column, wanted in ((AuditRow.who, who), (AuditRow.what, act), (AuditRow.subject, subject)):
            if wanted:
                query = query.where(column == wanted)
        with Session(self._reading) as session:
            return [
                AuditEntry(one.id, one.time_ms, one.who, one.address, one.what, one.subject, one.detail)
                for one in session.scalars(query)
            ]

    def forget_old(self, now_ms: int, *, most: int = _MOST_ENTRIES) -> None:
        """Forgets what is older than three years, and the oldest of more than *most* entries."""
        newest = sa.select(AuditRow.id).order_by(AuditRow.id.desc()).offset(most).limit(1)
        with Session(self._reading) as session:
            last = session.scalar(newest) or 0
        with Session(self._database) as session, session.begin():
            session.execute(
                sa.delete(AuditRow).where((AuditRow.time_ms < now_ms - _KEPT_MS) | (AuditRow.id <= last))
            )

    def _keep(self, values: dict[str, Any]) -> None:
        with self._lock:
            self._waiting.append(values)
            while len(self._waiting) > _MOST_WAITING:
                self._waiting.popleft()
                self._dropped += 1

    def _write_waiting(self) -> bool:
        with self._lock:
            rows = list(self._waiting)
            self._waiting.clear()
        if not rows:
            return True
        try:
            with Session(self._database) as session, session.begin():
                session.execute(sa.insert(AuditRow), rows)
        except SQLAlchemyError as error:
            log.warning("audit.waiting", entries=len(rows), reason=str(error))
            with self._lock:
                self._waiting.extendleft(reversed(rows))
            return False
        return True


def _values(row: AuditRow) -> dict[str, Any]:
    return {
        "time_ms": row.time_ms, "who": row.who, "address": row.address, "what": row.what,
        "subject": row.subject, "detail": row.detail,
    }  # fmt: skip


def _cut(text: str, most: int) -> str:
    return text.encode(errors="replace").decode()[:most]


def _plain(value: object) -> object:
    """What JSON can hold, and not too much of it."""
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value[:20]]
    return _cut(str(value), 200)
