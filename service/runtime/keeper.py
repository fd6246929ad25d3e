"""Has the operations database copied, and forgets what is too old: readings of the embedded store as site.yaml says, while their hours stay, and settled messages."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from alerts.outbox import Outbox
from campus.clock import DAY_MS, HOUR_MS, SECOND_MS
from campus.site import Site
from campus.worker import Worker
from store.errors import StoreError
from store.timeseries.contract import TimeSeriesStore
from store.timeseries.embedded import EmbeddedStore

log = structlog.get_logger()


class Keeper:
    """Once an hour, in a thread of its own, as it may take a while. Servers keep to their own settings.

    What is too old is judged by *delete_by*, so that a clock years ahead does not empty the store.
    """

    def __init__(
        self,
        store: TimeSeriesStore,
        outbox: Outbox,
        site: Callable[[], Site],
        now_ms: Callable[[], int],
        *,
        copy: Callable[[int], object] = lambda _: None,
        delete_by: Callable[[], int] | None = None,
    ) -> None:
        self._copy = copy
        self._store = store
        self._outbox = outbox
        self._site = site
        self._now_ms = now_ms
        self._delete_by = delete_by or now_ms
        self.worker = Worker(
            "keeper", self.keep, pace_s=HOUR_MS / SECOND_MS, retry_s=(HOUR_MS / SECOND_MS,),
            expected=(StoreError,), limit_s=HOUR_MS / SECOND_MS,
        )  # fmt: skip

    def start(self) -> None:
        self.worker.start()

    def stop(self) -> None:
        """Finishes what is under way."""
        self.worker.stop()

    def keep(self) -> int:
        """Forgets what is too old; returns how many readings."""
        now_ms, site = self._now_ms(), self._site()
        self._copy(now_ms)
        now_ms = self._delete_by()
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
