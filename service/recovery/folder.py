"""The data folder of one running service: locked, private, every file of it open."""

from __future__ import annotations

import contextlib

from campus.site import Site
from ingest.decoding.formats.sparkplug.births import Births
from service.lock import DataLock
from service.recovery.copies import Copies
from service.recovery.event import EventLog
from service.recovery.opening import Opener, sqlite_path
from service.recovery.permissions import make_private
from service.settings import ServiceSettings

_MEBIBYTE = 1024 * 1024


class DataFolder:
    """Opens on making; what was opened is closed again where that fails. See :class:`service.recovery.opening.Opener`."""

    def __init__(self, settings: ServiceSettings, site: Site, *, now_ms: int) -> None:
        data = settings.data
        with contextlib.ExitStack() as opened:
            wide = make_private(data, now_ms)
            lock = DataLock(data)
            lock.acquire()
            opened.callback(lock.release)
            self.events = EventLog(data)
            for event in wide:
                self.events.add(event)
            opener = Opener(data, self.events, now_ms=now_ms)
            #: the operations database's file; None where it is a server's
            self.operations = sqlite_path(settings.operations_url())
            self.copies = Copies(data, self.operations)
            self.database = opener.operations(settings.operations_url(), self.copies)
            opened.callback(self.database.dispose)
            self.journal = opener.journal(
                data / "journal.db",
                quota_bytes=site.journal_quota_mb * _MEBIBYTE,
                quarantine_bytes=site.quarantine_quota_mb * _MEBIBYTE,
            )
            opened.callback(self.journal.close)
            self.store = opener.store(site.store)
            opened.callback(self.store.close)
            opener.minor(data / "births.msgpack", Births().restore)
            self._opened = opened.pop_all()

    def close(self, now_ms: int) -> None:
        """Copies the operations database a last time, and closes everything."""
        self.copies.make(now_ms)
        self._opened.close()
