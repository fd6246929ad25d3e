"""Looks at the road from the broker to people: each part is well only where what it did lately shows it."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import TYPE_CHECKING

from alerts.own import parts as own
from alerts.own.service import UNREACHABLE
from api.ports import Condition
from campus.clock import MINUTE_MS, SECOND_MS, steady_ms
from rules.level import Level
from rules.verdict import Facts
from service.health.watch import Look, Probe, Trouble
from service.runtime.follow import Following, Growing
from store.errors import JournalDamaged

if TYPE_CHECKING:
    from service.runtime.runtime import Runtime

#: the heart commits a batch every two seconds
_JOURNAL_STILL_MS = 15 * SECOND_MS
_STILL_MS = 15 * SECOND_MS
#: readings that are judged so long after they were journaled make late alerts
_RULES_LATE_MS = MINUTE_MS
_STORE_LATE_MS = 10 * MINUTE_MS
_LAG_BATCHES = 5_000
#: after which an undelivered message is late, by its severity; a notice may wait for its channel's pace
_OUTBOX_LATE_MS = {Level.CRITICAL: MINUTE_MS, Level.WARNING: 5 * MINUTE_MS, Level.NOTICE: 30 * MINUTE_MS}
_DEAF_MS = 30 * SECOND_MS
#: half of all devices are heard within the median of their intervals; three of these without any is no chance
_SILENT_INTERVALS = 3
_SILENT_LEAST_MS = 10 * MINUTE_MS


def flow_looks(runtime: Runtime) -> list[Look]:
    """One look at each part of the road."""
    return [
        Probe("journal", _Journal(runtime)),
        Probe("rules", _Rules(runtime)),
        Probe("store", _Store(runtime)),
        Probe("outbox", _Outbox(runtime)),
        Probe("outbox", lambda _: _unreached(runtime)),
        Probe("broker", lambda _: _deaf(runtime)),
        Probe("broker", _Messages(runtime)),
    ]


class _Journal:
    """The journal grows, whether or not anything arrives."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime, self._growing = runtime, Growing()

    def __call__(self, _now_ms: int) -> Iterator[Trouble]:
        still_ms = self._growing.still_ms(self._runtime.journal.last_seq(), steady_ms())
        if still_ms > _JOURNAL_STILL_MS:
            facts: Facts = {"seconds": still_ms / SECOND_MS}
            yield _down(own.JOURNAL_SILENT, "journal", facts)


class _Rules:
    """The rules are at the journal's end, or on their way there; never beyond it."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime, self._following = runtime, Following()

    def __call__(self, _now_ms: int) -> Iterator[Trouble]:
        seq = self._runtime.rules.seq  # read before the journal's, which only grows
        newest = self._runtime.journal.last_seq()
        still_ms = self._following.still_ms(newest, seq, steady_ms())
        late_ms = _late_ms(self._runtime, seq) if seq < newest else 0
        facts: Facts = {"batches": abs(newest - seq), "seconds": max(still_ms, late_ms) / SECOND_MS}
        if seq > newest:
            yield _down(own.CONSUMER_AHEAD, "rules", {"batches": seq - newest})
        elif still_ms > _STILL_MS:
            yield _down(own.RULES_LATE, "rules", facts)
        elif late_ms > _RULES_LATE_MS or newest - seq > _LAG_BATCHES:
            yield Trouble(own.RULES_LATE, "rules", Level.CRITICAL, facts, MINUTE_MS, "rules")


class _Store:
    """The store may be behind for as long as the journal has room; who is told of one that is away says another look."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime, self._following = runtime, Following()

    def __call__(self, _now_ms: int) -> Iterator[Trouble]:
        seq = self._runtime.storing.seq
        newest = self._runtime.journal.last_seq()
        still_ms = self._following.still_ms(newest, seq, steady_ms())
        status = self._runtime.storing.status()
        if seq > newest:
            yield _down(own.CONSUMER_AHEAD, "store", {"batches": seq - newest})
        elif not status.error and (
            still_ms > _STORE_LATE_MS or status.lag_ms > _STORE_LATE_MS or status.lag_batches > _LAG_BATCHES
        ):
            facts: Facts = {
                "batches": status.lag_batches,
                "seconds": max(still_ms, status.lag_ms) / SECOND_MS,
            }
            yield Trouble(own.STORE_LATE, "store", Level.WARNING, facts, MINUTE_MS, "store")


class _Outbox:
    """No message waits longer than its severity allows; by both clocks, as the wall clock may have been set."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._seen_ms: dict[int, int] = {}

    def __call__(self, now_ms: int) -> Iterator[Trouble]:
        rows, moment_ms = self._runtime.outbox.undelivered(), steady_ms()
        self._seen_ms = {row.id: self._seen_ms.get(row.id, moment_ms) for row in rows}
        late: dict[Level, tuple[int, str, int]] = {}
        for row in rows:
            age_ms = max(now_ms - row.created_ms, moment_ms - self._seen_ms[row.id])
            oldest_ms, channel, count = late.get(row.severity, (0, "", 0))
            if age_ms > _OUTBOX_LATE_MS[row.severity]:
                channel = row.channel if age_ms > oldest_ms else channel
                late[row.severity] = (max(age_ms, oldest_ms), channel, count + 1)
        for severity, (age_ms, channel, count) in late.items():
            facts: Facts = {"seconds": age_ms / SECOND_MS, "channel": channel, "waiting": count}
            condition = Condition.DOWN if severity is Level.CRITICAL else Condition.DEGRADED
            yield Trouble(own.OUTBOX_LATE, severity.value, severity, facts, 0, "outbox", condition)


def _unreached(runtime: Runtime) -> Iterator[Trouble]:
    """Open alerts that no channel got to somebody; over once one does, or once nothing is open."""
    for one in runtime.outbox.unreached():
        facts: Facts = {"message": one.message}
        yield Trouble(UNREACHABLE, one.recipient, Level.CRITICAL, facts, 0, "outbox", Condition.DOWN)


def _deaf(runtime: Runtime) -> Iterator[Trouble]:
    """Connected is not enough: the broker must have confirmed what we asked to hear."""
    for name, connection in list(runtime.brokers.connections.items()):
        if connection.connected and not connection.listening:
            facts: Facts = {"broker": name or connection.where}
            yield Trouble(
                own.BROKER_DEAF, name or "broker", Level.CRITICAL, facts, _DEAF_MS, "broker", Condition.DOWN
            )


class _Messages:
    """Something arrives as often as the register lets expect."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime, self._growing = runtime, Growing()

    def __call__(self, _now_ms: int) -> Iterator[Trouble]:
        runtime = self._runtime
        still_ms = self._growing.still_ms(runtime.pipeline.messages, steady_ms())
        intervals_s = [one.interval_s for one in runtime.register.campus().devices.values() if one.interval_s]
        if not intervals_s:
            return
        expected_ms = _SILENT_INTERVALS * statistics.median(intervals_s) * SECOND_MS
        if still_ms > max(expected_ms, _SILENT_LEAST_MS):
            facts: Facts = {"minutes": still_ms / MINUTE_MS}
            yield _down(own.NO_MESSAGES, "broker", facts)


def _down(rule: str, part: str, facts: Facts) -> Trouble:
    """A part that is proven not to work."""
    return Trouble(rule, part, Level.CRITICAL, facts, 0, part, Condition.DOWN)


def _late_ms(runtime: Runtime, seq: int) -> int:
    """How much older the oldest batch not yet judged is than the newest one, by the journal's own time."""
    try:
        waiting = runtime.journal.read(seq, max_batches=1)
    except JournalDamaged:
        return 0  # its reader steps over it
    return runtime.journal.last_time_ms() - waiting[0].committed_ms if waiting else 0
