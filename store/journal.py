"""The journal: one append-only log of decoded readings, the spine of the service.

One SQLite file in WAL mode with ``synchronous=FULL``: when :meth:`Journal.append` returns, the batch survives a
power cut. Quarantine, counts and the fingerprints of recent messages are committed in the same transaction, so that
what is acknowledged to the broker afterwards is wholly accounted for.

The journal also carries time: every batch has ``committed_ms``, which never goes backwards, and a quiet service
appends empty batches. What reads it needs no clock.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from campus.reading import Reading
from store import codec, quarantine
from store.counts import Counts
from store.errors import JournalDamaged, JournalFull
from store.quarantine import QuarantineEntry, UnregisteredDevice
from store.recent import Batch, Recent

_SCHEMA = (
    """
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
"""
    + quarantine.SCHEMA
)
#: beyond the quota, only heartbeats and quarantine are still written, up to this much
_RESERVE_BYTES = 16 * 1024 * 1024


class Journal:
    """Thread-safe; one writer at a time, readers never wait for it."""

    def __init__(self, path: Path, *, quota_bytes: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._quota_bytes = quota_bytes
        self._writer = self._connect()
        self._writer.execute("PRAGMA journal_mode=WAL")
        self._writer.executescript(_SCHEMA)
        _add_what_is_missing(self._writer)
        self._write_lock = threading.Lock()
        self._readers = threading.local()
        self._all_readers: list[sqlite3.Connection] = []
        self._grown = threading.Condition()
        self._recent = Recent()
        last = self._writer.execute(
            "SELECT seq, committed_ms FROM batches ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        self._last_seq: int = last[0] if last else self._next_free_seq() - 1
        self._last_ms: int = last[1] if last else 0
        self._page_bytes = int(self._writer.execute("PRAGMA page_size").fetchone()[0])

    def append(
        self,
        readings: Sequence[Reading],
        *,
        committed_ms: int,
        fingerprints: Sequence[int] = (),
        quarantined: Sequence[QuarantineEntry] = (),
        released: Sequence[int] = (),
        counts: Counts | None = None,
    ) -> int:
        """Commits a batch and returns its *seq*; raises :class:`JournalFull` with nothing written.

        *released* are quarantine entries whose readings this batch holds now.
        """
        encoded = codec.encode(readings)
        prints = msgspec.msgpack.encode(list(fingerprints)) if fingerprints else b""
        with self._write_lock:
            self._check_quota(len(encoded))
            moment_ms = max(committed_ms, self._last_ms)
            with self._transaction() as connection:
                cursor = connection.execute(
                    "INSERT INTO batches (committed_ms, readings, fingerprints) VALUES (?, ?, ?)",
                    (moment_ms, encoded, prints),
                )
                quarantine.insert(connection, quarantined)
                quarantine.remove(connection, released)
                if counts is not None:
                    connection.execute(
                        "UPDATE counts SET journaled = journaled + ?, quarantined = quarantined + ?,"
                        " duplicates = duplicates + ?, ignored = ignored + ?,"
                        " limited = limited + ?",
                        msgspec.structs.astuple(counts),
                    )
            seq = int(cursor.lastrowid or 0)
            self._last_ms = moment_ms
            self._recent.add(Batch(seq, moment_ms, tuple(readings)))
        with self._grown:
            self._last_seq = seq
            self._grown.notify_all()
        return seq

    def read(self, after_seq: int, *, max_batches: int = 256) -> list[Batch]:
        """Batches after *after_seq*, in order; raises :class:`JournalDamaged` where the next one cannot be read."""
        recent = self._recent.after(after_seq, max_batches)
        if recent is not None:
            return recent
        rows = self._reader().execute(
            "SELECT seq, committed_ms, readings FROM batches WHERE seq > ? ORDER BY seq LIMIT ?",
            (after_seq, max_batches),
        )
        batches: list[Batch] = []
        for seq, committed_ms, encoded in rows.fetchall():
            try:
                batches.append(Batch(seq, committed_ms, codec.decode(encoded)))
            except (ValueError, msgspec.MsgspecError) as error:
                if batches:  # those before it are good; the caller meets it at its next call
                    break
                raise JournalDamaged(seq, str(error)) from error
        return batches

    def wait(self, after_seq: int, timeout_s: float) -> bool:
        """Waits until there is a batch after *after_seq*; False when there is none in time."""
        with self._grown:
            return self._grown.wait_for(lambda: self._last_seq > after_seq, timeout_s)

    def last_seq(self) -> int:
        """The newest batch's number, 0 before the first."""
        with self._grown:
            return self._last_seq

    def last_time_ms(self) -> int:
        """The newest batch's time, 0 before the first."""
        with self._write_lock:
            return self._last_ms

    def offset(self, consumer: str) -> int:
        """Where *consumer* is; 0 for a new one."""
        row = self._reader().execute("SELECT seq FROM offsets WHERE consumer = ?", (consumer,)).fetchone()
        return int(row[0]) if row else 0

    def save_offset(self, consumer: str, seq: int) -> None:
        """Keeps *consumer*'s position."""
        with self._write_lock, self._transaction() as connection:
            connection.execute(
                "INSERT INTO offsets VALUES (?, ?) ON CONFLICT (consumer) DO UPDATE SET seq = excluded.seq",
                (consumer, seq),
            )

    def trim(self, before_seq: int) -> int:
        """Forgets batches before *before_seq*, always keeping the newest; returns how many."""
        with self._write_lock, self._transaction() as connection:
            return connection.execute(
                "DELETE FROM batches WHERE seq < ? AND seq < ?", (before_seq, self._last_seq)
            ).rowcount

    def counts(self) -> Counts:
        """What became of all messages since the journal was made."""
        row = (
            self._reader()
            .execute("SELECT journaled, quarantined, duplicates, ignored, limited FROM counts")
            .fetchone()
        )
        return Counts(*row)

    def recent_fingerprints(self, limit: int) -> Counter[int]:
        """Fingerprints of at least the newest *limit* messages, as far as batches are kept."""
        found: Counter[int] = Counter()
        rows = self._reader().execute(
            "SELECT fingerprints FROM batches WHERE fingerprints != x'' ORDER BY seq DESC"
        )
        for (encoded,) in rows:
            found.update(msgspec.msgpack.decode(encoded, type=list[int]))
            if found.total() >= limit:
                break
        return found

    def quarantined(
        self, *, limit: int = 100, before_id: int | None = None, code: str = "", address: str = ""
    ) -> list[QuarantineEntry]:
        """Held messages, newest first."""
        return quarantine.select(self._reader(), limit=limit, before_id=before_id, code=code, address=address)

    def quarantined_of(self, address: str, *, after_id: int = 0, limit: int = 500) -> list[QuarantineEntry]:
        """Held messages of one device, oldest first."""
        return quarantine.of_address(self._reader(), address, after_id=after_id, limit=limit)

    def quarantine_entry(self, entry_id: int) -> QuarantineEntry | None:
        """One held message."""
        return quarantine.by_id(self._reader(), entry_id)

    def unregistered(self) -> list[UnregisteredDevice]:
        """Devices that send but are not registered."""
        return quarantine.unregistered(self._reader())

    def size_bytes(self) -> int:
        """What the journal's live pages take; free pages inside the file do not count."""
        return self._used_bytes(self._reader())

    def nearly_full(self) -> bool:
        """Whether nine tenths of the quota are used."""
        return self.size_bytes() > 0.9 * self._quota_bytes

    def close(self) -> None:
        """Closes every connection of this journal."""
        with self._write_lock:
            self._writer.close()
        for connection in self._all_readers:
            connection.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            yield self._writer
        except BaseException:
            self._writer.execute("ROLLBACK")
            raise
        self._writer.execute("COMMIT")

    def _check_quota(self, growth_bytes: int) -> None:
        size_bytes = self._used_bytes(self._writer) + growth_bytes
        quota_bytes = self._quota_bytes + (0 if growth_bytes else _RESERVE_BYTES)
        if size_bytes > quota_bytes:
            raise JournalFull(size_bytes, quota_bytes)

    def _used_bytes(self, connection: sqlite3.Connection) -> int:
        pages = int(connection.execute("PRAGMA page_count").fetchone()[0])
        free = int(connection.execute("PRAGMA freelist_count").fetchone()[0])
        return (pages - free) * self._page_bytes

    def _next_free_seq(self) -> int:
        row = self._writer.execute("SELECT seq FROM sqlite_sequence WHERE name = 'batches'").fetchone()
        return int(row[0]) + 1 if row else 1

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._readers, "connection", None)
        if connection is None:
            connection = self._connect()
            self._readers.connection = connection
            self._all_readers.append(connection)
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=10)
        connection.execute("PRAGMA synchronous=FULL")
        return connection


def _add_what_is_missing(connection: sqlite3.Connection) -> None:
    """Brings a journal of an older version up to date."""
    columns = {row[1] for row in connection.execute("PRAGMA table_info(counts)")}
    if "limited" not in columns:
        connection.execute("ALTER TABLE counts ADD COLUMN limited INTEGER NOT NULL DEFAULT 0")
