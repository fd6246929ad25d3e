"""The quarantine's file beside the journal's: a budget of its own, so that junk never stops a reading.

An entry is written before the journal's batch it belongs to, and carries that batch's number: one whose batch was
never committed is known by it and dropped, as the broker delivers its message again.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from store.errors import StoreError
from store.quarantine.entry import (
    QuarantineEntry,
    UnregisteredDevice,
    bounded,
    cost_bytes,
    source_of,
)
from store.quarantine.schema import VERSION, make, prepare
from store.quarantine.selection import Selection
from store.quarantine.tally import Tally
from store.sqlite.aside import set_aside
from store.sqlite.connections import Connections, check_version, connect_durable, translated

DEFAULT_BUDGET_BYTES = 256 * 1024 * 1024
#: entries kept at most, however small
MOST_ENTRIES = 50_000
#: room is made for more than one entry, so that it need not be made with each
_ROOM_LEFT = 0.95
_ROWS_AT_ONCE = 100
_PURGED_AT_ONCE = 1_000
_MOST_DEVICES = 1_000
#: stands for a batch where an older version's entries are being brought over
_BROUGHT = -1
_COLUMNS = "time_ms, topic, {payload}, code, detail, address, decoder, quantities, size, id, whole"


class Usage(msgspec.Struct, frozen=True):
    """What the quarantine holds. *dropped* counts entries that had to make room, *lost* those that could not be written
    since the start.
    """

    entries: int
    bytes: int
    budget_bytes: int
    dropped: int
    lost: int


class Quarantine:
    """Thread-safe. Raises :class:`store.errors.StoreUnavailable` where its file cannot be used."""

    def __init__(self, path: Path, *, budget_bytes: int = DEFAULT_BUDGET_BYTES) -> None:
        self.path = path
        self._budget_bytes = budget_bytes
        self._lock = threading.RLock()
        self._open()
        self._dropped = 0
        self.lost = 0

    def _open(self) -> None:
        name = f"quarantine {self.path.name}"

        def prepared(connection: sqlite3.Connection) -> None:
            check_version(connection, name, VERSION)
            prepare(connection)

        with translated(name):
            make(self.path)
        self._connections = Connections(self.path, name=name, connect=connect_durable, prepare=prepared)
        with self._connections.reading() as connection:
            self._tally = _tally(connection)

    @property
    def damage(self) -> str:
        """What SQLite found wrong with the file since it was opened; empty while nothing."""
        return self._connections.damage

    def rebuild(self, now_ms: int) -> Path:
        """Sets the damaged file aside and goes on with an empty one; returns where the damaged one is."""
        with self._lock:
            self._connections.close()
            # a call before this one may have come no further
            aside = set_aside(self.path, now_ms) if self.path.exists() else self.path
            self._open()
        return aside

    def settle(self, journal_id: str, last_seq: int, released: Iterable[int]) -> None:
        """Brings the file into step with the journal it is opened with.

        Entries of the batch after *last_seq* were never committed; *released* left with a batch that was.
        """
        with self._changing() as connection:
            row = connection.execute("SELECT value FROM facts WHERE name = 'journal'").fetchone()
            if row is not None and row[0] == journal_id:
                self._delete(connection, "seq = ?", [last_seq + 1])
                for entry_id in released:
                    self._delete(connection, "id = ?", [entry_id])
            # what a journal that was replaced or put back knew as later batches are others now
            mine = row is not None and row[0] == journal_id
            connection.execute("UPDATE held SET seq = 0 WHERE seq > ?", (last_seq if mine else 0,))
            connection.execute("INSERT OR REPLACE INTO facts VALUES ('journal', ?)", (journal_id,))

    def insert(self, entries: Sequence[QuarantineEntry], *, seq: int) -> None:
        """Adds *entries* of the batch *seq* that is about to be committed, and makes room for them.

        A second call for the same batch replaces the first, whose commit failed.
        """
        with self._changing() as connection:
            self._delete(connection, "seq = ?", [seq])
            for entry in map(bounded, entries):
                self._insert(connection, entry, seq)
            self._make_room(connection)

    def bring(self, older: Iterable[Sequence[QuarantineEntry]]) -> None:
        """Takes over what an older version held elsewhere; broken off, it begins anew."""
        with self._changing() as connection:
            for number, entries in enumerate(older):
                if number == 0:
                    self._delete(connection, "seq = ?", [_BROUGHT])
                for entry in map(bounded, entries):
                    self._insert(connection, entry, _BROUGHT)
                self._make_room(connection)

    def remove(self, ids: Iterable[int]) -> None:
        """Removes entries that became readings."""
        with self._changing() as connection:
            for entry_id in ids:
                self._delete(connection, "id = ?", [entry_id])

    def purge(self, selection: Selection) -> int:
        """Removes what is meant, a part at a time so that others can write in between; returns how many."""
        where, values = selection.where()
        purged = 0
        while True:
            with self._changing() as connection:
                chosen = f"id IN (SELECT id FROM held WHERE {where} LIMIT {_PURGED_AT_ONCE})"  # noqa: S608 - only our own terms
                count = self._delete(connection, chosen, values)
            purged += count
            if count < _PURGED_AT_ONCE:
                break
        if purged:
            with self._connections.outside() as connection:
                # as a script, as execute() would stop at the first page
                connection.executescript("PRAGMA incremental_vacuum")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return purged

    def want(self, selection: Selection) -> int:
        """Asks for what is meant to be replayed; the running service takes it with :meth:`take_wanted`. How many."""
        where, values = selection.where()
        with self._connections.writing() as connection:
            query = f"UPDATE held SET wanted = 1 WHERE whole = 1 AND {where}"  # noqa: S608 - only our own terms
            return connection.execute(query, values).rowcount

    def take_wanted(self, limit: int = _ROWS_AT_ONCE) -> list[QuarantineEntry]:
        """Entries somebody wants replayed, the oldest first; each is given once."""
        if not self.select(Selection(), limit=1, wanted=True):
            return []
        found = self.select(Selection(), limit=limit, wanted=True, oldest_first=True, payload_bytes=None)
        with self._connections.writing() as connection:
            connection.executemany("UPDATE held SET wanted = 0 WHERE id = ?", [(one.id,) for one in found])
        return found

    def select(
        self,
        selection: Selection,
        *,
        limit: int,
        after_id: int = 0,
        payload_bytes: int | None = 0,
        oldest_first: bool = False,
        wanted: bool = False,
    ) -> list[QuarantineEntry]:
        """What is meant, newest first, with the beginning of each payload (None: all of it)."""
        where, values = selection.where()
        where += " AND wanted = 1" if wanted else ""
        payload = "payload" if payload_bytes is None else f"substr(payload, 1, {payload_bytes})"
        if payload_bytes == 0:
            payload = "x''"
        query = (
            f"SELECT {_COLUMNS.format(payload=payload)} FROM held WHERE id > ? AND {where}"  # noqa: S608 - only our own terms
            f" ORDER BY id {'' if oldest_first else 'DESC'} LIMIT ?"
        )
        with self._connections.reading() as connection:
            return [_entry(row) for row in connection.execute(query, [after_id, *values, limit])]

    def unregistered(self) -> list[UnregisteredDevice]:
        """Unregistered devices, the one heard last first, a thousand at most."""
        query = (
            "SELECT address, decoder, count(*), max(time_ms), max(id) FROM held WHERE code = 'unregistered'"
            " GROUP BY address, decoder ORDER BY 4 DESC, 5 DESC LIMIT ?"
        )
        with self._connections.reading() as connection:
            found = connection.execute(query, (_MOST_DEVICES,)).fetchall()
            devices = []
            for address, decoder, count, last_ms, newest in found:
                topic, quantities = connection.execute(
                    "SELECT topic, quantities FROM held WHERE id = ?", (newest,)
                ).fetchone()
                devices.append(
                    UnregisteredDevice(address, decoder, topic, count, last_ms, _names(quantities))
                )
        return devices

    def usage(self) -> Usage:
        """How full it is."""
        with self._lock:
            return Usage(self._tally.entries, self._tally.bytes, self._budget_bytes, self._dropped, self.lost)

    def close(self) -> None:
        """Closes the file."""
        self._connections.close()

    @contextlib.contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """A transaction; the sums are right again where it was undone."""
        with self._lock:
            try:
                with self._connections.writing() as connection:
                    yield connection
            except BaseException:
                with contextlib.suppress(StoreError), self._connections.reading() as connection:
                    self._tally = _tally(connection)
                raise

    def _insert(self, connection: sqlite3.Connection, entry: QuarantineEntry, seq: int) -> None:
        source, size_bytes = source_of(entry), cost_bytes(entry)
        connection.execute(
            "INSERT INTO held (seq, source, bytes, time_ms, size, whole, code, topic, address, decoder, quantities,"
            " detail, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                seq, source, size_bytes, entry.time_ms, entry.size, entry.whole, entry.code, entry.topic,
                entry.address, entry.decoder, ",".join(entry.quantities), entry.detail, entry.payload,
            ),
        )  # fmt: skip
        self._tally.add(source, size_bytes)

    def _delete(self, connection: sqlite3.Connection, where: str, values: Sequence[object]) -> int:
        query = f"DELETE FROM held WHERE {where} RETURNING source, bytes"  # noqa: S608 - only our own terms
        gone = connection.execute(query, values).fetchall()
        for source, size_bytes in gone:
            self._tally.add(source, -size_bytes, -1)
        return len(gone)

    def _make_room(self, connection: sqlite3.Connection) -> None:
        """Drops the oldest of whoever has most, until there is some room."""
        if self._tally.bytes <= self._budget_bytes and self._tally.entries <= MOST_ENTRIES:
            return
        most_bytes, most_entries = _ROOM_LEFT * self._budget_bytes, _ROOM_LEFT * MOST_ENTRIES
        while (excess_bytes := self._tally.bytes - most_bytes) > 0 or self._tally.entries > most_entries:
            by_entries = excess_bytes <= 0
            source = self._tally.greatest(by_entries=by_entries)
            rows = connection.execute(
                "SELECT id, bytes FROM held WHERE source = ? ORDER BY id LIMIT ?", (source, _ROWS_AT_ONCE)
            ).fetchall()
            if not rows:  # another process has purged the file
                self._tally = _tally(connection)
                continue
            excess = self._tally.entries - most_entries if by_entries else excess_bytes
            for entry_id, size_bytes in rows:
                self._dropped += self._delete(connection, "id = ?", [entry_id])
                excess -= 1 if by_entries else size_bytes
                if excess <= 0:
                    break


def _tally(connection: sqlite3.Connection) -> Tally:
    return Tally(connection.execute("SELECT source, sum(bytes), count(*) FROM held GROUP BY source"))


def _entry(row: tuple[int, str, bytes, str, str, str, str, str, int, int, int]) -> QuarantineEntry:
    time_ms, topic, payload, code, detail, address, decoder, quantities, size, entry_id, whole = row
    return QuarantineEntry(
        time_ms, topic, payload, code, detail, address, decoder, _names(quantities), size, entry_id, bool(whole)
    )  # fmt: skip


def _names(joined: str) -> tuple[str, ...]:
    return tuple(filter(None, joined.split(",")))
