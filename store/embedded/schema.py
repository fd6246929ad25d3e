"""The embedded store's file: points clustered by series and time, hours rolled up beside them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY,
    device TEXT NOT NULL,
    quantity TEXT NOT NULL,
    channel TEXT NOT NULL,
    UNIQUE (device, quantity, channel)
);
CREATE TABLE IF NOT EXISTS points (
    series INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    value REAL NOT NULL,
    quality INTEGER NOT NULL,
    PRIMARY KEY (series, time_ms)
) WITHOUT ROWID;
-- the newest point of each series; a copy of a row of points
CREATE TABLE IF NOT EXISTS latest (
    series INTEGER PRIMARY KEY,
    time_ms INTEGER NOT NULL,
    value REAL NOT NULL,
    quality INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS hours (
    series INTEGER NOT NULL,
    hour_ms INTEGER NOT NULL,
    n INTEGER NOT NULL,
    total REAL NOT NULL,
    low REAL NOT NULL,
    high REAL NOT NULL,
    opening REAL NOT NULL,
    closing REAL NOT NULL,
    PRIMARY KEY (series, hour_ms)
) WITHOUT ROWID;
-- hours whose points changed since they were last rolled up: read from the points until then
CREATE TABLE IF NOT EXISTS stale_hours (
    series INTEGER NOT NULL,
    hour_ms INTEGER NOT NULL,
    PRIMARY KEY (series, hour_ms)
) WITHOUT ROWID;
-- hours before this one live on in their roll-ups only, and take no more points
CREATE TABLE IF NOT EXISTS closed (one INTEGER PRIMARY KEY CHECK (one = 1), before_ms INTEGER NOT NULL);
INSERT OR IGNORE INTO closed VALUES (1, 0);
"""
_VERSION = 1
_FILL_LATEST = """
INSERT OR IGNORE INTO latest
SELECT p.series, p.time_ms, p.value, p.quality FROM series s JOIN points p
ON p.series = s.id AND p.time_ms = (SELECT max(time_ms) FROM points WHERE series = s.id)
"""
_WRITER_CACHE_KIB = 32_000
_READER_CACHE_KIB = 4_000


def prepare(connection: sqlite3.Connection) -> None:
    """Makes the tables; a file from before the table of newest points gets it filled."""
    connection.executescript(_SCHEMA)
    if connection.execute("PRAGMA user_version").fetchone()[0] < _VERSION:
        connection.execute(_FILL_LATEST)
        connection.execute(f"PRAGMA user_version = {_VERSION}")


def connect(path: Path, *, reader: bool = False) -> sqlite3.Connection:
    """A connection as every one to this file is made; NORMAL is safe here, as the journal holds what a crash loses."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(f"PRAGMA cache_size=-{_READER_CACHE_KIB if reader else _WRITER_CACHE_KIB}")
        if reader:
            connection.execute("PRAGMA query_only=ON")
    except BaseException:
        connection.close()
        raise
    return connection
