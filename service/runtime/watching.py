"""Who watches the service: looks at parts and workers, the self-test through all of it, and the lifeline to a supervisor."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry

from alerts.book import AlertBook
from api.live import LiveFeed
from api.ports import Health
from campus.text import Translate, marked
from campus.worker import Worker
from service.desks.register import Register
from service.health import health, metrics
from service.health.lifeline import Lifeline
from service.health.looks.clock_watch import ClockWatch
from service.health.ports import Watched
from service.health.samples import samples
from service.health.selftest import SelfTest
from service.health.systemd import Notifier
from service.health.watchers import Watchers
from service.poison.poison_guard import PoisonGuard
from service.poison.trials import Trials
from service.runtime.judging import Judging
from service.runtime.receiving import Receiving
from service.runtime.sending import Sending
from service.runtime.storage import Storage


class Watching:
    """Looks at all other parts. *workers* are all of the service's, its own among them."""

    def __init__(
        self,
        storage: Storage,
        judging: Judging,
        sending: Sending,
        receiving: Receiving,
        *,
        book: AlertBook,
        register: Register,
        guard: PoisonGuard,
        clock: ClockWatch,
        feed: LiveFeed,
        workers: Callable[[], Iterable[Worker]],
        notifier: Notifier,
        exit_after_s: float,
        now_ms: Callable[[], int],
    ) -> None:
        self._campus = register.campus
        trials = Trials(guard, judging, sending.outbox, receiving.quarantine, send=sending.dispatcher.wake)
        self.selftest = SelfTest(
            receiving.trace, receiving.send_selftest, lambda: register.campus().site.selftest_s
        )
        self._watched = Watched(
            book=book,
            brokers=receiving.brokers,
            device_clocks=receiving.reader.clocks,
            events=storage.events,
            journal=storage.journal,
            outbox=sending.outbox,
            pipeline=receiving.pipeline,
            poison=guard.poison,
            quarantine=receiving.quarantine,
            register=register,
            rules=judging.rules,
            storing=storage.consumer,
            trials=trials.look,
            healing=storage.healer(judging.rules.recover_again).look,
            clock=clock.look,
            selftest=self.selftest.look,
            data=storage.data,
            live_pages=lambda: feed.subscribers,
            workers=workers,
            now_ms=now_ms,
        )

        def notify() -> None:
            sending.dispatcher.wake()
            feed.publish_alert("service")

        self.watchers = Watchers(self._watched, notify=notify)
        self.lifeline = Lifeline(workers, self.health, notifier, exit_after_s=exit_after_s)

    @property
    def workers(self) -> tuple[Worker, ...]:
        """Their threads."""
        return *self.watchers.workers, self.selftest.worker, self.lifeline.worker

    def health(self, translate: Translate = marked) -> Health:
        """How every part does, in the words of a language."""
        return health.of(self.watchers.every, self._campus(), translate)

    def metrics(self) -> CollectorRegistry:
        """What Prometheus asks for."""
        return metrics.registry(lambda: samples(self._watched))
