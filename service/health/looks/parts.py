"""What can keep single parts from their work: folder, journal, store, disk, clocks, quarantine; see :mod:`service.health.looks.catalogue`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from alerts.own import service as own
from api.ports import Condition
from campus.clock import MINUTE_MS
from ingest.device_clocks import DeviceClocks
from ingest.pipeline import Pipeline
from rules.level import Level
from rules.verdict import Facts
from service.health.ports import RequestedReplays, WatchedRegister
from service.trouble import Trouble
from store.journal.consumer import StoreConsumer
from store.quarantine import Quarantine

#: the names of all these alerts
RULES = (
    own.FOLDER_MISTAKES,
    own.RESTART_NEEDED,
    own.JOURNAL_STALLED,
    own.STORE_AWAY,
    own.FLOOD,
    own.DISK_LOW,
    own.CLOCK_JUMP,
    own.CLOCK_WRONG,
    own.CLOCK_AHEAD,
    own.QUARANTINE_FULL,
)
_STORE_AWAY_MS = 10 * MINUTE_MS
#: messages that left quarantine unread are reported for so long
_QUARANTINE_SHOWN_MS = 10 * MINUTE_MS
_DISK_LOW_BYTES = 1024**3


def register(files: WatchedRegister) -> Iterator[Trouble]:
    """Changes of the campus folder that are not in force."""
    problems = files.problems
    if problems:
        first = problems[0]
        reason = f"{first.where()}: {first.found} → {first.expected}"
        facts: Facts = {"mistakes": len(problems), "reason": reason}
        yield Trouble(own.FOLDER_MISTAKES, "folder", Level.WARNING, facts)
    if files.restart_needed:
        keys = ", ".join(files.restart_needed)
        yield Trouble(own.RESTART_NEEDED, "folder", Level.NOTICE, {"reason": f"site.yaml: {keys}"})


def device_clocks(clocks: DeviceClocks) -> Iterator[Trouble]:
    """Devices whose time lies ahead of ours, which says that ours is behind."""
    if clocks.ahead_ms:
        facts: Facts = {"minutes": clocks.ahead_ms / MINUTE_MS}
        yield Trouble(own.CLOCK_AHEAD, "clock", Level.WARNING, facts, part="clock")


def journal(pipeline: Pipeline) -> Iterator[Trouble]:
    """A journal that takes nothing."""
    if pipeline.stalled:
        facts: Facts = {"reason": pipeline.stalled}
        yield Trouble(
            own.JOURNAL_STALLED, "journal", Level.CRITICAL, facts, part="ingest", condition=Condition.DOWN
        )


def store(storing: StoreConsumer) -> Iterator[Trouble]:
    """A time-series store that is away."""
    status = storing.status()
    if status.error:
        facts: Facts = {"reason": status.error, "minutes": status.lag_ms / MINUTE_MS}
        yield Trouble(own.STORE_AWAY, "store", Level.WARNING, facts, _STORE_AWAY_MS, "store")


def floods(pipeline: Pipeline) -> Iterator[Trouble]:
    """Topics beyond their allowance."""
    for topic, messages in pipeline.take_flooding().items():
        yield Trouble(own.FLOOD, topic[:120], Level.WARNING, {"topic": topic, "messages": messages})


def disk(data: Path) -> Iterator[Trouble]:
    """Room on the disk of the data folder."""
    free_bytes = shutil.disk_usage(data).free
    if free_bytes < _DISK_LOW_BYTES:
        facts: Facts = {"free_gb": free_bytes / 1024**3}
        yield Trouble(own.DISK_LOW, "disk", Level.CRITICAL, facts, part="disk")


class QuarantineRoom:
    """Replays what the command line asked for, and reports held messages that had to go, or could not be kept."""

    def __init__(self, replays: RequestedReplays, quarantine: Quarantine) -> None:
        self._replays = replays
        self._quarantine = quarantine
        self._gone = 0
        self._shown_until_ms = 0

    def __call__(self, now_ms: int) -> Iterator[Trouble]:
        self._replays.replay_wanted()
        usage = self._quarantine.usage()
        gone = usage.dropped + usage.lost
        if gone > self._gone:
            self._gone, self._shown_until_ms = gone, now_ms + _QUARANTINE_SHOWN_MS
        if now_ms < self._shown_until_ms:
            yield Trouble(own.QUARANTINE_FULL, "quarantine", Level.NOTICE, {"messages": gone})
