"""Damage that SQLite finds while the service runs: reported, and mended without a restart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import sqlalchemy as sa
import structlog

from alerts.own import data as own_data
from rules.level import Level
from rules.verdict import Facts
from service.recovery.copies import Copies, made_at
from service.recovery.event import Event, EventLog
from service.trouble import Trouble
from store.errors import StoreError
from store.journal.consumer import StoreConsumer
from store.journal.journal import Journal
from store.operations.database import upgrade
from store.sqlite.connections import is_damage
from store.sqlite.salvage import damage_of
from store.timeseries.contract import TimeSeriesStore
from store.timeseries.embedded import EmbeddedStore

log = structlog.get_logger()


class Healer:
    """Looks each round whether a file has shown damage; one that cannot be mended now is reported, and tried again.

    *on_restored* is called when a copy of the operations database took its place: whoever remembers what was in it reads again.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        store: TimeSeriesStore,
        storing: StoreConsumer,
        database: sa.Engine,
        operations: Path | None,
        copies: Copies,
        events: EventLog,
        on_restored: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._store = store
        self._storing = storing
        self._database = database
        self._operations = operations
        self._copies = copies
        self._events = events
        self._on_restored = on_restored
        #: what the operations database has shown
        self._damage = ""
        if operations is not None:
            sa.event.listen(database, "handle_error", self._on_error)

    def look(self, now_ms: int) -> Iterator[Trouble]:
        """Mends what has shown damage; what could not be mended is wrong still."""
        for file, part, damage, mend in (
            ("journal.db", "journal", self._journal.damage, self._mend_journal),
            ("timeseries.db", "store", getattr(self._store, "damage", ""), self._mend_history),
            ("quarantine.db", "journal", self._journal.quarantine.damage, self._mend_quarantine),
            ("operations.db", "outbox", self._damage, self._mend_operations),
        ):
            if not damage:
                continue
            try:
                self._events.add(mend(now_ms))
            except (StoreError, OSError, sa.exc.SQLAlchemyError) as error:
                log.error("recovery.failed", file=file, damage=damage, reason=str(error))  # noqa: TRY400 - no traceback helps
                facts: Facts = {"file": file, "reason": damage}
                yield Trouble(own_data.DATA_DAMAGED, file, Level.CRITICAL, facts, part=part)
        if self._copies.failure:
            yield Trouble(own_data.COPY_FAILED, "copies", Level.WARNING, {"reason": self._copies.failure})

    def _mend_journal(self, now_ms: int) -> Event:
        aside, batches = self._journal.rebuild(now_ms)
        facts: dict[str, str | int | float] = {"aside": aside.name, "batches": batches}
        return Event(now_ms, own_data.JOURNAL_REBUILT, "journal.db", facts)

    def _mend_quarantine(self, now_ms: int) -> Event:
        aside = self._journal.quarantine.rebuild(now_ms)
        return Event(now_ms, own_data.FILE_REBUILT, "quarantine.db", {"aside": aside.name})

    def _mend_history(self, now_ms: int) -> Event:
        if not isinstance(self._store, EmbeddedStore):
            raise TypeError(type(self._store))
        aside = self._store.rebuild(now_ms)
        self._storing.compare_again()
        return Event(now_ms, own_data.HISTORY_REBUILT, "timeseries.db", {"aside": aside.name})

    def _mend_operations(self, now_ms: int) -> Event:
        """Puts the newest copy in place under the running service, and has the rules take it up."""
        if self._operations is None:
            raise TypeError(self._operations)
        if not damage_of(self._operations):  # one bad read: no reason to go back by an hour
            self._damage = ""
            return Event(now_ms, own_data.FILE_REBUILT, "operations.db")
        copy = self._copies.newest_good()
        aside = self._copies.put_back(copy, now_ms) or self._operations
        self._database.dispose()
        upgrade(self._database)
        self._damage = ""
        self._on_restored()
        if copy is None:
            return Event(now_ms, own_data.OPERATIONS_NEW, "operations.db", {"aside": aside.name})
        facts: dict[str, str | int | float] = {"aside": aside.name, "copy_time": made_at(copy)}
        return Event(now_ms, own_data.OPERATIONS_RESTORED, "operations.db", facts)

    def _on_error(self, context: sa.engine.ExceptionContext) -> None:
        if is_damage(context.original_exception):
            self._damage = str(context.original_exception)
