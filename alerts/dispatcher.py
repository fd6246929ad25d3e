"""Sends what the outbox holds: one thread a channel, so that a slow provider holds up nobody else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import structlog

from alerts.book import AlertBook
from alerts.channels.contract import Channel, Delivery, Outcome, retry
from alerts.outbox import Due, Outbox
from alerts.own import UNREACHABLE
from campus.clock import SECOND_MS

log = structlog.get_logger()

_LONGEST_WAIT_S = 5.0


class Dispatcher:
    """Wakes at once when told of new rows, and by itself when a retry is due."""

    def __init__(
        self, outbox: Outbox, channels: Mapping[str, Channel], book: AlertBook, *, now_ms: Callable[[], int]
    ) -> None:
        self._outbox = outbox
        self._channels = dict(channels)
        self._book = book
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._retired: list[Channel] = []
        self._stopping = threading.Event()
        self._news = {name: threading.Event() for name in channels}
        self._threads = [self._thread(name) for name in channels]

    def start(self) -> None:
        """Takes up what an earlier run left, then sends."""
        revived = self._outbox.revive(self._now_ms())
        if revived:
            log.info("outbox.revived", messages=revived)
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """There may be something to send."""
        for news in list(self._news.values()):
            news.set()

    def replace(self, channels: Mapping[str, Channel]) -> None:
        """Follows changed settings. What is being sent now is sent the old way; what waits for a channel that is gone
        waits until there is one of that name again.
        """
        with self._lock:
            self._retired += self._channels.values()
            self._channels = dict(channels)
            fresh = [name for name in channels if name not in self._news]
            self._news |= {name: threading.Event() for name in fresh}
        threads = [self._thread(name) for name in fresh]
        self._threads += threads
        for thread in threads:
            thread.start()
        self.wake()

    def stop(self) -> None:
        """Lets a send under way finish for a moment; the outbox keeps the rest."""
        self._stopping.set()
        self.wake()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=2)
        for channel in (*self._channels.values(), *self._retired):
            channel.close()

    def send_next(self, name: str) -> bool:
        """Sends one due message of a channel; False when there is none."""
        channel = self._channels.get(name)
        due = self._outbox.take(name, self._now_ms()) if channel is not None else None
        if channel is None or due is None:
            return False
        delivery = self._deliver(channel, due)
        reached = self._outbox.settle(due, delivery, self._now_ms())
        log.info(
            "message.settled", channel=name, recipient=due.recipient.id, key=due.message.key,
            outcome=delivery.outcome.value, code=delivery.code, attempt=due.attempts,
        )  # fmt: skip
        if not reached:
            self._tell_unreachable(due, delivery)
        elif delivery.outcome is Outcome.FAILED:
            self.wake()  # the next channel has it now
        return True

    def _thread(self, name: str) -> threading.Thread:
        return threading.Thread(target=self._run, args=(name,), name=f"send-{name}", daemon=True)

    def _deliver(self, channel: Channel, due: Due) -> Delivery:
        try:
            return channel.send(due.message, due.recipient, doubtful=due.doubtful or due.attempts > 1)
        except Exception as error:  # a channel must not raise; if it does, its message must not be lost
            log.exception("channel.raised", channel=due.channel)
            return retry(type(error).__name__, str(error))

    def _tell_unreachable(self, due: Due, delivery: Delivery) -> None:
        """Nobody could be reached: an alert of its own, on every page."""
        words = f"{due.message.title} → {due.recipient.name or due.recipient.id} ({due.channel}: {delivery.code} {delivery.text})"
        facts = {"message": words[:300]}
        now_ms = self._now_ms()
        evidence = {"facts": facts, "since_ms": now_ms}
        self._book.raise_own(UNREACHABLE, due.channel, evidence, now_ms, drill=due.message.drill)
        log.error("alert.unreachable", channel=due.channel, key=due.message.key, code=delivery.code)

    def _run(self, name: str) -> None:
        news = self._news[name]
        while not self._stopping.is_set():
            news.clear()
            try:
                while not self._stopping.is_set() and self.send_next(name):
                    pass
                due_ms = self._outbox.next_due_ms(name)
            except Exception:
                log.exception("outbox.failed", channel=name)
                due_ms = None
            wait_s = _LONGEST_WAIT_S
            if due_ms is not None and name in self._channels:
                wait_s = (due_ms - self._now_ms()) / SECOND_MS
            news.wait(min(_LONGEST_WAIT_S, max(0.05, wait_s)))
