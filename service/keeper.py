"""Forgets what is too old: readings of the embedded store as site.yaml says, while their hours stay, and settled messages."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from alerts.outbox import Outbox
from campus.clock import DAY_MS, HOUR_MS, SECOND_MS
from campus.site import Site
from store.embedded import EmbeddedStore
from store.errors import StoreError
from store.timeseries import TimeSeriesStore

log = structlog.get_logger()


class Keeper:
    """Once an hour, in a thread of its own, as it may take a while. Servers keep what they are told to themselves."""

    def __init__(
        self, store: TimeSeriesStore, outbox: Outbox, site: Callable[[], Site], now_ms: Callable[[], int]
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._site = site
        self._now_ms = now_ms
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finishes what is under way."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def keep(self) -> int:
        """Forgets what is too old; returns how many readings."""
        now_ms, site = self._now_ms(), self._site()
        self._outbox.forget_old(now_ms)
        if not isinstance(self._store, EmbeddedStore):
            return 0
        forgotten = 0
        if site.rollup_retention_days:
            forgotten += self._store.delete_before(now_ms - site.rollup_retention_days * DAY_MS)
        if site.retention_days:
            forgotten += self._store.delete_before(now_ms - site.retention_days * DAY_MS, keep_hours=True)
        if forgotten:
            log.info("store.forgotten", readings=forgotten)
        return forgotten

    def _run(self) -> None:
        while not self._stopping.wait(HOUR_MS / SECOND_MS):
            try:
                self.keep()
            except StoreError as error:
                log.warning("keeper.failed", reason=str(error))
            except Exception:
                log.exception("keeper.failed")
