"""The journal's file: its tables, and what brings one of an older version up to date."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator

from store.quarantine import QuarantineEntry
from store.sqlite.connections import check_version

#: of the file; 0 had no identity, and held back messages in the same file
VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    committed_ms INTEGER NOT NULL,
    readings BLOB NOT NULL,
    fingerprints BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS offsets (consumer TEXT PRIMARY KEY, seq INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS counts (
    one INTEGER PRIMARY KEY CHECK (one = 1), journaled INTEGER, quarantined INTEGER, duplicates INTEGER, ignored INTEGER,
    limited INTEGER NOT NULL DEFAULT 0
);
INSERT OR IGNORE INTO counts (one, journaled, quarantined, duplicates, ignored) VALUES (1, 0, 0, 0, 0);
-- quarantine entries that became readings of a committed batch, until the quarantine has dropped them
CREATE TABLE IF NOT EXISTS released (id INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_OLD_ROWS_AT_ONCE = 500
#: of what an older version held; more than fits the quarantine's budget is not worth reading
_OLD_ROWS = 50_000


def prepare(connection: sqlite3.Connection) -> None:
    """Makes the tables and the journal's identity; raises :class:`store.errors.FileTooNew`."""
    check_version(connection, "journal.db", VERSION)
    connection.executescript(_SCHEMA)
    columns = {row[1] for row in connection.execute("PRAGMA table_info(counts)")}
    if "limited" not in columns:
        connection.execute("ALTER TABLE counts ADD COLUMN limited INTEGER NOT NULL DEFAULT 0")
    connection.execute("INSERT OR IGNORE INTO facts VALUES ('id', ?)", (uuid.uuid4().hex,))
    if (
        connection.execute("PRAGMA user_version").fetchone()[0] != VERSION
    ):  # a full disk must not hinder a start
        connection.execute(f"PRAGMA user_version = {VERSION}")


def identity(connection: sqlite3.Connection) -> str:
    """What tells this journal from every other."""
    return str(connection.execute("SELECT value FROM facts WHERE name = 'id'").fetchone()[0])


def old_quarantine(connection: sqlite3.Connection) -> Iterator[list[QuarantineEntry]]:
    """What a journal of version 0 held back in its own file, the oldest first."""
    if not _has_old_quarantine(connection):
        return
    rows = connection.execute(
        "SELECT time_ms, topic, payload, code, detail, address, decoder, quantities, size FROM quarantine"
        " WHERE id > (SELECT max(id) FROM quarantine) - ? ORDER BY id",
        (_OLD_ROWS,),
    )
    while some := rows.fetchmany(_OLD_ROWS_AT_ONCE):
        yield [
            QuarantineEntry(time_ms, topic, payload, code, detail, address, decoder, _names(quantities), size)
            for time_ms, topic, payload, code, detail, address, decoder, quantities, size in some
        ]


def drop_old_quarantine(connection: sqlite3.Connection) -> None:
    """Gives the room back to readings, once it was brought to its own file."""
    if _has_old_quarantine(connection):
        connection.execute("DROP TABLE quarantine")


def _has_old_quarantine(connection: sqlite3.Connection) -> bool:
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'quarantine'"
    return connection.execute(query).fetchone() is not None


def _names(joined: str) -> tuple[str, ...]:
    return tuple(filter(None, joined.split(",")))
