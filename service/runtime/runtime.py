"""The composition root: every part made and handed what it needs, started in order, and stopped in the other.

Parts that belong together are made in files of their own: :mod:`service.runtime.storage`, ``judging``, ``sending``,
``receiving`` and ``watching``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from alerts.book import AlertBook
from api.accounts import Accounts
from api.live import LiveFeed
from api.services import Services
from campus.campus import Campus
from campus.drill import is_drill
from campus.selftest import Trace
from campus.worker import Worker
from rules.verdict import Transition
from service.clock import SteadyClock, wall_ms
from service.desks.register import Register
from service.desks.register_desk import RegisterDesk
from service.drills.drill_devices import DrillDevices
from service.drills.drills import Drills
from service.drills.ports import DrillPorts
from service.health.looks.clock_watch import ClockWatch
from service.health.systemd import Notifier
from service.poison.poison_guard import PoisonGuard
from service.runtime.accounts_keeper import AccountsKeeper
from service.runtime.heartbeat import Heartbeat
from service.runtime.judging import Judging
from service.runtime.live_pump import LivePump
from service.runtime.receiving import Receiving
from service.runtime.sending import Sending
from service.runtime.storage import Storage
from service.runtime.watching import Watching
from service.settings import ServiceSettings
from service.version import VERSION
from store.timeseries.board import Board

log = structlog.get_logger()


class Runtime:
    """One running service. Made from a campus; started and stopped once."""

    def __init__(
        self,
        campus: Campus,
        settings: ServiceSettings,
        *,
        now_ms: Callable[[], int] | None = None,
        wall: Callable[[], int] = wall_ms,
        write: Callable[[str], None] = print,
        demo: bool = False,
        folder: Path | None = None,
        notifier: Notifier | None = None,
    ) -> None:
        self.settings = settings
        self._demo = demo
        self.now_ms = now_ms = now_ms or SteadyClock(wall)
        self._storage = storage = Storage(settings, campus.site, now_ms=now_ms)
        self.database, self.journal, self.store = storage.database, storage.journal, storage.store
        self.storing, self.recovery = storage.consumer, storage.events
        self.register = Register(campus, folder, storage.register_log, now_ms=now_ms, apply=self._apply)
        clock = ClockWatch(wall, continue_from=self.journal.last_time_ms(), zone=campus.site.zone)
        if isinstance(now_ms, SteadyClock):
            now_ms.continue_from(self.journal.last_time_ms())
        self.board, self.feed = Board(), LiveFeed()
        self.drill_devices = DrillDevices(self.register.campus)
        self.book = AlertBook(
            self.database, self.campus, is_drill=is_drill, audience=self.drill_devices.audience
        )
        self._storage.align(self.book, campus.site.id)
        self.guard = PoisonGuard(settings.data, campus, now_ms)
        self._make_pipeline(campus, write)
        self.heartbeat = Heartbeat(self.journal, self.rules, self.storing, now_ms)
        self.keeper = self._storage.keeper(self.outbox, lambda: self.campus().site)
        self.pump = LivePump(self.journal, self.board, self.feed)
        self.accounts = Accounts(self.database)
        self.accounts_keeper = AccountsKeeper(self.accounts, now_ms)
        self._registrar = Worker("register", self.register.look, pace_s=1.0, limit_s=120.0)
        self.drills = Drills(
            DrillPorts(
                book=self.book,
                brokers=self.brokers,
                campus=self.register.campus,
                database=self.database,
                journal=self.journal,
                subscriptions=self.reader,
                scenarios=None if folder is None else folder / "scenarios",
                send=self.dispatcher.wake,
                show=lambda: self.feed.publish_alert("drill"),
                now_ms=now_ms,
            ),
            self.drill_devices,
        )
        self._watching = Watching(
            self._storage,
            self._judging,
            self._sending,
            self._receiving,
            book=self.book,
            register=self.register,
            guard=self.guard,
            clock=clock,
            feed=self.feed,
            workers=self.workers,
            notifier=notifier or Notifier(),
            exit_after_s=settings.frozen_exit_s,
            now_ms=now_ms,
        )
        self.selftest, self.watchers = self._watching.selftest, self._watching.watchers
        self.lifeline, self.health = self._watching.lifeline, self._watching.health

    def campus(self) -> Campus:
        """The campus of the moment, with the drill devices of an exercise while one runs; the rules know the register only."""
        return self.drill_devices.campus()

    def start(self) -> None:
        """Brings the parts up, those behind the journal before those before it."""
        self.lifeline.start()
        self.register.record_start()
        self.rules.recover()
        self.pump.prime(self.store)
        self.watchers.recover(self.now_ms())
        self.dispatcher.start()
        self.storing.start()
        self.rules.start()
        self.pump.start()
        self.pipeline.start()
        self.heartbeat.start()
        self.keeper.start()
        self.drills.start()
        self._registrar.start()
        self._receiving.adoption.worker.start()
        self.selftest.worker.start()
        self.watchers.start()
        self.brokers.start()
        self.accounts.first_run(self.now_ms())
        self.accounts_keeper.start()
        log.info("service.started", site=self.campus().site.id, devices=len(self.campus().devices))

    def stop(self) -> None:
        """Stops the flow at its source first, so that what is under way is finished, and acknowledged before we leave."""
        self.lifeline.stop()
        self.watchers.stop()
        self.selftest.worker.stop()
        self.drills.stop_all()
        self._registrar.stop()
        self._receiving.adoption.worker.request_stop()
        self.pipeline.stop()
        self._receiving.adoption.worker.stop()
        self.brokers.stop_receiving()
        for worker in self.workers():
            worker.request_stop()  # all at once: where the database is away, each waits for it
        for part in (
            self.heartbeat, self.keeper, self.accounts_keeper, self.rules, self.storing, self.dispatcher, self.pump,
        ):  # fmt: skip
            part.stop()
        self.feed.close()
        self.brokers.stop()
        self.guard.close()
        self._storage.close()
        log.info("service.stopped")

    def services(self) -> Services:
        """What the API is made with."""
        return Services(
            campus=self.campus,
            store=self.store,
            board=self.board,
            book=self.book,
            database=self.database,
            accounts=self.accounts,
            feed=self.feed,
            quarantine=self.quarantine,
            register=RegisterDesk(self.register, self._storage.register_log, self.journal.quarantine),
            drills=self.drills,
            health=self.health,
            metrics=self._watching.metrics(),
            now_ms=self.now_ms,
            version=VERSION,
            demo=self._demo,
        )

    def workers(self) -> list[Worker]:
        """Everybody who does the service's work in a thread of their own."""
        return [
            self.pipeline.worker,
            self.rules.worker,
            self.storing.worker,
            *self.dispatcher.workers,
            self.heartbeat.worker,
            self.keeper.worker,
            *self.brokers.workers,
            self.pump.worker,
            self.drills.worker,
            self._registrar,
            self._receiving.adoption.worker,
            self.accounts_keeper.worker,
            *self._watching.workers,
        ]

    def _make_pipeline(self, campus: Campus, write: Callable[[str], None]) -> None:
        """From the brokers to people, made from its end."""
        self._sending = Sending(
            self.database, self.book, campus,
            guard=self.guard.sending, write=write, on_page=lambda: self.feed.publish_alert("phone"), now_ms=self.now_ms,
        )  # fmt: skip
        self.outbox, self.dispatcher = self._sending.outbox, self._sending.dispatcher
        trace = Trace()
        self._judging = Judging(
            self.journal, self.book, self.register.campus,
            guard=self.guard, trace=trace, on_transitions=self._on_transitions,
        )  # fmt: skip
        self.rules = self._judging.rules
        self._receiving = Receiving(
            self.journal, self.settings.data, self.campus, self.register.campus,
            guard=self.guard, trace=trace, now_ms=self.now_ms,
        )  # fmt: skip
        self.reader, self.pipeline = self._receiving.reader, self._receiving.pipeline
        self.quarantine, self.brokers = self._receiving.quarantine, self._receiving.brokers

    def _on_transitions(self, transitions: Sequence[Transition]) -> None:
        self.dispatcher.wake()
        self.drills.wake()
        for transition in transitions:
            self.feed.publish_alert(transition.subject)

    def _apply(self, campus: Campus) -> None:
        """Hands a campus that was read again to everybody who needs more than to ask for it."""
        self._judging.judge_anew()
        self._receiving.follow(campus)
        self._sending.follow(campus)
        self.feed.publish_alert("register")
