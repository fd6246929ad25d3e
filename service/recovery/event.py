"""What recovery did, kept in a file beside the data, so that it is reported after the next start as well."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
import structlog

from campus.clock import DAY_MS

log = structlog.get_logger()

#: for so long an event is reported as an alert; the file keeps it for good
REPORTED_MS = DAY_MS
_FILE = "recovery.jsonl"
#: of a file that somebody else filled
_MOST_BYTES = 1024 * 1024


class Event(msgspec.Struct, frozen=True):
    """*rule* is the alert that reports it (:mod:`alerts.own.service`), *file* the file concerned, *facts* go into the alert."""

    time_ms: int
    rule: str
    file: str
    facts: dict[str, str | int | float] = {}


class EventLog:
    """Events in a file, and in memory where it cannot be written."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._events = list(_read(self._path))

    def add(self, event: Event) -> None:
        """Keeps and logs *event*."""
        self._events.append(event)
        log.warning("recovery", rule=event.rule, file=event.file, **event.facts)
        try:
            with self._path.open("ab") as file:
                file.write(b"\n" + msgspec.json.encode(event) + b"\n")  # whatever a power cut left before it
        except OSError as error:
            log.warning("recovery.not_recorded", path=str(self._path), reason=str(error))

    def all(self) -> list[Event]:
        """Every event, the oldest first."""
        return list(self._events)

    def recent(self, now_ms: int) -> list[Event]:
        """The newest event of each kind and file that is still to be reported; one of the future counts as new."""
        newest = {(event.rule, event.file): event for event in self._events}
        return [event for event in newest.values() if now_ms - event.time_ms < REPORTED_MS]


def _read(path: Path) -> Iterable[Event]:
    try:
        with path.open("rb") as file:
            lines = file.read(_MOST_BYTES).splitlines()
    except OSError:
        return
    for line in filter(None, lines):
        try:
            yield msgspec.json.decode(line, type=Event)
        except msgspec.MsgspecError:  # broken off by a power cut; the others are good
            continue
