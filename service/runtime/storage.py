"""What is kept: the data folder with everything in it open, the parts in step, and who carries readings into the store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alerts.book import AlertBook
from alerts.outbox import Outbox
from alerts.own import data as own_data
from campus.reading import Reading
from campus.site import Site
from service.desks.quarantine_desk import held_reading
from service.recovery.alignment import Aligner
from service.recovery.event import Event
from service.recovery.folder import DataFolder
from service.recovery.healing import Healer
from service.runtime.keeper import Keeper
from service.runtime.retention_clock import RetentionClock
from service.runtime.rule_consumer import NAME as RULES
from service.settings import ServiceSettings
from store.journal.consumer import REWRITE_MS, StoreConsumer
from store.operations.facts import Facts
from store.operations.register_log import RegisterLog
from store.timeseries.embedded import EmbeddedStore


class Storage:
    """Opens on making; see :class:`service.recovery.folder.DataFolder`."""

    def __init__(self, settings: ServiceSettings, site: Site, *, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._folder = DataFolder(settings, site, now_ms=now_ms())
        self.data: Path = settings.data
        self.database = self._folder.database
        self.journal = self._folder.journal
        self.store = self._folder.store
        self.events = self._folder.events
        self.register_log = RegisterLog(self.database)
        self.consumer = StoreConsumer(
            self.journal,
            self.store,
            on_refused=self._hold_refused,
            rewrite_ms=0 if isinstance(self.store, EmbeddedStore) else REWRITE_MS,
            on_behind=self._note_behind,
        )

    def align(self, book: AlertBook, site_id: str) -> None:
        """Brings journal and operations database into step, before anything reads either."""
        for event in Aligner(self.journal, book, Facts(self.database), RULES).align(site_id, self._now_ms()):
            self.events.add(event)

    def healer(self, on_restored: Callable[[], None]) -> Healer:
        """Who mends damage that shows while the service runs."""
        return Healer(
            journal=self.journal,
            store=self.store,
            storing=self.consumer,
            database=self.database,
            operations=self._folder.operations,
            copies=self._folder.copies,
            events=self.events,
            on_restored=on_restored,
        )

    def keeper(self, outbox: Outbox, site: Callable[[], Site]) -> Keeper:
        """Who copies the operations database, and forgets what is too old."""
        return Keeper(
            self.store,
            outbox,
            site,
            self._now_ms,
            copy=self._folder.copies.make,
            delete_by=RetentionClock(Facts(self.database), self._now_ms),
        )

    def close(self) -> None:
        """Copies the operations database a last time, and closes everything."""
        self._folder.close(self._now_ms())

    def _hold_refused(self, reading: Reading, reason: str) -> None:
        """Not counted: the counts are of messages, and its message was journaled."""
        now_ms = self._now_ms()
        self.journal.append((), committed_ms=now_ms, quarantined=[held_reading(reading, reason, now_ms)])

    def _note_behind(self, batches: int) -> None:
        self.events.add(Event(self._now_ms(), own_data.STORE_BEHIND, "store", {"batches": batches}))
