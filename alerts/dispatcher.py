"""Sends what the outbox holds: one thread a channel, so that a slow provider holds up nobody else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import structlog
from sqlalchemy.exc import SQLAlchemyError

from alerts.book import AlertBook
from alerts.channels.contract import Channel, Delivery, Outcome, retry
from alerts.outbox import POISON, RESTING, Due, Outbox
from alerts.own.service import UNREACHABLE
from alerts.send_guard import SendGuard
from campus.clock import SECOND_MS, SET_BACK_MS
from campus.worker import Worker

log = structlog.get_logger()

_LONGEST_WAIT_S = 5.0
#: a message to a provider with its time-outs
_LIMIT_S = 60.0


class Dispatcher:
    """Wakes at once when told of new rows, and by itself when a retry is due."""

    def __init__(
        self,
        outbox: Outbox,
        channels: Mapping[str, Channel],
        book: AlertBook,
        *,
        now_ms: Callable[[], int],
        guard: SendGuard | None = None,
    ) -> None:
        self._outbox = outbox
        self._channels = dict(channels)
        self._book = book
        self._now_ms = now_ms
        self._guard = guard
        self._lock = threading.Lock()
        self._reached_ms = 0
        self._retired: list[Channel] = []
        self._workers = {name: self._worker(name) for name in channels}

    def start(self) -> None:
        """Takes up what an earlier run left, then sends."""
        revived = self._outbox.revive(self._now_ms())
        if revived:
            log.info("outbox.revived", messages=revived)
        for worker in self.workers:
            worker.start()

    def wake(self) -> None:
        """There may be something to send."""
        for worker in self.workers:
            worker.wake()

    @property
    def workers(self) -> list[Worker]:
        """Those who send, one a channel."""
        return list(self._workers.values())

    def replace(self, channels: Mapping[str, Channel]) -> None:
        """Follows changed settings. What is being sent now is sent the old way; what waits for a channel that is gone
        waits until there is one of that name again.
        """
        with self._lock:
            self._retired += self._channels.values()
            self._channels = dict(channels)
            fresh = {name: self._worker(name) for name in channels if name not in self._workers}
            self._workers |= fresh
        for worker in fresh.values():
            worker.start()
        self.wake()

    def stop(self) -> None:
        """Lets a send under way finish for a moment; the outbox keeps the rest."""
        for worker in self.workers:
            worker.request_stop()
        for worker in self.workers:
            worker.stop(2)
        for channel in (*self._channels.values(), *self._retired):
            channel.close()

    def send_next(self, name: str) -> bool:
        """Sends one due message of a channel; False when there is none."""
        now_ms = self._now_ms()
        self._note_time(now_ms)
        channel = self._channels.get(name)
        due = self._outbox.take(name, now_ms) if channel is not None else None
        if channel is None or due is None:
            return False
        delivery = self._refused(due) or self._deliver(channel, due)
        reached = self._outbox.settle(due, delivery, self._now_ms())
        if self._guard is not None:
            self._guard.end(name)
        log.info(
            "message.settled", channel=name, recipient=due.recipient.id, key=due.message.key,
            outcome=delivery.outcome.value, code=delivery.code, attempt=due.attempts,
        )  # fmt: skip
        if not reached:
            self._note_unreachable(due, delivery)
        elif delivery.outcome is Outcome.FAILED or delivery.code in {POISON, RESTING}:
            self.wake()  # the next channel has it now
        return True

    def _worker(self, name: str) -> Worker:
        return Worker(
            f"send-{name}",
            lambda: self._send_all(name),
            pace_s=lambda: self._rest_s(name),
            retry_s=(_LONGEST_WAIT_S,),
            expected=(SQLAlchemyError,),
            limit_s=_LIMIT_S,
        )

    def _refused(self, due: Due) -> Delivery | None:
        """Put off at once where sending this has killed the service, so that the next channel has it; else None."""
        if self._guard is None:
            return None
        refused = self._guard.refuses(due)
        if refused is None:
            self._guard.begin(due)
        else:
            log.error("message.rests", channel=due.channel, key=due.key, for_s=refused.after_ms / SECOND_MS)
        return refused

    def _note_time(self, now_ms: int) -> None:
        """What waits for a time that lies ahead because the clock was set back waits no longer."""
        with self._lock:
            set_back = self._reached_ms - now_ms > SET_BACK_MS
            self._reached_ms = now_ms
        if set_back:
            self._outbox.revive(now_ms)

    def _deliver(self, channel: Channel, due: Due) -> Delivery:
        try:
            return channel.send(due.message, due.recipient, doubtful=due.doubtful or due.attempts > 1)
        except Exception as error:  # a channel must not raise; if it does, its message must not be lost
            log.exception("channel.raised", channel=due.channel)
            return retry(type(error).__name__, str(error))

    def _note_unreachable(self, due: Due, delivery: Delivery) -> None:
        """Nobody could be reached. What a real alert failed at is looked at in the outbox; an exercise's is told here."""
        log.error("alert.unreachable", channel=due.channel, key=due.message.key, code=delivery.code)
        if not due.message.drill:
            return
        words = f"{due.message.title} → {due.recipient.name or due.recipient.id} ({due.channel}: {delivery.code} {delivery.text})"
        facts = {"message": words[:300]}
        now_ms = self._now_ms()
        evidence = {"facts": facts, "since_ms": now_ms}
        self._book.raise_own(UNREACHABLE, due.channel, evidence, now_ms, drill=True)

    def _send_all(self, name: str) -> None:
        worker = self._workers[name]
        while not worker.stopping and self.send_next(name):
            worker.touch()

    def _rest_s(self, name: str) -> float:
        """Until the next message is due."""
        due_ms = self._outbox.next_due_ms(name)
        if due_ms is None or name not in self._channels:
            return _LONGEST_WAIT_S
        return min(_LONGEST_WAIT_S, max(0.05, (due_ms - self._now_ms()) / SECOND_MS))
