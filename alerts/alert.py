"""An alert as everyone but the database sees it."""

from __future__ import annotations

import enum
from typing import Any

import msgspec

from rules.level import Level
from store.operations.tables import AlertEventRow, AlertRow


class AlertState(enum.StrEnum):
    """The life of an alert."""

    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Alert(msgspec.Struct, frozen=True):
    """One (rule, subject) from firing to resolved."""

    id: int
    rule: str
    subject: str
    severity: Level
    state: AlertState
    opened_ms: int
    updated_ms: int
    evidence: dict[str, Any]
    acknowledged_ms: int | None = None
    acknowledged_by: str | None = None
    resolved_ms: int | None = None
    historical: bool = False
    drill: bool = False
    cause: str = ""
    repair_note: str = ""


class AlertEvent(msgspec.Struct, frozen=True):
    """One step in an alert's life."""

    time_ms: int
    kind: str
    who: str
    detail: dict[str, Any]


def from_row(row: AlertRow) -> Alert:
    """The alert of a database row."""
    return Alert(
        id=row.id,
        rule=row.rule,
        subject=row.subject,
        severity=Level(row.severity),
        state=AlertState(row.state),
        opened_ms=row.opened_ms,
        updated_ms=row.updated_ms,
        evidence=row.evidence,
        acknowledged_ms=row.acknowledged_ms,
        acknowledged_by=row.acknowledged_by,
        resolved_ms=row.resolved_ms,
        historical=row.historical,
        drill=row.drill,
        cause=row.cause,
        repair_note=row.repair_note,
    )


def event_from_row(row: AlertEventRow) -> AlertEvent:
    """The event of a database row."""
    return AlertEvent(row.time_ms, row.kind, row.who, row.detail)
