"""Opens the data folder's files, whatever state they are in: a damaged one is set aside, reported, and made anew.

Only what a person has to decide ends the start: a file of a later version, a folder that cannot be written.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import sqlalchemy as sa
import structlog

from alerts.own import data as own_data
from service.errors import DatabaseAway, DataUnusable
from service.recovery.copies import Copies, made_at
from service.recovery.event import Event, EventLog
from store.errors import DiskFull, FileDamaged, StoreUnavailable
from store.journal.journal import Journal
from store.journal.salvage import finish_rebuilding, rebuild_journal
from store.operations.database import open_database
from store.quarantine import Quarantine
from store.sqlite.aside import set_aside
from store.sqlite.connections import is_damage
from store.sqlite.salvage import damage_of
from store.timeseries.contract import TimeSeriesStore
from store.timeseries.embedded import EmbeddedStore
from store.timeseries.opening import open_store

log = structlog.get_logger()

_ALL = 1 << 62


class Opener:
    """Opens one file after the other; what was done is in *events*."""

    def __init__(self, data: Path, events: EventLog, *, now_ms: int) -> None:
        self._data = data
        self._events = events
        self._now_ms = now_ms

    def operations(self, url: str, copies: Copies) -> sa.Engine:
        """The operations database; the newest copy in place of one that is damaged, or missing though copies are there."""
        path = sqlite_path(url)
        if path is None:
            try:
                return open_database(url)
            except sa.exc.OperationalError as error:
                shown = sa.make_url(url).render_as_string(hide_password=True)
                raise DatabaseAway(shown, str(error.orig)) from error
        with self._refusing(path):
            if not path.exists() or _damage(path):
                self._restore(path, copies)
            try:
                return open_database(url)
            except sa.exc.DatabaseError as error:
                if not is_damage(error.orig or error):
                    raise DataUnusable(path, str(error.orig)) from error
                self._restore(path, copies)
                return open_database(url)

    def journal(self, path: Path, *, quota_bytes: int, quarantine_bytes: int) -> Journal:
        """The journal, and the quarantine beside it."""
        with self._refusing(path):
            self._quarantine(path.with_name("quarantine.db"))
            if finish_rebuilding(path):
                self._report(own_data.JOURNAL_REBUILT, path)
            if _damage(path):
                self._rebuild_journal(path)
            try:
                return Journal(path, quota_bytes=quota_bytes, quarantine_bytes=quarantine_bytes)
            except FileDamaged:
                self._rebuild_journal(path)
                return Journal(path, quota_bytes=quota_bytes, quarantine_bytes=quarantine_bytes)

    def store(self, url: str, *, thorough: bool = False) -> TimeSeriesStore:
        """The time-series store. The embedded one is history only: whatever is wrong with its file must not stop alerts.

        *thorough* reads all of the file, which may take minutes.
        """
        path = self._data / "timeseries.db"
        if url != "embedded":
            return open_store(url, self._data)
        with self._refusing(path):
            try:
                if path.is_file() and _damage(path, most_bytes=_ALL if thorough else 0):
                    self._set_aside(path, own_data.HISTORY_REBUILT)
                return open_store(url, self._data)
            except DiskFull:
                raise
            except (StoreUnavailable, ValueError, sqlite3.Error) as error:
                log.error("store.unusable", file=path.name, reason=str(error))  # noqa: TRY400 - no traceback helps
                self._set_aside(path, own_data.HISTORY_REBUILT)
                return EmbeddedStore(path)

    def minor(self, path: Path, read: Callable[[bytes], object]) -> None:
        """A file whose loss costs little: set aside where *read* refuses it."""
        try:
            read(path.read_bytes())
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            log.warning("file.unreadable", file=path.name, reason=str(error))
            with contextlib.suppress(OSError):
                self._set_aside(path, own_data.FILE_REBUILT)

    def _quarantine(self, path: Path) -> None:
        try:
            if _damage(path):
                self._set_aside(path, own_data.FILE_REBUILT)
            Quarantine(path).close()
        except FileDamaged:
            self._set_aside(path, own_data.FILE_REBUILT)

    def _rebuild_journal(self, path: Path) -> None:
        aside, count = rebuild_journal(path, self._now_ms)
        self._report(own_data.JOURNAL_REBUILT, path, aside=aside.name, batches=count)

    def _restore(self, path: Path, copies: Copies) -> None:
        copy = copies.newest_good()
        if copy is None and not path.exists():
            return  # the first start
        damaged = copies.put_back(copy, self._now_ms)
        aside = {"aside": damaged.name} if damaged is not None else {}
        if copy is None:
            self._report(own_data.OPERATIONS_NEW, path, **aside)
        else:
            self._report(own_data.OPERATIONS_RESTORED, path, copy_time=made_at(copy), **aside)

    def _set_aside(self, path: Path, rule: str) -> None:
        self._report(rule, path, aside=set_aside(path, self._now_ms).name)

    def _report(self, rule: str, path: Path, **facts: str | int) -> None:
        self._events.add(Event(self._now_ms, rule, path.name, dict(facts)))

    @contextlib.contextmanager
    def _refusing(self, path: Path) -> Iterator[None]:
        """What no recovery can mend becomes one sentence that names file and remedy."""
        try:
            yield
        except (StoreUnavailable, sqlite3.Error, OSError) as error:
            reason = error.reason if isinstance(error, StoreUnavailable) else str(error)
            raise DataUnusable(path, reason) from error


def sqlite_path(url: str) -> Path | None:
    """The file of a database of our own; None for a server."""
    name = "sqlite:///"
    return Path(url.removeprefix(name)) if url.startswith(name) else None


def _damage(path: Path, **limits: int) -> str:
    damage = damage_of(path, **limits)
    if damage:
        log.error("file.damaged", file=path.name, reason=damage)
    return damage
