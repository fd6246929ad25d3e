"""What the service looks at to know that something keeps it from its work; see :mod:`service.health.watch`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

from alerts.own import data as own_data
from alerts.own import parts as own_parts
from alerts.own import service as own
from api.ports import Condition
from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS
from rules.level import Level
from rules.verdict import Facts
from service.health import look_brokers
from service.health.look_flow import flow_looks
from service.health.watch import Look, Probe, Trouble
from service.recovery import looks as recovery_looks
from store.poison.record import Kind

if TYPE_CHECKING:
    from service.runtime.runtime import Runtime

_STORE_AWAY_MS = 10 * MINUTE_MS
#: messages that left quarantine unread are told of for so long
_QUARANTINE_TOLD_MS = 10 * MINUTE_MS
#: and a rule that failed
_FAULTS_TOLD_MS = HOUR_MS
_DISK_LOW_BYTES = 1024**3
_ALL = (
    own.FOLDER_MISTAKES,
    own.RESTART_NEEDED,
    own.JOURNAL_STALLED,
    own.STORE_AWAY,
    own.FLOOD,
    own.DISK_LOW,
    own.CLOCK_JUMP,
    own.QUARANTINE_FULL,
    own.POISON_MESSAGE,
    own.POISON_TOPIC,
    own.POISON_RULE,
    own.POISON_CHANNEL,
    own.RULE_FAILED,
    *own_parts.RULES,
    own.CLOCK_WRONG,
    own.CLOCK_AHEAD,
    own.UNREACHABLE,
)
#: what is looked at here, in the order of the road
PARTS = ("broker", "ingest", "journal", "rules", "store", "outbox", "disk", "clock", "selftest", "watchdog")


def rules() -> tuple[str, ...]:
    """The names of all these alerts."""
    return (*_ALL, *look_brokers.RULES, *own_data.rules())


def looks(runtime: Runtime) -> list[Look]:
    """Everything that is looked at."""
    return [
        lambda _: _register(runtime),
        Probe("ingest", lambda _: _journal(runtime)),
        *look_brokers.looks(runtime),
        Probe("store", lambda _: _store(runtime)),
        lambda _: _floods(runtime),
        Probe("disk", lambda _: _disk(runtime)),
        runtime.trials.look,
        lambda now_ms: _poison(runtime, now_ms),
        lambda now_ms: _rule_faults(runtime, now_ms),
        Probe("clock", runtime.clock.look),
        Probe("clock", lambda _: _clock_ahead(runtime)),
        _Quarantine(runtime),
        runtime.healer.look,
        lambda now_ms: recovery_looks.events(runtime.recovery, now_ms),
        Probe("selftest", runtime.selftest.look),
        *flow_looks(runtime),
    ]


def _register(runtime: Runtime) -> Iterator[Trouble]:
    problems = runtime.register.problems
    if problems:
        first = problems[0]
        reason = f"{first.where()}: {first.found} → {first.expected}"
        facts: Facts = {"mistakes": len(problems), "reason": reason}
        yield Trouble(own.FOLDER_MISTAKES, "folder", Level.WARNING, facts)
    if runtime.register.restart_needed:
        keys = ", ".join(runtime.register.restart_needed)
        yield Trouble(own.RESTART_NEEDED, "folder", Level.NOTICE, {"reason": f"site.yaml: {keys}"})


def _clock_ahead(runtime: Runtime) -> Iterator[Trouble]:
    ahead_ms = runtime.judge.clocks.ahead_ms
    if ahead_ms:
        facts: Facts = {"minutes": ahead_ms / MINUTE_MS}
        yield Trouble(own.CLOCK_AHEAD, "clock", Level.WARNING, facts, part="clock")


def _journal(runtime: Runtime) -> Iterator[Trouble]:
    if runtime.pipeline.stalled:
        yield Trouble(
            own.JOURNAL_STALLED,
            "journal",
            Level.CRITICAL,
            {"reason": runtime.pipeline.stalled},
            0,
            "ingest",
            Condition.DOWN,
        )


def _store(runtime: Runtime) -> Iterator[Trouble]:
    status = runtime.storing.status()
    if status.error:
        facts: Facts = {"reason": status.error, "minutes": status.lag_ms / MINUTE_MS}
        yield Trouble(own.STORE_AWAY, "store", Level.WARNING, facts, _STORE_AWAY_MS, "store")


def _floods(runtime: Runtime) -> Iterator[Trouble]:
    for topic, messages in runtime.pipeline.take_flooding().items():
        yield Trouble(own.FLOOD, topic[:120], Level.WARNING, {"topic": topic, "messages": messages})


def _disk(runtime: Runtime) -> Iterator[Trouble]:
    free_bytes = shutil.disk_usage(runtime.settings.data).free
    if free_bytes < _DISK_LOW_BYTES:
        facts: Facts = {"free_gb": free_bytes / 1024**3}
        yield Trouble(own.DISK_LOW, "disk", Level.CRITICAL, facts, part="disk")


class _Quarantine:
    """Replays what the command line asked for, and tells of held messages that had to go, or could not be kept."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._gone = 0
        self._told_until_ms = 0

    def __call__(self, now_ms: int) -> Iterator[Trouble]:
        self._runtime.quarantine.replay_wanted()
        usage = self._runtime.journal.quarantine.usage()
        gone = usage.dropped + usage.lost
        if gone > self._gone:
            self._gone, self._told_until_ms = gone, now_ms + _QUARANTINE_TOLD_MS
        if now_ms < self._told_until_ms:
            yield Trouble(own.QUARANTINE_FULL, "quarantine", Level.NOTICE, {"messages": gone})


def _poison(runtime: Runtime, now_ms: int) -> Iterator[Trouble]:
    """What rests or is on trial: single messages are told of for a day, everything else until a trial succeeds."""
    for one in runtime.guard.poison.all():
        deaths = one.deaths
        if one.item and now_ms - one.since_ms >= DAY_MS:
            continue
        if one.kind is Kind.RULE:
            rule, _, device = one.group.partition("/")
            facts: Facts = {"rule": rule, "device": device, "deaths": deaths}
            yield Trouble(own.POISON_RULE, one.group, Level.CRITICAL, facts)
        elif one.kind is Kind.CHANNEL:
            facts = {"channel": one.group, "deaths": deaths}
            yield Trouble(own.POISON_CHANNEL, one.group, Level.CRITICAL, facts)
        elif one.item:
            facts = {"topic": one.group, "deaths": deaths}
            yield Trouble(own.POISON_MESSAGE, f"{one.item} {one.group}"[:120], Level.WARNING, facts)
        else:
            facts = {"topic": one.group, "deaths": deaths}
            yield Trouble(own.POISON_TOPIC, one.group[:120], Level.CRITICAL, facts)


def _rule_faults(runtime: Runtime, now_ms: int) -> Iterator[Trouble]:
    for one in runtime.rules.faults():
        if now_ms - one.time_ms < _FAULTS_TOLD_MS or not one.time_ms:
            facts: Facts = {"rule": one.rule, "device": one.subject, "reason": one.reason[:200]}
            yield Trouble(own.RULE_FAILED, f"{one.rule}/{one.subject}", Level.WARNING, facts)
