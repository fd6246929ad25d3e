"""The two that watch: one the parts of the service, one the workers; each is watched by the other.

What either finds is remembered for the health page and becomes alerts. Neither does anything else, so that nothing but
their own looking can hold them up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from alerts.own import parts as own_parts
from api.ports import Condition
from campus.clock import SECOND_MS, steady_ms
from campus.worker import Doing, Worker
from rules.level import Level
from rules.verdict import Facts
from service.health.looks import catalogue
from service.health.looks.workers import look_at_workers
from service.health.ports import Watched
from service.health.watch import Watch
from service.trouble import Look, Probe, Trouble

_PACE_S = 1.0
_WORKER_PARTS = (
    "ingest",
    "journal",
    "rules",
    "store",
    "outbox",
    "live",
    "keeper",
    "accounts",
    "drills",
    "register",
    "lifeline",
    "selftest",
    "watch",
)
_WORKER_RULES = (
    own_parts.WORKER_STUCK,
    own_parts.WORKER_ENDED,
    own_parts.WORKER_FAILING,
    own_parts.NOT_PROVEN,
)


class Watchers:
    """*watch* looks at what the parts achieve, *watchdog* at the workers that do it."""

    def __init__(self, watched: Watched, *, notify: Callable[[], None]) -> None:
        self._all_workers = watched.workers
        parts: list[Look] = [*catalogue.looks(watched), Probe("watchdog", self._look_at_watchdog)]
        self.watch = Watch(watched.book, parts, parts=catalogue.PARTS, notify=notify)
        workers = Probe("watchdog", look_at_workers(self._looked_at, steady_ms))
        self.watchdog = Watch(watched.book, [workers], parts=_WORKER_PARTS, notify=notify)
        self._watch = Worker("watch", lambda: self.watch.look(watched.now_ms()), pace_s=_PACE_S)
        self._watchdog = Worker("watchdog", lambda: self.watchdog.look(watched.now_ms()), pace_s=_PACE_S)

    @property
    def every(self) -> tuple[Watch, ...]:
        """Both."""
        return self.watch, self.watchdog

    @property
    def workers(self) -> tuple[Worker, ...]:
        """Their threads."""
        return self._watch, self._watchdog

    def recover(self, now_ms: int) -> None:
        """Takes up the alerts that were open when the service ended, each of them where it was raised."""
        self.watch.recover([rule for rule in catalogue.rules() if rule not in _WORKER_RULES], now_ms)
        self.watchdog.recover(_WORKER_RULES, now_ms)

    def start(self) -> None:
        """Begins to look."""
        for worker in self.workers:
            worker.start()

    def stop(self) -> None:
        """Ends looking, before there is something to see that is none: parts that stop in order."""
        for worker in self.workers:
            worker.request_stop()
        for worker in self.workers:
            worker.stop()

    def _looked_at(self) -> Iterator[Worker]:
        return (worker for worker in self._all_workers() if worker is not self._watchdog)

    def _look_at_watchdog(self, _now_ms: int) -> Iterator[Trouble]:
        """The one that no other worker looks at."""
        progress, moment_ms = self._watchdog.progress(), steady_ms()
        doing = progress.doing(moment_ms)
        if doing in {Doing.STUCK, Doing.ENDED}:
            facts: Facts = {"part": "watchdog", "seconds": progress.idle_ms(moment_ms) / SECOND_MS}
            yield Trouble(
                own_parts.LOOKS_STOPPED, "watchdog", Level.CRITICAL, facts, 0, "watchdog", Condition.DOWN
            )
            self._watchdog.start()
