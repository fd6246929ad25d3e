"""Tells what recovery did."""

from __future__ import annotations

from collections.abc import Iterator

from alerts.own import data as own_data
from rules.level import Level
from service.health.watch import Trouble
from service.recovery.event import EventLog

_SEVERITY = {
    own_data.OPERATIONS_NEW: Level.CRITICAL,
    own_data.DATA_DAMAGED: Level.CRITICAL,
    own_data.STORE_BEHIND: Level.NOTICE,
    own_data.FILE_REBUILT: Level.NOTICE,
}


def events(log: EventLog, now_ms: int) -> Iterator[Trouble]:
    """Each event of the last day."""
    for one in log.recent(now_ms):
        severity = _SEVERITY.get(one.rule, Level.WARNING)
        yield Trouble(one.rule, one.file, severity, {"file": one.file, **one.facts})
