"""The service's pulse: time goes on in the journal while nothing arrives, pages hear of news, old batches go."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from api.live import LiveFeed
from campus.clock import SECOND_MS
from service.rule_consumer import RuleConsumer
from store.board import Board
from store.consumer import StoreConsumer
from store.errors import JournalDamaged, StoreError
from store.journal import Journal

log = structlog.get_logger()

HEARTBEAT_MS = 2 * SECOND_MS
_TRIM_EVERY = 60
#: batches kept behind the slowest consumer, so that recent redeliveries are known after a restart
_KEPT_BATCHES = 2_000


class Heart:
    """Appends an empty batch when the journal was quiet, and trims it behind the slowest consumer."""

    def __init__(
        self,
        journal: Journal,
        rules: RuleConsumer,
        store: StoreConsumer,
        now_ms: Callable[[], int],
        *,
        look: Callable[[int], object] = lambda _: None,
    ) -> None:
        self._look = look
        self._journal = journal
        self._rules = rules
        self._store = store
        self._now_ms = now_ms
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)
        self._beats = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def beat(self) -> None:
        """One beat. A journal that is full is trimmed before it is written to, or it would stay full."""
        now_ms = self._now_ms()
        self._beats += 1
        if self._beats % _TRIM_EVERY == 0 or self._journal.nearly_full():
            self._journal.trim(min(self._rules.snapshot_seq, self._store.seq) - self._kept())
        if now_ms - self._journal.last_time_ms() >= HEARTBEAT_MS:
            self._journal.append((), committed_ms=now_ms)
        self._look(now_ms)

    def _kept(self) -> int:
        """Batches kept for their fingerprints; fewer when space is short, down to those of the last seconds."""
        return _KEPT_BATCHES // 100 if self._journal.nearly_full() else _KEPT_BATCHES

    def _run(self) -> None:
        while not self._stopping.wait(HEARTBEAT_MS / SECOND_MS / 2):
            try:
                self.beat()
            except StoreError as error:
                log.warning("heart.failed", reason=str(error))
                self._look_on()
            except Exception:
                log.exception("heart.failed")
                self._look_on()

    def _look_on(self) -> None:
        """What hinders the beat is the very thing that is to be told."""
        try:
            self._look(self._now_ms())
        except Exception:
            log.exception("heart.look_failed")


class LivePump:
    """Follows the journal's end for the board and the live feed; it keeps no offset, as it needs none."""

    def __init__(self, journal: Journal, board: Board, feed: LiveFeed) -> None:
        self._journal = journal
        self._board = board
        self._feed = feed
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)
        self._seq = journal.last_seq()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self._journal.wait(self._seq, 0.5):
                continue
            try:
                for batch in self._journal.read(self._seq, max_batches=64):
                    self._board.put(batch.readings)
                    self._feed.publish_readings(batch.readings)
                    self._seq = batch.seq
            except JournalDamaged as error:
                self._seq = error.seq
            except Exception:
                log.exception("live.failed")
                self._stopping.wait(1)
