"""Messages that could not be used, with the reason and the raw payload: bounded, viewable, replayable.

They live in the journal's file, so that a message is quarantined in the same transaction that acknowledges it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

import msgspec

#: more than this of one payload is not kept
KEPT_PAYLOAD_BYTES = 64 * 1024
#: entries kept; the oldest go first
KEPT_ENTRIES = 50_000

SCHEMA = """
CREATE TABLE IF NOT EXISTS quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time_ms INTEGER NOT NULL,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    size INTEGER NOT NULL,
    code TEXT NOT NULL,
    detail TEXT NOT NULL,
    address TEXT NOT NULL,
    decoder TEXT NOT NULL,
    quantities TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS quarantine_address ON quarantine (address) WHERE address != '';
"""
UNREGISTERED = "unregistered"
#: not a message but a reading that the time-series store will never take; its message is journaled
REFUSED = "store_refused"


class QuarantineEntry(msgspec.Struct, frozen=True):
    """One message held back. *address*, *decoder* and *quantities* are known for unregistered devices.

    *size* is the payload's original length where only its beginning was kept.
    """

    time_ms: int
    topic: str
    payload: bytes
    code: str
    detail: str
    address: str = ""
    decoder: str = ""
    quantities: tuple[str, ...] = ()
    size: int = 0
    id: int = 0


class UnregisteredDevice(msgspec.Struct, frozen=True):
    """A device that sends and is not in the register, as its held messages tell."""

    address: str
    decoder: str
    topic: str
    count: int
    last_ms: int
    quantities: tuple[str, ...]


def insert(connection: sqlite3.Connection, entries: Sequence[QuarantineEntry]) -> None:
    """Adds *entries* within the caller's transaction and drops the oldest beyond the bound."""
    if not entries:
        return
    connection.executemany(
        "INSERT INTO quarantine (time_ms, topic, payload, size, code, detail, address, decoder, quantities)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                one.time_ms, one.topic, one.payload[:KEPT_PAYLOAD_BYTES], one.size or len(one.payload), one.code,
                one.detail, one.address, one.decoder, ",".join(one.quantities),
            )
            for one in entries
        ],
    )  # fmt: skip
    connection.execute(
        "DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - ?",
        (KEPT_ENTRIES,),
    )


def remove(connection: sqlite3.Connection, ids: Iterable[int]) -> None:
    """Removes entries within the caller's transaction."""
    connection.executemany("DELETE FROM quarantine WHERE id = ?", [(one,) for one in ids])


def select(
    connection: sqlite3.Connection,
    *,
    limit: int,
    before_id: int | None = None,
    code: str = "",
    address: str = "",
) -> list[QuarantineEntry]:
    """Entries, newest first."""
    rows = connection.execute(
        "SELECT time_ms, topic, payload, code, detail, address, decoder, quantities, size, id FROM quarantine"
        " WHERE (? IS NULL OR id < ?) AND (? = '' OR code = ?) AND (? = '' OR address = ?)"
        " ORDER BY id DESC LIMIT ?",
        (before_id, before_id, code, code, address, address, limit),
    )
    return [_entry(row) for row in rows]


def of_address(
    connection: sqlite3.Connection, address: str, *, after_id: int, limit: int
) -> list[QuarantineEntry]:
    """What one device's messages are, oldest first, from after *after_id*."""
    rows = connection.execute(
        "SELECT time_ms, topic, payload, code, detail, address, decoder, quantities, size, id FROM quarantine"
        " WHERE address = ? AND address != '' AND id > ? ORDER BY id LIMIT ?",
        (address, after_id, limit),
    )
    return [_entry(row) for row in rows]


def by_id(connection: sqlite3.Connection, entry_id: int) -> QuarantineEntry | None:
    """One entry with its payload."""
    row = connection.execute(
        "SELECT time_ms, topic, payload, code, detail, address, decoder, quantities, size, id FROM quarantine WHERE id = ?",
        (entry_id,),
    ).fetchone()
    return None if row is None else _entry(row)


def unregistered(connection: sqlite3.Connection) -> list[UnregisteredDevice]:
    """Every unregistered device, the one heard last first."""
    rows = connection.execute(
        "SELECT address, decoder, topic, count(*), max(time_ms), quantities FROM quarantine"
        " WHERE code = ? GROUP BY address, decoder ORDER BY max(time_ms) DESC LIMIT 1000",
        (UNREGISTERED,),
    )
    return [
        UnregisteredDevice(
            address, decoder, topic, count, last_ms, tuple(filter(None, quantities.split(",")))
        )
        for address, decoder, topic, count, last_ms, quantities in rows
    ]


def _entry(row: tuple[int, str, bytes, str, str, str, str, str, int, int]) -> QuarantineEntry:
    time_ms, topic, payload, code, detail, address, decoder, quantities, size, entry_id = row
    names = tuple(filter(None, quantities.split(",")))
    return QuarantineEntry(time_ms, topic, payload, code, detail, address, decoder, names, size, entry_id)
