"""What recovery did lately; see :mod:`service.health.looks.catalogue`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from alerts.own import data as own_data
from rules.level import Level
from service.recovery.event import Event
from service.trouble import Trouble

_SEVERITY = {
    own_data.OPERATIONS_NEW: Level.CRITICAL,
    own_data.DATA_DAMAGED: Level.CRITICAL,
    own_data.STORE_BEHIND: Level.NOTICE,
    own_data.FILE_REBUILT: Level.NOTICE,
}


def events(recent: Iterable[Event]) -> Iterator[Trouble]:
    """Each event that is still to be reported."""
    for event in recent:
        severity = _SEVERITY.get(event.rule, Level.WARNING)
        yield Trouble(event.rule, event.file, severity, {"file": event.file, **event.facts})
