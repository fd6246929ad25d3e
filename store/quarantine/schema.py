"""The quarantine's file."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

VERSION = 1
#: the payload is last, so that lists need not read the pages it overflows to
_SCHEMA = """
CREATE TABLE IF NOT EXISTS held (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- the journal's batch it was committed with; 0 for one of another journal
    seq INTEGER NOT NULL,
    source INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    size INTEGER NOT NULL,
    whole INTEGER NOT NULL,
    wanted INTEGER NOT NULL DEFAULT 0,
    code TEXT NOT NULL,
    topic TEXT NOT NULL,
    address TEXT NOT NULL,
    decoder TEXT NOT NULL,
    quantities TEXT NOT NULL,
    detail TEXT NOT NULL,
    payload BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS held_source ON held (source, id, bytes);
CREATE INDEX IF NOT EXISTS held_seq ON held (seq) WHERE seq != 0;
CREATE INDEX IF NOT EXISTS held_code ON held (code, id);
CREATE INDEX IF NOT EXISTS held_unread ON held (id) WHERE code != 'unregistered';
CREATE INDEX IF NOT EXISTS held_device ON held (address, decoder, time_ms, id) WHERE code = 'unregistered';
CREATE INDEX IF NOT EXISTS held_address ON held (address, id) WHERE address != '';
CREATE INDEX IF NOT EXISTS held_wanted ON held (id) WHERE wanted = 1;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


def make(path: Path) -> None:
    """Makes a new file so that a purge gives its room back to the disk, which is settled before anything is in it."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as new:
        new.execute("PRAGMA auto_vacuum=INCREMENTAL")
        new.execute("CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)")


def prepare(connection: sqlite3.Connection) -> None:
    """Makes the tables."""
    connection.executescript(_SCHEMA)
    if (
        connection.execute("PRAGMA user_version").fetchone()[0] != VERSION
    ):  # a full disk must not hinder a start
        connection.execute(f"PRAGMA user_version = {VERSION}")
