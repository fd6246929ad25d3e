"""The embedded store's connections."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from store.sqlite.connections import Connections, check_version, translated
from store.timeseries.embedded.migration import migrate
from store.timeseries.embedded.schema import VERSION, connect, prepare


def open_connections(path: Path) -> Connections:
    """Opens the file, bringing one of an older version up to date first.

    Raises :class:`store.errors.StoreUnavailable`, :class:`store.errors.FileTooNew`.
    """
    name = f"embedded store {path.name}"

    def prepared(connection: sqlite3.Connection) -> None:
        check_version(connection, name, VERSION)
        prepare(connection)

    with translated(name):
        path.parent.mkdir(parents=True, exist_ok=True)
        migrate(path)
    return Connections(path, name=name, connect=connect, prepare=prepared)
