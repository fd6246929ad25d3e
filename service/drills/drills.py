"""Exercises on the live service: ordered, begun, watched over, ended; cleaned up where the service died in the middle."""

from __future__ import annotations

import threading

import structlog
from sqlalchemy.exc import SQLAlchemyError

from alerts.drills.drill import Drill, DrillLog, DrillOrder, DrillState
from alerts.drills.end import close_alerts, notify_begin, notify_end
from api.ports import DrillRefused, DrillScenario
from campus.campus import Campus
from campus.clock import MINUTE_MS, SECOND_MS
from campus.text import marked as _
from campus.text import translator
from campus.worker import Worker
from service.drills import checks
from service.drills.drill_devices import DrillDevices, copied
from service.drills.ending import DrillEnding
from service.drills.judging import DrillJudging
from service.drills.orders import Orders, Ready
from service.drills.ports import DrillPorts
from service.drills.run import DrillRun
from simulators.drills.exercise import Exercise

log = structlog.get_logger()

#: after its end drill devices stay known so long, so that what the broker still holds of them is no unregistered device's
_DRAIN_MS, _DRAIN_AFTER_CRASH_MS = 10 * SECOND_MS, MINUTE_MS
_LOOK_S = 0.5
CRASHED = _("守园在演练中途停止运行,重新启动后已清理。")


class Drills:
    """At most one exercise at a time. Thread-safe."""

    def __init__(self, ports: DrillPorts, devices: DrillDevices) -> None:
        self._ports = ports
        self._devices = devices
        self.log = DrillLog(ports.database)
        self._orders = Orders(ports, self.log)
        self._judging = DrillJudging(ports)
        self._ending = DrillEnding(ports, self.log)
        self._lock = threading.RLock()
        self._run: DrillRun | None = None
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
                self._end(DrillState.ABORTED, reason=self._text(CRASHED))

    def wake(self) -> None:
        """Something has changed that an exercise may have to give way to."""
        self.worker.wake()

    def scenarios(self, language: str) -> list[DrillScenario]:
        """Those with something to find, the most common first; a school's own from ``scenarios/`` of its folder."""
        return self._orders.scenarios(language)

    def order(self, order: DrillOrder, who: str) -> Drill:
        """Begins an exercise, or keeps it for its time; raises :class:`DrillRefused`."""
        with self._lock:
            now_ms = self._ports.now_ms()
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
                self.log.ended(drill_id, DrillState.STOPPED, self._ports.now_ms(), who=who)
            return self.log.get(drill_id)

    def running(self) -> Drill | None:
        """The one that runs now."""
        run = self._run
        return None if run is None else run.drill

    def recover(self) -> None:
        """Ends what ran when the service died. Its devices stay known for a minute, and speak to nobody."""
        for drill in self.log.find(states=(DrillState.RUNNING,)):
            with self._lock:
                self._devices.enter(copied(self._campus, drill.plan.copies, drill.asked.speed), ())
                self._close(drill, DrillState.ABORTED, "", self._text(CRASHED), _DRAIN_AFTER_CRASH_MS)
            log.warning("drill.aborted", drill=drill.id, reason="the service died while it ran")
        # none runs now: what one that ended as the service died left open is nobody's
        left = {alert.subject for alert in self._ports.book.open_alerts() if alert.drill} - set(
            self._campus.devices
        )
        if left:
            close_alerts(self._ports.database, left, self._ports.now_ms())

    def look(self) -> None:
        """One round: what must end ends, what is due begins."""
        with self._lock:
            now_ms = self._ports.now_ms()
            if self._run is not None:
                ending = self._ending.of(self._run, now_ms)
                if ending is not None:
                    self._end(ending.state, reason=ending.reason)
            elif self._leaving is not None and now_ms >= self._leaving[1]:
                self._leave(now_ms)
            if self._run is None:
                for drill in self.log.find(states=(DrillState.PLANNED,)):
                    if drill.start_ms <= now_ms and self._run is None:
                        self._take_up(drill, now_ms, now_ms)
                    elif not drill.plan.ends_ms:  # ordered on the command line, and not yet looked at
                        self._take_up(drill, drill.start_ms, now_ms)

    @property
    def _campus(self) -> Campus:
        return self._ports.campus()

    def _text(self, text: str, **values: object) -> str:
        return translator(self._campus.site.language)(text).format(**values)

    def _check_now(self, exercise: Exercise) -> None:
        checks.check_calm(self._ports.book.open_alerts(), self._campus, exercise.copies)

    def _take_up(self, drill: Drill, begin_ms: int, now_ms: int) -> None:
        """Begins one that is due, or accepts one for later; refuses what must not be."""
        try:
            checks.check_punctual(drill, now_ms)
            ready = self._orders.worked_out(drill.asked, begin_ms, but=drill.id)
            if begin_ms <= now_ms:
                self._check_now(ready.exercise)
        except DrillRefused as error:
            reason = error.words(translator(self._campus.site.language))
            self.log.ended(drill.id, DrillState.REFUSED, now_ms, reason=reason)
            log.warning("drill.refused", drill=drill.id, reason=reason)
            self._ports.show()
            return
        if begin_ms <= now_ms:
            self._begin(drill, ready)
        else:
            self.log.accepted(drill.id, ready.plan)

    def _begin(self, drill: Drill, ready: Ready) -> None:
        exercise, campus = ready.exercise, self._campus
        self._leave(exercise.begin_ms)
        self.log.began(drill.id, ready.plan, exercise.begin_ms)
        drill = self.log.get(drill.id)
        devices = copied(campus, exercise.copies, exercise.speed)
        self._devices.enter(devices, drill.asked.people)
        self._judging.begin()
        address = self._ports.brokers.simulated(ready.broker)
        self._run = DrillRun(drill, exercise, campus, devices, address, now_ms=self._ports.now_ms)
        if drill.asked.announced:
            notify_begin(self._ports.database, drill, campus, exercise.begin_ms)
        self._run.start()
        self._notify()
        log.info("drill.began", drill=drill.id, scenario=drill.asked.scenario, devices=len(devices))

    def _end(self, state: DrillState, *, who: str = "", reason: str = "") -> None:
        run, self._run = self._run, None
        if run is None:
            return
        self._devices.mute()
        run.stop()
        self._close(run.drill, state, who, reason, _DRAIN_MS)
        log.info("drill.ended", drill=run.drill.id, state=state.value, reason=reason)

    def _close(self, drill: Drill, state: DrillState, who: str, reason: str, drain_ms: int) -> None:
        now_ms = self._ports.now_ms()
        close_alerts(
            self._ports.database, drill.plan.copies, now_ms
        )  # first: one that is over has nothing open
        self.log.ended(drill.id, state, now_ms, who=who, reason=reason)
        notify_end(self._ports.database, self.log.get(drill.id), self._campus, now_ms)
        self._leaving = (tuple(drill.plan.copies), now_ms + drain_ms)
        self._notify()

    def _leave(self, now_ms: int) -> None:
        leaving, self._leaving = self._leaving, None
        if leaving is not None:
            close_alerts(self._ports.database, leaving[0], now_ms)
            self._devices.leave()

    def _notify(self) -> None:
        self._ports.send()
        self._ports.show()

    def _round(self) -> None:
        self._judge()
        self.look()

    def _rest_s(self) -> float:
        """Between exercises there is news to wait for; during one the journal is what it waits for."""
        return _LOOK_S if self._run is None else 0.0

    def _judge(self) -> None:
        """Waits for batches and lets the running exercise's rules judge them."""
        run = self._run
        if run is None or not self._judging.wait(_LOOK_S):
            return
        with self._lock:
            if self._run is run and self._judging.judge(run):
                self._notify()
