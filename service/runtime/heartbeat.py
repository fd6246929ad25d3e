"""The heartbeat: time goes on in the journal while nothing arrives, and old batches go."""

from __future__ import annotations

from collections.abc import Callable

from campus.clock import SECOND_MS, SET_BACK_MS
from campus.worker import Worker
from service.runtime.rule_consumer import RuleConsumer
from store.errors import StoreError
from store.journal.consumer import StoreConsumer
from store.journal.journal import Journal

HEARTBEAT_MS = 2 * SECOND_MS
_PACE_S = HEARTBEAT_MS / SECOND_MS / 2
_TRIM_EVERY = 60
#: batches kept behind the slowest consumer, so that recent redeliveries are known after a restart
_KEPT_BATCHES = 2_000


class Heartbeat:
    """Appends an empty batch when the journal was quiet, and trims it behind the slowest consumer."""

    def __init__(
        self,
        journal: Journal,
        rules: RuleConsumer,
        store: StoreConsumer,
        now_ms: Callable[[], int],
    ) -> None:
        self._journal = journal
        self._rules = rules
        self._store = store
        self._now_ms = now_ms
        self.worker = Worker("heartbeat", self.beat, pace_s=_PACE_S, expected=(StoreError,))
        self._beats = 0

    def start(self) -> None:
        self.worker.start()

    def stop(self) -> None:
        self.worker.stop(2)

    def beat(self) -> None:
        """One beat. A journal that is full is trimmed before it is written to, or it would stay full."""
        now_ms = self._now_ms()
        self._beats += 1
        if self._beats % _TRIM_EVERY == 0 or self._journal.nearly_full():
            self._journal.trim(min(self._rules.snapshot_seq, self._store.kept_from_seq) - self._kept())
        quiet_ms = now_ms - self._journal.last_time_ms()
        if quiet_ms >= HEARTBEAT_MS or quiet_ms < -SET_BACK_MS:
            self._journal.append((), committed_ms=now_ms)

    def _kept(self) -> int:
        """Batches kept for their fingerprints; fewer when space is short, down to those of the last seconds."""
        return _KEPT_BATCHES // 100 if self._journal.nearly_full() else _KEPT_BATCHES
