"""Carries the journal into the time-series store, at the store's own pace."""

from __future__ import annotations

import threading

import structlog

from campus.reading import Reading
from store.errors import JournalDamaged, PointRefused, StoreUnavailable
from store.journal import Journal
from store.timeseries import TimeSeriesStore

log = structlog.get_logger()

NAME = "store"
_READINGS_AT_ONCE = 6_000
_BACKOFF_S = (1.0, 2.0, 5.0, 15.0, 60.0)


class StoreConsumer:
    """Writes batches and keeps its offset. A store that is away is waited for; alerts do not wait for it."""

    def __init__(self, journal: Journal, store: TimeSeriesStore) -> None:
        self._journal = journal
        self._store = store
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)
        self.seq = journal.offset(NAME)
        self.failures = 0
        self.unavailable = ""
        self.refused = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finishes the write under way."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def step(self, timeout_s: float = 0.0) -> bool:
        """Writes what there is, up to a few thousand readings; True when it did."""
        if not self._journal.wait(self.seq, timeout_s):
            return False
        try:
            batches = self._journal.read(self.seq, max_batches=64)
        except JournalDamaged as error:
            log.error("journal.batch_damaged", seq=error.seq, reason=str(error))  # noqa: TRY400 - no traceback helps
            self._move_to(error.seq)
            return True
        readings: list[Reading] = []
        last = self.seq
        for batch in batches:
            if readings and len(readings) + len(batch.readings) > _READINGS_AT_ONCE:
                break
            readings += batch.readings
            last = batch.seq
        if readings:
            self._write(readings)
        self._move_to(last)
        return True

    def _write(self, readings: list[Reading]) -> None:
        """Writes; a reading the store will never take is logged and left behind, the others are stored."""
        try:
            self._store.write(readings)
        except PointRefused as error:
            self.refused += 1
            log.warning("store.point_refused", series=str(readings[error.index].series), reason=error.reason)

    def _move_to(self, seq: int) -> None:
        self._journal.save_offset(NAME, seq)
        self.seq = seq

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.step(timeout_s=0.5)
            except StoreUnavailable as error:
                self._wait(error.reason)
            except Exception as error:
                log.exception("store.step_failed", seq=self.seq)
                self._wait(f"{type(error).__name__}: {error}")
            else:
                if self.unavailable:
                    log.info("store.available_again", seq=self.seq)
                self.unavailable, self.failures = "", 0

    def _wait(self, reason: str) -> None:
        if not self.unavailable:
            log.warning("store.unavailable", reason=reason)
        self.unavailable = reason
        self._stopping.wait(_BACKOFF_S[min(self.failures, len(_BACKOFF_S) - 1)])
        self.failures += 1
