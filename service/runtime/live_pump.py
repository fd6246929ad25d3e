"""Pages hear of what the journal takes in."""

from __future__ import annotations

import structlog

from api.live import LiveFeed
from campus.selftest import without
from campus.worker import Worker
from store.errors import JournalDamaged
from store.journal.journal import Journal
from store.timeseries.board import Board
from store.timeseries.contract import TimeSeriesStore

log = structlog.get_logger()


class LivePump:
    """Follows the journal's end for the board and the live feed; it keeps no offset, as it needs none."""

    def __init__(self, journal: Journal, board: Board, feed: LiveFeed) -> None:
        self._journal = journal
        self._board = board
        self._feed = feed
        self.worker = Worker("live", self.step)
        self._seq = journal.last_seq()

    def prime(self, store: TimeSeriesStore) -> None:
        """Shows the newest values of before the start; without a store, pages fill as readings come."""
        try:
            self._board.prime(store.latest())
        except Exception:  # the store is tried on by its consumer
            log.exception("board.not_primed")

    def start(self) -> None:
        self.worker.start()

    def stop(self) -> None:
        self.worker.request_stop()
        self._journal.wake()
        self.worker.stop(2)

    def step(self, timeout_s: float = 0.5) -> None:
        """Shows what the journal holds that was not shown yet."""
        if not self._journal.wait(self._seq, timeout_s):
            return
        try:
            for batch in self._journal.read(self._seq, max_batches=64):
                readings = without(batch.readings)
                self._board.put(readings)
                self._feed.publish_readings(readings)
                self._seq = batch.seq
        except JournalDamaged as error:
            self._seq = error.seq
