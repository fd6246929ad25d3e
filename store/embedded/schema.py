"""The embedded store's file: points clustered by series and time, hours rolled up beside them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

SCHEMA = """
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
-- hours with new points since they were last rolled up: read from the points until then
CREATE TABLE IF NOT EXISTS stale_hours (
    series INTEGER NOT NULL,
    hour_ms INTEGER NOT NULL,
    PRIMARY KEY (series, hour_ms)
) WITHOUT ROWID;
"""


def connect(path: Path) -> sqlite3.Connection:
    """A connection as every one to this file is made; NORMAL is safe here, as the journal holds what a crash loses."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA cache_size=-32000")
    return connection
