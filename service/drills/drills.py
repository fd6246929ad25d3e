"""Exercises on the live service: ordered, begun, watched over, ended; cleaned up where the service died in the middle."""

from __future__ import annotations

import threading
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from paho.mqtt.client import topic_matches_sub
from sqlalchemy.exc import SQLAlchemyError

from alerts.drills.drill import Drill, DrillLog, DrillOrder, DrillState
from alerts.drills.end import close_alerts, notify_begin, notify_end
from alerts.drills.record import record_of
from alerts.drills.score import Deed, Verdict
from alerts.own.service import UNREACHABLE
from api.ports import DrillRefused, DrillScenario
from campus.campus import Campus
from campus.clock import MINUTE_MS, SECOND_MS
from campus.text import marked as _
from campus.text import translator
from campus.worker import Worker
from rules.level import Level
from service.drills import checks
from service.drills.cast import Cast, copied
from service.drills.orders import Orders, Ready
from service.drills.run import DrillRun
from simulators.drills.exercise import Exercise
from store.errors import JournalDamaged

if TYPE_CHECKING:
    from service.runtime.runtime import Runtime

log = structlog.get_logger()

#: after its end drill devices stay known so long, so that what the broker still holds of them is no stranger's
_DRAIN_MS, _DRAIN_AFTER_CRASH_MS = 10 * SECOND_MS, MINUTE_MS
_LOOK_S = 0.5
CRASHED = _("守园在演练中途停止运行,重新启动后已清理。")
REAL_ALERT = _("出现真实告警(编号 {number}),演练立即让路。")
BROKEN = _("演练设备发不出数据:{error}")


class Drills:
    """At most one exercise at a time. Thread-safe."""

    def __init__(self, runtime: Runtime, cast: Cast, *, scenarios: Path | None = None) -> None:
        self._runtime = runtime
        self._cast = cast
        self.log = DrillLog(runtime.database)
        self._orders = Orders(
            self.log, runtime.register.campus, self._hearing, now_ms=runtime.now_ms, folder=scenarios
        )
        self._lock = threading.RLock()
        self._run: DrillRun | None = None
        self._seq = 0
        self._leaving: tuple[tuple[str, ...], int] | None = None
        self.worker = Worker("drills", self._round, pace_s=self._rest_s, expected=(SQLAlchemyError,))

    def start(self) -> None:
        """Cleans up after a crash, then waits for orders."""
        self.recover()
        self.worker.start()

    def stop_all(self) -> None:
        """The service stops: an exercise under way is ended in order."""
        self.worker.stop()
        with self._lock:
            if self._run is not None:
                self._end(DrillState.ABORTED, reason=self._words(CRASHED))

    def wake(self) -> None:
        """Something has changed that an exercise may have to give way to."""
        self.worker.wake()

    def scenarios(self, language: str) -> list[DrillScenario]:
        """Those with something to find, the most common first; a school's own from ``scenarios/`` of its folder."""
        return self._orders.scenarios(language)

    def order(self, order: DrillOrder, who: str) -> Drill:
        """Begins an exercise, or keeps it for its time; raises :class:`DrillRefused`."""
        with self._lock:
            now_ms = self._runtime.now_ms()
            begin_ms = order.start_ms or now_ms
            ready = self._orders.worked_out(order, begin_ms)
            if not order.start_ms:
                self._check_now(ready.exercise)
            number = self.log.add(order, ready.plan, who=who, now_ms=now_ms)
            if not order.start_ms:
                self._begin(self.log.get(number), ready)
            return self.log.get(number)

    def stop(self, drill_id: int, who: str) -> Drill:
        """Ends the one that runs, or drops one that was planned; one that is over stays as it is."""
        with self._lock:
            if self._run is not None and self._run.drill.id == drill_id:
                self._end(DrillState.STOPPED, who=who)
            else:
                self.log.ended(drill_id, DrillState.STOPPED, self._runtime.now_ms(), who=who)
            return self.log.get(drill_id)

    def running(self) -> Drill | None:
        """The one that runs now."""
        run = self._run
        return None if run is None else run.drill

    def recover(self) -> None:
        """Ends what ran when the service died. Its devices stay known for a minute, and speak to nobody."""
        for one in self.log.find(states=(DrillState.RUNNING,)):
            with self._lock:
                self._cast.enter(copied(self._real, one.plan.copies, one.asked.speed), ())
                self._close(one, DrillState.ABORTED, "", self._words(CRASHED), _DRAIN_AFTER_CRASH_MS)
            log.warning("drill.aborted", drill=one.id, reason="the service died while it ran")
        # none runs now: what one that ended as the service died left open is nobody's
        left = {one.subject for one in self._runtime.book.open_alerts() if one.drill} - set(
            self._real.devices
        )
        if left:
            close_alerts(self._runtime.database, left, self._runtime.now_ms())

    def look(self) -> None:
        """One round: what must end ends, what is due begins."""
        with self._lock:
            now_ms = self._runtime.now_ms()
            if self._run is not None:
                self._watch_over(self._run, now_ms)
            elif self._leaving is not None and now_ms >= self._leaving[1]:
                self._leave(now_ms)
            if self._run is None:
                for one in self.log.find(states=(DrillState.PLANNED,)):
                    if one.start_ms <= now_ms and self._run is None:
                        self._take_up(one, now_ms, now_ms)
                    elif not one.plan.ends_ms:  # ordered on the command line, and not yet looked at
                        self._take_up(one, one.start_ms, now_ms)

    @property
    def _real(self) -> Campus:
        return self._runtime.register.campus()

    def _words(self, text: str, **values: object) -> str:
        return translator(self._real.site.language)(text).format(**values)

    def _check_now(self, found: Exercise) -> None:
        checks.check_calm(self._runtime.book.open_alerts(), self._real, found.copies)

    def _take_up(self, drill: Drill, begin_ms: int, now_ms: int) -> None:
        """Begins one that is due, or accepts one for later; refuses what must not be."""
        try:
            checks.check_punctual(drill, now_ms)
            ready = self._orders.worked_out(drill.asked, begin_ms, but=drill.id)
            if begin_ms <= now_ms:
                self._check_now(ready.exercise)
        except DrillRefused as error:
            reason = error.words(translator(self._real.site.language))
            self.log.ended(drill.id, DrillState.REFUSED, now_ms, reason=reason)
            log.warning("drill.refused", drill=drill.id, reason=reason)
            self._runtime.feed.publish_alert("drill")
            return
        if begin_ms <= now_ms:
            self._begin(drill, ready)
        else:
            self.log.accepted(drill.id, ready.plan)

    def _hearing(self, topics: Collection[str]) -> str | None:
        for name in self._real.site.all_brokers:
            filters = self._runtime.judge.topics(name)
            if all(any(topic_matches_sub(one, topic) for one in filters) for topic in topics):
                return name
        return None

    def _begin(self, drill: Drill, ready: Ready) -> None:
        runtime, found = self._runtime, ready.exercise
        self._leave(found.begin_ms)
        self.log.began(drill.id, ready.plan, found.begin_ms)
        drill = self.log.get(drill.id)
        devices = copied(self._real, found.copies, found.speed)
        self._cast.enter(devices, drill.asked.people)
        self._seq = runtime.journal.last_seq()
        address = runtime.brokers.simulated(ready.broker)
        self._run = DrillRun(drill, found, self._real, devices, address, now_ms=runtime.now_ms)
        if drill.asked.announced:
            notify_begin(runtime.database, drill, self._real, found.begin_ms)
        self._run.start()
        self._told()
        log.info("drill.began", drill=drill.id, scenario=drill.asked.scenario, devices=len(devices))

    def _watch_over(self, run: DrillRun, now_ms: int) -> None:
        real = self._real_alert(run)
        if self.log.get(run.drill.id).over:  # stopped on the command line
            self._end(DrillState.STOPPED)
        elif real:
            self._end(DrillState.ABORTED, reason=self._words(REAL_ALERT, number=real))
        elif run.failure is not None:
            self._end(DrillState.ABORTED, reason=self._words(BROKEN, error=run.failure))
        elif now_ms >= run.drill.plan.ends_ms or self._all_done(run.drill, now_ms):
            self._end(DrillState.DONE)

    def _real_alert(self, run: DrillRun) -> int:
        """A real alert it gives way to: any critical one, as the same two or three people deal with it, or one of a device
        that is shadowed. It is aborted, not paused: nobody should have to tell two stories apart afterwards.
        """
        shadowed = set(run.copies.values())
        for one in self._runtime.book.open_alerts():
            if (
                not one.drill
                and one.rule != UNREACHABLE
                and (one.severity is Level.CRITICAL or one.subject in shadowed)
            ):
                return one.id
        return 0

    def _all_done(self, drill: Drill, now_ms: int) -> bool:
        """Nothing more can come: every expectation is settled, and every alert has been dealt with."""
        record = record_of(self._runtime.database, drill, now_ms)
        settled = all(one.verdict is not Verdict.OPEN for one in record.score.expected)
        return settled and record.score.deed(Deed.HANDLED).verdict is Verdict.MET and record.all_handled

    def _end(self, state: DrillState, *, who: str = "", reason: str = "") -> None:
        run, self._run = self._run, None
        if run is None:
            return
        self._cast.mute()
        run.stop()
        self._close(run.drill, state, who, reason, _DRAIN_MS)
        log.info("drill.ended", drill=run.drill.id, state=state.value, reason=reason)

    def _close(self, drill: Drill, state: DrillState, who: str, reason: str, drain_ms: int) -> None:
        runtime = self._runtime
        now_ms = runtime.now_ms()
        close_alerts(runtime.database, drill.plan.copies, now_ms)  # first: one that is over has nothing open
        self.log.ended(drill.id, state, now_ms, who=who, reason=reason)
        notify_end(runtime.database, self.log.get(drill.id), self._real, now_ms)
        self._leaving = (tuple(drill.plan.copies), now_ms + drain_ms)
        self._told()

    def _leave(self, now_ms: int) -> None:
        leaving, self._leaving = self._leaving, None
        if leaving is not None:
            close_alerts(self._runtime.database, leaving[0], now_ms)
            self._cast.leave()

    def _told(self) -> None:
        self._runtime.dispatcher.wake()
        self._runtime.feed.publish_alert("drill")

    def _round(self) -> None:
        self._judge()
        self.look()

    def _rest_s(self) -> float:
        """Between exercises there is news to wait for; during one the journal is what it waits for."""
        return _LOOK_S if self._run is None else 0.0

    def _judge(self) -> None:
        """Waits for batches and lets the running exercise's rules judge them."""
        journal, run = self._runtime.journal, self._run
        if run is None or not journal.wait(self._seq, _LOOK_S):
            return
        with self._lock:
            if self._run is not run:
                return
            try:
                batches = journal.read(self._seq, max_batches=256)
            except JournalDamaged as error:
                self._seq = error.seq
                return
            found = run.judge(batches)
            if found:
                self._runtime.book.take_own(found, self._runtime.now_ms())
                self._told()
            self._seq = batches[-1].seq if batches else self._seq
