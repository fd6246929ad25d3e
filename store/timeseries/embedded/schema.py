"""The embedded store's file: packed blocks by series and time, and beside them what is not packed yet."""

from __future__ import annotations

import sqlite3
from pathlib import Path

#: of the file; 1 kept a row a point
VERSION = 2
_SCHEMA = """
CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY,
    device TEXT NOT NULL,
    quantity TEXT NOT NULL,
    channel TEXT NOT NULL,
    UNIQUE (device, quantity, channel)
);
-- clustered by series and time: key is series << 44 | first time in ms. A series' blocks never overlap;
-- n is how many points are kept of one, 0 where only the hours are
CREATE TABLE IF NOT EXISTS blocks (
    key INTEGER PRIMARY KEY,
    last_ms INTEGER NOT NULL,
    n INTEGER NOT NULL,
    hours BLOB NOT NULL,
    points BLOB NOT NULL
);
-- writes that are not packed yet, in their order
CREATE TABLE IF NOT EXISTS fresh (seq INTEGER PRIMARY KEY AUTOINCREMENT, readings BLOB NOT NULL);
-- the newest packed point of each series
CREATE TABLE IF NOT EXISTS latest (
    series INTEGER PRIMARY KEY,
    time_ms INTEGER NOT NULL,
    value REAL NOT NULL,
    quality INTEGER NOT NULL
);
-- hours before this one live on in their roll-ups only, and take no more points
CREATE TABLE IF NOT EXISTS closed (one INTEGER PRIMARY KEY CHECK (one = 1), before_ms INTEGER NOT NULL);
INSERT OR IGNORE INTO closed VALUES (1, 0);
-- blocks that could not be read when they were to be merged, as they were found
CREATE TABLE IF NOT EXISTS damaged (
    key INTEGER NOT NULL, last_ms INTEGER NOT NULL, n INTEGER NOT NULL, hours BLOB, points BLOB
);
"""
#: three full blocks of decimals fit, one of random floats. A row that does not fit takes pages of its own; only a
#: table with a whole number for its key lets a row fill a page, hence the key made of two
_PAGE_BYTES = 8_192
_WRITER_CACHE_KIB = 32_000
_READER_CACHE_KIB = 4_000


def prepare(connection: sqlite3.Connection) -> None:
    """Makes the tables."""
    connection.executescript(_SCHEMA)
    if (
        connection.execute("PRAGMA user_version").fetchone()[0] != VERSION
    ):  # a full disk must not hinder a start
        connection.execute(f"PRAGMA user_version = {VERSION}")


def connect(path: Path, /, *, reader: bool = False) -> sqlite3.Connection:
    """A connection as every one to this file is made.

    A write is on the disk when it returns (``FULL``), as the journal's offset moves on behind it.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    try:
        connection.execute(f"PRAGMA page_size={_PAGE_BYTES}")  # of a new file
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA cache_size=-{_READER_CACHE_KIB if reader else _WRITER_CACHE_KIB}")
        if reader:
            connection.execute("PRAGMA query_only=ON")
    except BaseException:
        connection.close()
        raise
    return connection
