"""The composition root: every part made, joined, started in order, and stopped in the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from alerts.book import AlertBook
from alerts.channels.contract import Channel
from alerts.channels.opening import open_channels
from alerts.dispatcher import Dispatcher
from alerts.outbox import Outbox
from alerts.own import data as own_data
from api.accounts import Accounts
from api.live import LiveFeed
from api.ports import Health
from api.services import Services
from campus import selftest
from campus.campus import Campus
from campus.clock import HOUR_MS, MINUTE_MS, SECOND_MS
from campus.drill import is_drill
from campus.reading import Reading
from campus.text import Translate, marked
from campus.worker import Worker
from ingest.births_file import BirthsFile
from ingest.message import Message
from ingest.message_reader import MessageReader
from ingest.mqtt.burst import Burst
from ingest.pipeline import Pipeline
from rules.engine.engine import Engine
from rules.engine.settings import RuleSettings
from rules.selftest import SelfTest as SelfTestRule
from rules.verdict import Transition
from service.broker.accounts import DeviceAccounts
from service.broker.brokers import Brokers
from service.desks.quarantine_desk import Desk, held_reading
from service.desks.register import Register
from service.desks.register_desk import RegisterDesk
from service.drills.cast import Cast
from service.drills.drills import Drills
from service.health import health, metrics
from service.health.clock_watch import ClockWatch
from service.health.lifeline import Lifeline
from service.health.samples import samples
from service.health.selftest import SelfTest
from service.health.systemd import Notifier
from service.health.watchers import Watchers
from service.recovery.alignment import Aligner
from service.recovery.event import Event
from service.recovery.folder import DataFolder
from service.recovery.healing import Healer
from service.runtime.accounts_keeper import AccountsKeeper
from service.runtime.clock import SteadyClock, wall_ms
from service.runtime.keeper import Keeper
from service.runtime.poison_guard import PoisonGuard
from service.runtime.pulse import Heart, LivePump
from service.runtime.retention_clock import RetentionClock
from service.runtime.rule_consumer import RuleConsumer
from service.runtime.trials import Trials
from service.settings import ServiceSettings
from service.version import VERSION
from store.journal.consumer import REWRITE_MS, StoreConsumer
from store.operations.facts import Facts
from store.operations.register_log import RegisterLog
from store.timeseries.board import Board
from store.timeseries.embedded import EmbeddedStore

log = structlog.get_logger()

#: the heart commits a batch every two seconds; no batch for so long means that nobody listened
BLIND_AFTER_MS = 5 * MINUTE_MS


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
        self.wall_ms = wall
        self.now_ms = now_ms = now_ms or SteadyClock(wall)
        data = settings.data
        self._folder = opened = DataFolder(settings, campus.site, now_ms=now_ms())
        self.recovery, self.database = opened.events, opened.database
        self.journal, self.store = opened.journal, opened.store
        self.history = RegisterLog(self.database)
        self.register = Register(campus, folder, self.history, now_ms=now_ms, apply=self._apply)
        self.clock = ClockWatch(wall, continue_from=self.journal.last_time_ms(), zone=campus.site.zone)
        if isinstance(now_ms, SteadyClock):
            now_ms.continue_from(self.journal.last_time_ms())
        self.board = Board()
        self.feed = LiveFeed()
        self.cast = Cast(self.register.campus)
        self.book = AlertBook(self.database, self.campus, is_drill=is_drill, audience=self.cast.audience)
        for event in Aligner(self.journal, self.book, Facts(self.database)).align(campus.site.id, now_ms()):
            self.recovery.add(event)
        self.outbox = Outbox(self.database)
        self._write = write
        self._channels_of = campus.site.channels
        self.guard = PoisonGuard(data, campus, now_ms)
        self.dispatcher = Dispatcher(
            self.outbox, self._channels(campus), self.book, now_ms=now_ms, guard=self.guard.sending
        )
        self._trace = selftest.Trace()
        self.rules = RuleConsumer(
            self.journal,
            self._engine(campus),
            self.book,
            on_transitions=self._on_transitions,
            marks=self.guard.rule_marks,
            trace=self._trace,
        )
        self.guard.rule_marks.is_live = lambda: self.rules.recovered
        self.storing = StoreConsumer(
            self.journal,
            self.store,
            on_refused=self._on_refused,
            rewrite_ms=0 if isinstance(self.store, EmbeddedStore) else REWRITE_MS,
            on_behind=self._on_store_behind,
        )
        self.healer = Healer(
            journal=self.journal,
            store=self.store,
            storing=self.storing,
            rules=self.rules,
            database=self.database,
            operations=opened.operations,
            copies=opened.copies,
            events=self.recovery,
        )
        self.judge = MessageReader(self.campus, BirthsFile(data / "births.msgpack"))
        self.pipeline = Pipeline(
            self.journal, self.judge, now_ms=now_ms, guard=self.guard.messages, trace=self._trace
        )
        self.quarantine = Desk(self.journal, self.pipeline, self.guard)
        self.trials = Trials(self)
        self.brokers = Brokers(
            campus.site, data, self.judge.topics, self.pipeline.put,
            now_ms=now_ms, devices=DeviceAccounts(data, self.register.campus),
        )  # fmt: skip
        self.heart = Heart(self.journal, self.rules, self.storing, now_ms)
        self.keeper = Keeper(
            self.store, self.outbox, lambda: self.campus().site, now_ms,
            copy=opened.copies.make, delete_by=RetentionClock(Facts(self.database), now_ms),
        )  # fmt: skip
        self.pump = LivePump(self.journal, self.board, self.feed)
        self.accounts = Accounts(self.database)
        self.accounts_keeper = AccountsKeeper(self.accounts, now_ms)
        self._adopting: Campus | None = None
        self._adopter = Worker(
            "replay", self._replay_adopted, pace_s=HOUR_MS / SECOND_MS, limit_s=HOUR_MS / SECOND_MS
        )
        self._registrar = Worker("register", self.register.look, pace_s=1.0, limit_s=120.0)
        self.selftest = SelfTest(
            self._trace, self._send_selftest, lambda: self.register.campus().site.selftest_s
        )
        self.watchers = Watchers(self, told=self._on_own_alerts)
        self.lifeline = Lifeline(
            self.workers, self.health, notifier or Notifier(), exit_after_s=settings.frozen_exit_s
        )
        self.drills = Drills(self, self.cast, scenarios=folder / "scenarios" if folder is not None else None)
        self._demo = demo

    def campus(self) -> Campus:
        """The campus of the moment, with the drill devices of an exercise while one runs; the rules know the register only."""
        return self.cast.campus()

    def start(self) -> None:
        """Brings the parts up, those behind the journal before those before it."""
        self.lifeline.start()
        self.register.record_start()
        self.rules.recover()
        self._prime_board()
        self.watchers.recover(self.now_ms())
        self.dispatcher.start()
        self.storing.start()
        self.rules.start()
        self.pump.start()
        self.pipeline.start()
        self.heart.start()
        self.keeper.start()
        self.drills.start()
        self._registrar.start()
        self._adopter.start()
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
        self._adopter.request_stop()
        self.pipeline.stop()
        self._adopter.stop()
        self.brokers.stop_receiving()
        for worker in self.workers():
            worker.request_stop()  # all at once: where the database is away, each waits for it
        for part in (
            self.heart,
            self.keeper,
            self.accounts_keeper,
            self.rules,
            self.storing,
            self.dispatcher,
            self.pump,
        ):
            part.stop()
        self.feed.close()
        self.brokers.stop()
        self.guard.close()
        self._folder.close(self.now_ms())
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
            register=RegisterDesk(self.register, self.history, self.journal.quarantine),
            drills=self.drills,
            health=self.health,
            metrics=metrics.registry(lambda: samples(self)),
            now_ms=self.now_ms,
            version=VERSION,
            demo=self._demo,
        )

    def health(self, translate: Translate = marked) -> Health:
        """How every part does, in the words of a language."""
        return health.of(self.watchers.every, self.register.campus(), translate)

    def workers(self) -> list[Worker]:
        """Everybody who does the service's work in a thread of their own."""
        return [
            self.pipeline.worker,
            self.rules.worker,
            self.storing.worker,
            *self.dispatcher.workers,
            self.heart.worker,
            self.keeper.worker,
            *self.brokers.workers,
            self.pump.worker,
            self.drills.worker,
            self._registrar,
            self._adopter,
            self.accounts_keeper.worker,
            *self.watchers.workers,
            self.selftest.worker,
            self.lifeline.worker,
        ]

    def _on_refused(self, reading: Reading, reason: str) -> None:
        """Not counted: the counts are of messages, and its message was journaled."""
        now_ms = self.now_ms()
        self.journal.append((), committed_ms=now_ms, quarantined=[held_reading(reading, reason, now_ms)])

    def _on_store_behind(self, batches: int) -> None:
        self.recovery.add(Event(self.now_ms(), own_data.STORE_BEHIND, "store", {"batches": batches}))

    def _on_transitions(self, transitions: Sequence[Transition]) -> None:
        self.dispatcher.wake()
        self.drills.wake()
        for one in transitions:
            self.feed.publish_alert(one.subject)

    def _channels(self, campus: Campus) -> dict[str, Channel]:
        return open_channels(
            campus.site,
            database=self.database,
            now_ms=self.now_ms,
            write=self._write,
            told=lambda: self.feed.publish_alert("phone"),
        )

    def _apply(self, campus: Campus) -> None:
        """Hands a campus that was read again to everybody who needs more than to ask for it."""
        self.rules.swap_engine(self._engine(campus))
        self.brokers.resubscribe()
        if campus.site.channels != self._channels_of:
            self._channels_of = campus.site.channels
            self.dispatcher.replace(self._channels(campus))
        self._adopting = campus
        self._adopter.wake()
        self.feed.publish_alert("register")

    def _engine(self, campus: Campus) -> Engine:
        self.rules_off = self.guard.rules_at_rest()
        return Engine(
            campus,
            RuleSettings(campus.rules),
            blind_after_ms=BLIND_AFTER_MS,
            set_aside=self.rules_off,
            marks=self.guard.rule_marks.words,
            internal=[(SelfTestRule(), selftest.device())],
        )

    def _send_selftest(self, payloads: Sequence[bytes], patient: bool) -> bool:
        """Over our own broker where there is one, else as if it had been received from another's."""
        published = self.brokers.publish_to_ourselves(selftest.TOPIC, payloads)
        if published or (published is False and patient) or self.pipeline.is_full:
            return bool(published)
        now_ms = self.now_ms()
        self.pipeline.put(Burst([Message(selftest.TOPIC, one, now_ms) for one in payloads]))
        return True

    def judge_anew(self) -> None:
        """Rules that went to rest stop judging, those whose rest is over begin."""
        self.rules.swap_engine(self._engine(self.register.campus()))

    def _replay_adopted(self) -> None:
        """What devices said before they were in the register becomes readings."""
        campus = self._adopting
        if campus is None:
            return
        for one in self.journal.unregistered():
            if campus.device_at(one.address) is None:
                continue
            after_id = 0
            while held := self.journal.quarantined_of(one.address, after_id=after_id):
                self.pipeline.replay(held)
                after_id = held[-1].id
            log.info("device.adopted", address=one.address, messages=one.count)
        if self._adopting is campus:
            self._adopting = None

    def _on_own_alerts(self) -> None:
        self.dispatcher.wake()
        self.feed.publish_alert("service")

    def _prime_board(self) -> None:
        try:
            self.board.prime(self.store.latest())
        except (
            Exception
        ):  # pages start empty and fill as readings come; the store is tried on by its consumer
            log.exception("board.not_primed")
