"""Connections to one SQLite file of ours: one writer behind a lock, and readers that are lent out."""

from __future__ import annotations

import contextlib
import errno
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from store.errors import DiskFull, FileDamaged, FileTooNew, StoreUnavailable

_BUSY_S = 10
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
#: what an error's low byte is; the rest tells where in SQLite it arose
_PRIMARY = 0xFF


class Connect(Protocol):
    """Makes a connection without a transaction of the driver's own (``isolation_level=None``)."""

    def __call__(self, path: Path, /, *, reader: bool) -> sqlite3.Connection: ...


class Connections:
    """Thread-safe. A reader belongs to one thread while it reads and is then lent to the next one.

    Readers are lent, not kept per thread, because a web server's threads come and go: there are never more than
    were reading at once. Each sees one state of the file from its first to its last query.

    *prepare* brings the file's tables up to date, on the writer. *name* is the file's in errors, which are
    :class:`store.errors.StoreUnavailable` and the kinds of it.
    """

    def __init__(
        self, path: Path, *, name: str, connect: Connect, prepare: Callable[[sqlite3.Connection], None]
    ) -> None:
        self._path = path
        self._name = name
        self._connect = connect
        self._write_lock = threading.Lock()
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        #: what SQLite found wrong with the file since it was opened; empty while nothing
        self.damage = ""
        with translated(name):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = connect(path, reader=False)
            try:
                prepare(self._writer)
            except BaseException:
                self._writer.close()
                raise

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction of the writer, undone as a whole by any error."""
        with self._write_lock, self._translated():
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                # some errors, a full disk among them, have ended the transaction already
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def outside(self) -> Iterator[sqlite3.Connection]:
        """The writer without a transaction, for what SQLite does in none."""
        with self._write_lock, self._translated():
            yield self._writer

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one state of the file."""
        with self._translated():
            connection = self._borrow()
            try:
                connection.execute("BEGIN")
                try:
                    yield connection
                finally:
                    connection.execute("COMMIT")
            except BaseException:
                connection.close()
                raise
            self._give_back(connection)

    def close(self) -> None:
        """Closes the writer and idle readers at once, busy readers when they are done."""
        with self._write_lock:
            self._writer.close()
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            with translated(self._name):
                yield
        except FileDamaged as error:
            self.damage = error.reason
            raise

    def _borrow(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise StoreUnavailable(self._name, "it is closed")
            if self._idle:
                return self._idle.pop()
        return self._connect(self._path, reader=True)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()


def connect_durable(path: Path, /, *, reader: bool) -> sqlite3.Connection:
    """A connection whose commits survive a power cut: WAL mode, ``synchronous=FULL``."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_BUSY_S)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        if reader:
            connection.execute("PRAGMA query_only=ON")
    except BaseException:
        connection.close()
        raise
    return connection


def check_version(connection: sqlite3.Connection, name: str, known: int) -> int:
    """The file's version, 0 for one that never had any; raises :class:`store.errors.FileTooNew` beyond *known*."""
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > known:
        raise FileTooNew(name, found, known)
    return found


@contextlib.contextmanager
def translated(name: str) -> Iterator[None]:
    """SQLite's and the system's errors as ours, about the file of that *name*."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise _ours(name, error) from error


def is_damage(error: BaseException) -> bool:
    """Whether SQLite said that the file itself is broken."""
    return (getattr(error, "sqlite_errorcode", 0) & _PRIMARY) in _DAMAGED


def _ours(name: str, error: Exception) -> StoreUnavailable:
    if is_damage(error):
        return FileDamaged(name, str(error))
    full = (getattr(error, "sqlite_errorcode", 0) & _PRIMARY) == sqlite3.SQLITE_FULL
    if full or (isinstance(error, OSError) and error.errno == errno.ENOSPC):
        return DiskFull(name)
    return StoreUnavailable(name, str(error))
