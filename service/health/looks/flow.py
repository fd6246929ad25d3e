"""Looks at the pipeline from the broker to people: each part is well only where what it did lately shows it."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator

from alerts.outbox import Outbox
from alerts.own import parts as own
from alerts.own.service import UNREACHABLE
from api.ports import Condition
from campus.campus import Campus
from campus.clock import MINUTE_MS, SECOND_MS, steady_ms
from rules.level import Level
from rules.verdict import Facts
from service.broker.brokers import Brokers
from service.health.looks.follow import Following, Growing
from service.health.ports import JudgedJournal, Watched
from service.trouble import Look, Probe, Trouble, down
from store.errors import JournalDamaged
from store.journal.consumer import StoreConsumer
from store.journal.journal import Journal

#: the heartbeat commits a batch every two seconds
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


def looks(watched: Watched) -> list[Look]:
    """One look at each part of the pipeline."""
    journal, outbox, brokers = watched.journal, watched.outbox, watched.brokers
    return [
        Probe("journal", JournalGrows(journal)),
        Probe("rules", RulesFollow(journal, watched.rules)),
        Probe("store", StoreFollows(journal, watched.storing)),
        Probe("outbox", OutboxEmpties(outbox)),
        Probe("outbox", lambda _: _unreached(outbox)),
        Probe("broker", lambda _: _deaf(brokers)),
        Probe("broker", MessagesArrive(lambda: watched.pipeline.messages, watched.register.campus)),
    ]


class JournalGrows:
    """The journal grows, whether or not anything arrives."""

    def __init__(self, journal: Journal) -> None:
        self._journal, self._growing = journal, Growing()

    def __call__(self, _now_ms: int) -> Iterator[Trouble]:
        still_ms = self._growing.still_ms(self._journal.last_seq(), steady_ms())
        if still_ms > _JOURNAL_STILL_MS:
            facts: Facts = {"seconds": still_ms / SECOND_MS}
            yield down(own.JOURNAL_SILENT, "journal", facts)


class RulesFollow:
    """The rules are at the journal's end, or on their way there; never beyond it."""

    def __init__(self, journal: Journal, rules: JudgedJournal) -> None:
        self._journal, self._rules, self._following = journal, rules, Following()

    def __call__(self, _now_ms: int) -> Iterator[Trouble]:
        seq = self._rules.seq  # read before the journal's, which only grows
        newest = self._journal.last_seq()
        still_ms = self._following.still_ms(newest, seq, steady_ms())
        late_ms = _late_ms(self._journal, seq) if seq < newest else 0
        facts: Facts = {"batches": abs(newest - seq), "seconds": max(still_ms, late_ms) / SECOND_MS}
        if seq > newest:
            yield down(own.CONSUMER_AHEAD, "rules", {"batches": seq - newest})
        elif still_ms > _STILL_MS:
            yield down(own.RULES_LATE, "rules", facts)
        elif late_ms > _RULES_LATE_MS or newest - seq > _LAG_BATCHES:
            yield Trouble(own.RULES_LATE, "rules", Level.CRITICAL, facts, MINUTE_MS, "rules")


class StoreFollows:
    """The store may be behind for as long as the journal has room; a store that is away is another look's concern."""

    def __init__(self, journal: Journal, storing: StoreConsumer) -> None:
        self._journal, self._storing, self._following = journal, storing, Following()

    def __call__(self, _now_ms: int) -> Iterator[Trouble]:
        seq = self._storing.seq
        newest = self._journal.last_seq()
        still_ms = self._following.still_ms(newest, seq, steady_ms())
        status = self._storing.status()
        if seq > newest:
            yield down(own.CONSUMER_AHEAD, "store", {"batches": seq - newest})
        elif not status.error and (
            still_ms > _STORE_LATE_MS or status.lag_ms > _STORE_LATE_MS or status.lag_batches > _LAG_BATCHES
        ):
            facts: Facts = {
                "batches": status.lag_batches,
                "seconds": max(still_ms, status.lag_ms) / SECOND_MS,
            }
            yield Trouble(own.STORE_LATE, "store", Level.WARNING, facts, MINUTE_MS, "store")


class OutboxEmpties:
    """No message waits longer than its severity allows; by both clocks, as the wall clock may have been set."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._seen_ms: dict[int, int] = {}

    def __call__(self, now_ms: int) -> Iterator[Trouble]:
        rows, moment_ms = self._outbox.undelivered(), steady_ms()
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


def _unreached(outbox: Outbox) -> Iterator[Trouble]:
    """Open alerts that no channel got to somebody; over once one does, or once nothing is open."""
    for message in outbox.unreached():
        facts: Facts = {"message": message.message}
        yield Trouble(UNREACHABLE, message.recipient, Level.CRITICAL, facts, 0, "outbox", Condition.DOWN)


def _deaf(brokers: Brokers) -> Iterator[Trouble]:
    """Connected is not enough: the broker must have confirmed what we asked to hear."""
    for name, connection in list(brokers.connections.items()):
        if connection.connected and not connection.listening:
            facts: Facts = {"broker": name or connection.where}
            yield Trouble(
                own.BROKER_DEAF, name or "broker", Level.CRITICAL, facts, _DEAF_MS, "broker", Condition.DOWN
            )


class MessagesArrive:
    """Something arrives as often as the register lets expect. *messages* counts them."""

    def __init__(self, messages: Callable[[], int], campus: Callable[[], Campus]) -> None:
        self._messages, self._campus, self._growing = messages, campus, Growing()

    def __call__(self, _now_ms: int) -> Iterator[Trouble]:
        still_ms = self._growing.still_ms(self._messages(), steady_ms())
        devices = self._campus().devices.values()
        intervals_s = [device.interval_s for device in devices if device.interval_s]
        if not intervals_s:
            return
        expected_ms = _SILENT_INTERVALS * statistics.median(intervals_s) * SECOND_MS
        if still_ms > max(expected_ms, _SILENT_LEAST_MS):
            facts: Facts = {"minutes": still_ms / MINUTE_MS}
            yield down(own.NO_MESSAGES, "broker", facts)


def _late_ms(journal: Journal, seq: int) -> int:
    """How much older the oldest batch not yet judged is than the newest one, by the journal's own time."""
    try:
        waiting = journal.read(seq, max_batches=1)
    except JournalDamaged:
        return 0  # its reader steps over it
    return journal.last_time_ms() - waiting[0].committed_ms if waiting else 0
