"""Looks at the workers: who is stuck, who has ended, who fails, who has not shown yet that it works."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from alerts.own import parts as own
from api.ports import Condition
from campus.clock import MINUTE_MS, SECOND_MS
from campus.worker import Doing, Progress, Worker
from rules.level import Level
from rules.verdict import Facts
from service.trouble import Trouble

SENDERS = "send-"
#: without these no alert reaches anybody: what stops them is critical, and systemd is to restart a service in which one hangs
VITAL = frozenset({"ingest", "rules", "heartbeat", "watch", "watchdog"})
#: a failure that the next step mends is none
_FAILING_MS = 10 * SECOND_MS
_PARTS = {"heartbeat": "journal", "replay": "register"}
#: reported by a look of its own, with the reason a person needs
_REPORTED_ELSEWHERE = frozenset({"store"})
_RULES = {Doing.STUCK: own.WORKER_STUCK, Doing.ENDED: own.WORKER_ENDED, Doing.FAILING: own.WORKER_FAILING}


def part_of(worker: str) -> str:
    """The part of the service a worker does the work of."""
    return "outbox" if worker.startswith(SENDERS) else _PARTS.get(worker, worker)


def is_vital(worker: str) -> bool:
    """Whether alerts depend on it."""
    return worker in VITAL or worker.startswith(SENDERS)


def look_at_workers(
    workers: Callable[[], Iterable[Worker]], steady_ms: Callable[[], int]
) -> Callable[[int], Iterator[Trouble]]:
    """A look at each of *workers*; one whose thread has ended is started again."""

    def look(_now_ms: int) -> Iterator[Trouble]:
        for worker in workers():
            trouble = trouble_of(worker.progress(), steady_ms())
            if trouble is not None:
                yield trouble
                if trouble.rule == own.WORKER_ENDED:
                    worker.start()

    return look


def trouble_of(progress: Progress, now_ms: int) -> Trouble | None:
    """What is wrong with a worker at *now_ms* of the steady clock."""
    doing = progress.doing(now_ms)
    part, facts = part_of(progress.name), _facts(progress, doing, now_ms)
    if doing is Doing.WELL or (doing is Doing.FAILING and progress.name in _REPORTED_ELSEWHERE):
        return None
    if doing is Doing.STARTING:
        return Trouble(
            own.NOT_PROVEN, progress.name, Level.WARNING, facts, MINUTE_MS, part, Condition.STARTING
        )
    for_ms = _FAILING_MS if doing is Doing.FAILING else 0
    if is_vital(progress.name):
        return Trouble(_RULES[doing], progress.name, Level.CRITICAL, facts, for_ms, part, Condition.DOWN)
    return Trouble(_RULES[doing], progress.name, Level.WARNING, facts, for_ms or MINUTE_MS, part)


def _facts(progress: Progress, doing: Doing, now_ms: int) -> Facts:
    facts: Facts = {"part": part_of(progress.name)}
    if progress.name.startswith(SENDERS):
        facts["channel"] = progress.name.removeprefix(SENDERS)
    if doing is Doing.STUCK:
        facts["seconds"] = progress.idle_ms(now_ms) / SECOND_MS
    if doing is Doing.FAILING:
        facts |= {"times": progress.failures_in_a_row, "reason": progress.last_error}
    return facts
