"""The lifeline: reports to a supervisor that the service is alive only while the workers that alerts depend on prove it.

systemd restarts a service whose pings stop. They stop by themselves where the whole process is frozen, and are
withheld where one vital worker is stuck or gone. Without systemd the process can end itself for another supervisor.
"""

from __future__ import annotations

import faulthandler
import os
from collections.abc import Callable, Iterable

import structlog

from api.ports import Health
from campus.clock import MINUTE_MS, SECOND_MS, steady_ms
from campus.worker import Doing, Progress, Worker
from service.health.looks.workers import is_vital
from service.health.systemd import Notifier

log = structlog.get_logger()

#: how long a vital worker may show no progress before it is taken for frozen; an alert says so long before
FROZEN_MS = MINUTE_MS
#: with which the process ends itself: "temporary failure, try again" (sysexits.h)
FROZEN_EXIT = 75
_PACE_S = 2.0
#: a start takes up what the journal holds, which may be long; after this it is taken for frozen, too
_LONGEST_START_MS = 30 * MINUTE_MS


class Lifeline:
    """*workers* and *health* are asked; *exit_after_s* is 0 or for how long a frozen process may live on."""

    def __init__(
        self,
        workers: Callable[[], Iterable[Worker]],
        health: Callable[[], Health],
        notifier: Notifier,
        *,
        exit_after_s: float = 0.0,
        frozen_ms: int = FROZEN_MS,
        steady_ms: Callable[[], int] = steady_ms,
        leave: Callable[[int], object] = os._exit,
    ) -> None:
        self._workers = workers
        self._health = health
        self._notifier = notifier
        self._exit_after_s = exit_after_s
        self._frozen_ms = frozen_ms
        self._steady_ms = steady_ms
        self._leave = leave
        self._started_ms = steady_ms()
        self._frozen_since_ms: int | None = None
        self.ready = False
        pace_s = _PACE_S
        if notifier.watchdog_ms:
            pace_s = min(pace_s, notifier.watchdog_ms / SECOND_MS / 3)
        self.worker = Worker("lifeline", self.step, pace_s=pace_s, retry_s=(pace_s,), steady_ms=steady_ms)

    def start(self) -> None:
        """Begins before everything else, so that a long start is known to be one."""
        self.worker.start()

    def stop(self) -> None:
        """Says that we stop, and that nobody need watch any more."""
        self._notifier.tell(STOPPING="1", STATUS="stopping")
        self.worker.stop(2)
        if self._exit_after_s:
            faulthandler.cancel_dump_traceback_later()
        self._notifier.close()

    def step(self) -> None:
        """One look, and a ping where everything vital proves to be alive."""
        now_ms = self._steady_ms()
        vital = [progress for worker in self._workers() if is_vital((progress := worker.progress()).name)]
        frozen = [progress for progress in vital if self._is_frozen(progress, now_ms)]
        if not self.ready:
            self._begin(vital, frozen, now_ms)
        elif frozen:
            self._withhold(frozen, now_ms)
        else:
            self._frozen_since_ms = None
            self._notifier.tell(WATCHDOG="1", STATUS=self._status())
            self._rearm()

    def _begin(self, vital: list[Progress], frozen: list[Progress], now_ms: int) -> None:
        """The start is proven when each vital worker has done a step that ended well, or is known to fail at it."""
        doing = [progress.doing(now_ms) for progress in vital]
        if vital and not frozen and Doing.STARTING not in doing:
            self.ready = True
            self._notifier.tell(READY="1", WATCHDOG="1", STATUS=self._status())
            self._rearm()
            log.info("service.ready")
        elif now_ms - self._started_ms < _LONGEST_START_MS:
            longer_us = str(round(60 * SECOND_MS * 1000))
            self._notifier.tell(EXTEND_TIMEOUT_USEC=longer_us, WATCHDOG="1", STATUS="starting")

    def _withhold(self, frozen: list[Progress], now_ms: int) -> None:
        names = ", ".join(
            f"{progress.name} for {progress.idle_ms(now_ms) // SECOND_MS} s" for progress in frozen
        )
        self._notifier.tell(STATUS=f"frozen: {names}; waiting to be restarted")
        if self._frozen_since_ms is None:
            self._frozen_since_ms = now_ms
            log.critical("service.frozen", workers=names)
        if self._exit_after_s and now_ms - self._frozen_since_ms >= self._exit_after_s * SECOND_MS:
            log.critical("service.exits", workers=names, code=FROZEN_EXIT)
            faulthandler.dump_traceback()
            self._leave(FROZEN_EXIT)

    def _is_frozen(self, progress: Progress, now_ms: int) -> bool:
        """Stuck beyond any step's time. One that fails is not: what it lacks no restart brings back."""
        doing = progress.doing(now_ms)
        return doing is Doing.ENDED or (doing is Doing.STUCK and progress.idle_ms(now_ms) > self._frozen_ms)

    def _rearm(self) -> None:
        """Where some code holds the interpreter itself, this thread cannot act; a timer of the C library can."""
        if self._exit_after_s:
            after_s = self._frozen_ms / SECOND_MS + self._exit_after_s
            faulthandler.dump_traceback_later(after_s, exit=True)

    def _status(self) -> str:
        health = self._health()
        bad = [f"{part.name} {part.condition.value}" for part in health.parts if part.condition != "ok"]
        return ", ".join(bad) or "ok"
