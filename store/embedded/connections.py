"""The embedded store's connections: one writer behind a lock, and readers that are lent out."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from store.embedded.migration import migrate
from store.embedded.schema import connect, prepare
from store.errors import StoreUnavailable


class Connections:
    """Thread-safe. A reader belongs to one thread while it reads and is then lent to the next one.

    Readers are lent, not kept per thread, because a web server's threads come and go: there are never more than
    were reading at once. Each sees one state of the file from its first to its last query.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._write_lock = threading.Lock()
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        with self._translated():
            path.parent.mkdir(parents=True, exist_ok=True)
            migrate(path)
            self._writer = connect(path)
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
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

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

    def _borrow(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise StoreUnavailable(self._name, "it is closed")
            if self._idle:
                return self._idle.pop()
        return connect(self._path, reader=True)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    @property
    def _name(self) -> str:
        return f"embedded store {self._path.name}"

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(self._name, str(error)) from error
