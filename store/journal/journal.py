"""The journal: one append-only log of decoded readings, the spine of the service.

One SQLite file in WAL mode with ``synchronous=FULL``: when :meth:`Journal.append` returns, the batch survives a
power cut. Counts and the fingerprints of recent messages are committed in the same transaction, and what is held
back just before it (see :mod:`store.quarantine`), so that what is acknowledged to the broker afterwards is wholly
accounted for.

The journal also carries time: every batch has ``committed_ms``, and a quiet service appends empty batches. What reads
it needs no clock. Time does not go backwards, but where the clock was set back by more than ``SET_BACK_MS``: then the
batch that does so tells every reader by how much.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog

from campus.clock import SET_BACK_MS
from campus.reading import Reading
from campus.selftest import without
from store.errors import JournalDamaged, JournalFull, StoreUnavailable
from store.journal import codec
from store.journal.counts import Counts
from store.journal.recent import Batch, Recent
from store.journal.salvage import rebuild_journal
from store.journal.schema import drop_old_quarantine, identity, old_quarantine, prepare
from store.quarantine import Quarantine, QuarantineEntry, Selection, UnregisteredDevice
from store.quarantine.file import DEFAULT_BUDGET_BYTES
from store.sqlite.connections import Connections, connect_durable

log = structlog.get_logger()

#: beyond the quota, only heartbeats are still written, up to this much
_RESERVE_BYTES = 16 * 1024 * 1024


class Journal:
    """Thread-safe; one writer at a time, readers never wait for it. Its *quarantine* lies beside it, in its own file."""

    def __init__(self, path: Path, *, quota_bytes: int, quarantine_bytes: int = DEFAULT_BUDGET_BYTES) -> None:
        self._path = path
        self._quota_bytes = quota_bytes
        self._connections = self._open()
        self._appending = threading.Lock()
        #: guards the two numbers below
        self._grown = threading.Condition()
        self._wakes = 0
        self._recent = Recent()
        with self._connections.reading() as connection:
            self.id = identity(connection)
            self._last_seq, self._last_ms = _last(connection)
            self._page_bytes = int(connection.execute("PRAGMA page_size").fetchone()[0])
        self.quarantine = Quarantine(path.with_name("quarantine.db"), budget_bytes=quarantine_bytes)
        self._settle_quarantine()

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
        with self._appending:
            with self._grown:
                expected_seq, moment_ms = self._last_seq + 1, self._moment_ms(committed_ms)
            self._check_quota(len(encoded))
            if quarantined:
                self._hold(quarantined, expected_seq)
            with self._connections.writing() as connection:
                connection.execute(
                    "INSERT INTO batches (seq, committed_ms, readings, fingerprints) VALUES (?, ?, ?, ?)",
                    (expected_seq, moment_ms, encoded, prints),
                )
                connection.executemany(
                    "INSERT OR IGNORE INTO released VALUES (?)", [(one,) for one in released]
                )
                if counts is not None:
                    connection.execute(
                        "UPDATE counts SET journaled = journaled + ?, quarantined = quarantined + ?,"
                        " duplicates = duplicates + ?, ignored = ignored + ?,"
                        " limited = limited + ?",
                        msgspec.structs.astuple(counts),
                    )
            self._recent.add(Batch(expected_seq, moment_ms, tuple(readings)))
            with self._grown:
                self._last_seq, self._last_ms = expected_seq, moment_ms
                self._grown.notify_all()
            if released:
                self._release(released)
        return expected_seq

    def read(self, after_seq: int, *, max_batches: int = 256) -> list[Batch]:
        """Batches after *after_seq*, in order; raises :class:`JournalDamaged` where the next one cannot be read."""
        recent = self._recent.after(after_seq, max_batches)
        if recent is not None:
            return recent
        with self._connections.reading() as connection:
            rows = connection.execute(
                "SELECT seq, committed_ms, readings FROM batches WHERE seq > ? ORDER BY seq LIMIT ?",
                (after_seq, max_batches),
            ).fetchall()
        batches: list[Batch] = []
        for seq, committed_ms, encoded in rows:
            try:
                batches.append(Batch(seq, committed_ms, codec.decode(encoded)))
            except (ValueError, msgspec.MsgspecError) as error:
                if batches:  # those before it are good; the caller meets it at its next call
                    break
                raise JournalDamaged(seq, str(error)) from error
        return batches

    def wait(self, after_seq: int, timeout_s: float) -> bool:
        """Waits until there is a batch after *after_seq*; False when there is none in time, or :meth:`wake` was called."""
        with self._grown:
            wakes = self._wakes
            self._grown.wait_for(lambda: self._last_seq > after_seq or self._wakes != wakes, timeout_s)
            return self._last_seq > after_seq

    def wake(self) -> None:
        """Ends every wait, for whoever waits and has been asked to stop."""
        with self._grown:
            self._wakes += 1
            self._grown.notify_all()

    def last_seq(self) -> int:
        """The newest batch's number, 0 before the first."""
        with self._grown:
            return self._last_seq

    def last_time_ms(self) -> int:
        """The newest batch's time, 0 before the first."""
        with self._grown:
            return self._last_ms

    def offset(self, consumer: str) -> int:
        """Where *consumer* is; 0 for a new one."""
        with self._connections.reading() as connection:
            row = connection.execute("SELECT seq FROM offsets WHERE consumer = ?", (consumer,)).fetchone()
        return int(row[0]) if row else 0

    def save_offset(self, consumer: str, seq: int) -> None:
        """Keeps *consumer*'s position."""
        with self._connections.writing() as connection:
            connection.execute(
                "INSERT INTO offsets VALUES (?, ?) ON CONFLICT (consumer) DO UPDATE SET seq = excluded.seq",
                (consumer, seq),
            )

    def continue_after(self, seq: int) -> None:
        """Numbers the next batch after *seq*, so that no number is given twice beside what counted another journal's.

        Consumers that have read everything stay so.
        """
        with self._appending:
            last_seq = self.last_seq()
            with self._connections.writing() as connection:
                connection.execute("DELETE FROM sqlite_sequence WHERE name = 'batches'")
                connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('batches', ?)", (seq,))
                connection.execute("UPDATE offsets SET seq = ? WHERE seq >= ?", (seq, last_seq))
            with self._grown:
                self._last_seq = max(seq, last_seq)

    def first_seq(self) -> int:
        """The oldest batch's number; the next one's where there is none."""
        with self._connections.reading() as connection:
            row = connection.execute("SELECT seq FROM batches ORDER BY seq LIMIT 1").fetchone()
        return int(row[0]) if row else self.last_seq() + 1

    def newest_readings(self, up_to_seq: int, most_batches: int) -> Sequence[Reading]:
        """The readings of the newest batch up to *up_to_seq* that has any of a device, looking back over so many batches.

        A self-test's are passed over, as nobody stores them; so is a batch that cannot be read.
        """
        with self._connections.reading() as connection:
            rows = connection.execute(
                "SELECT readings FROM batches WHERE seq <= ? AND seq > ? ORDER BY seq DESC",
                (up_to_seq, up_to_seq - most_batches),
            )
            for (encoded,) in rows:
                with contextlib.suppress(ValueError, msgspec.MsgspecError):
                    if encoded and (readings := without(codec.decode(encoded))):
                        return readings
        return ()

    def seq_back(self, seq: int, span_ms: int) -> int:
        """The newest batch committed more than *span_ms* before batch *seq*; the one before the first where none is kept."""
        query = (
            "SELECT seq FROM batches WHERE seq <= :seq AND committed_ms + :span <"
            " (SELECT committed_ms FROM batches WHERE seq <= :seq ORDER BY seq DESC LIMIT 1) ORDER BY seq DESC LIMIT 1"
        )
        with self._connections.reading() as connection:
            row = connection.execute(query, {"seq": seq, "span": span_ms}).fetchone()
        return int(row[0]) if row else min(seq, self.first_seq() - 1)

    def trim(self, before_seq: int) -> int:
        """Forgets batches before *before_seq*, always keeping the newest; returns how many."""
        last_seq = self.last_seq()
        with self._connections.writing() as connection:
            return connection.execute(
                "DELETE FROM batches WHERE seq < ? AND seq < ?", (before_seq, last_seq)
            ).rowcount

    def counts(self) -> Counts:
        """What became of all messages since the journal was made."""
        with self._connections.reading() as connection:
            row = connection.execute(
                "SELECT journaled, quarantined, duplicates, ignored, limited FROM counts"
            ).fetchone()
        return Counts(*row)

    def recent_fingerprints(self, limit: int) -> list[tuple[int, list[int]]]:
        """Fingerprints of at least the newest *limit* messages, as far as batches are kept.

        With the time of their commit, the oldest first.
        """
        found: list[tuple[int, list[int]]] = []
        count = 0
        with self._connections.reading() as connection:
            rows = connection.execute(
                "SELECT committed_ms, fingerprints FROM batches WHERE fingerprints != x'' ORDER BY seq DESC"
            )
            for committed_ms, encoded in rows:
                marks = msgspec.msgpack.decode(encoded, type=list[int])
                found.append((committed_ms, marks))
                count += len(marks)
                if count >= limit:
                    break
        return found[::-1]

    def quarantined(
        self, *, limit: int = 100, before_id: int | None = None, code: str = "", address: str = ""
    ) -> list[QuarantineEntry]:
        """Held messages with their payloads, newest first."""
        chosen = Selection(before_id=before_id, code=code, address=address)
        return self.quarantine.select(chosen, limit=limit, payload_bytes=None)

    def quarantined_of(self, address: str, *, after_id: int = 0, limit: int = 500) -> list[QuarantineEntry]:
        """Held messages of one device with their payloads, oldest first."""
        chosen = Selection(address=address)
        return self.quarantine.select(
            chosen, after_id=after_id, limit=limit, payload_bytes=None, oldest_first=True
        )

    def quarantine_entry(self, entry_id: int) -> QuarantineEntry | None:
        """One held message with its payload."""
        found = self.quarantine.select(Selection(ids=(entry_id,)), limit=1, payload_bytes=None)
        return found[0] if found else None

    def unregistered(self) -> list[UnregisteredDevice]:
        """Devices that send but are not registered."""
        return self.quarantine.unregistered()

    def size_bytes(self) -> int:
        """What the journal's live pages take; free pages inside the file do not count, nor does quarantine."""
        with self._connections.reading() as connection:
            return self._used_bytes(connection)

    def nearly_full(self) -> bool:
        """Whether nine tenths of the quota are used."""
        return self.size_bytes() > 0.9 * self._quota_bytes

    def close(self) -> None:
        """Closes every connection of this journal."""
        with self._appending:
            self._connections.close()
            self.quarantine.close()

    @property
    def damage(self) -> str:
        """What SQLite found wrong with the file since it was opened; empty while nothing."""
        return self._connections.damage

    def rebuild(self, now_ms: int) -> tuple[Path, int]:
        """Sets the damaged file aside and goes on in a new one, with what can be read and what is in memory.

        Returns where the damaged file is, and how many batches the new one holds. Whoever reads meanwhile meets
        :class:`store.errors.StoreUnavailable`, until a later call succeeds where this one raises.
        """
        with self._appending:
            self._connections.close()
            aside, _ = rebuild_journal(self._path, now_ms, journal_id=self.id)
            self._connections = self._open()
            with self._connections.writing() as connection:
                for batch in self._recent.all():
                    connection.execute(
                        "INSERT OR IGNORE INTO batches VALUES (?, ?, ?, x'')",
                        (batch.seq, batch.committed_ms, codec.encode(batch.readings)),
                    )
                connection.execute("DELETE FROM sqlite_sequence WHERE name = 'batches'")
                connection.execute(
                    "INSERT INTO sqlite_sequence (name, seq) VALUES ('batches', ?)", (self.last_seq(),)
                )
                (count,) = connection.execute("SELECT count(*) FROM batches").fetchone()
        return aside, count

    def _open(self) -> Connections:
        return Connections(
            self._path, name=f"journal {self._path.name}", connect=connect_durable, prepare=prepare
        )

    def _hold(self, entries: Sequence[QuarantineEntry], seq: int) -> None:
        """A quarantine that cannot be written must not stop readings: what it loses is counted, and told."""
        try:
            self.quarantine.insert(entries, seq=seq)
        except StoreUnavailable as error:
            self.quarantine.lost += len(entries)
            log.error("quarantine.not_written", messages=len(entries), reason=str(error))  # noqa: TRY400 - no traceback helps

    def _release(self, ids: Sequence[int]) -> None:
        try:
            self.quarantine.remove(ids)
        except StoreUnavailable as error:  # the journal knows; the next start does it
            log.warning("quarantine.not_released", messages=len(ids), reason=str(error))

    def _settle_quarantine(self) -> None:
        with self._connections.reading() as connection:
            released = [one for (one,) in connection.execute("SELECT id FROM released")]
            self.quarantine.settle(self.id, self._last_seq, released)
            self.quarantine.bring(old_quarantine(connection))
        with self._connections.writing() as connection:
            connection.execute("DELETE FROM released")
            drop_old_quarantine(connection)

    def _moment_ms(self, committed_ms: int) -> int:
        """The batch's time: never a little before the last one's, which would let delays stand still until it has passed."""
        set_back = self._last_ms - committed_ms > SET_BACK_MS
        return committed_ms if set_back else max(committed_ms, self._last_ms)

    def _check_quota(self, growth_bytes: int) -> None:
        with self._connections.reading() as connection:
            size_bytes = self._used_bytes(connection) + growth_bytes
        quota_bytes = self._quota_bytes + (0 if growth_bytes else _RESERVE_BYTES)
        if size_bytes > quota_bytes:
            raise JournalFull(size_bytes, quota_bytes)

    def _used_bytes(self, connection: sqlite3.Connection) -> int:
        pages = int(connection.execute("PRAGMA page_count").fetchone()[0])
        free = int(connection.execute("PRAGMA freelist_count").fetchone()[0])
        return (pages - free) * self._page_bytes


def _last(connection: sqlite3.Connection) -> tuple[int, int]:
    """The newest batch's number and time; of a journal whose batches are all gone, the last number it gave."""
    row = connection.execute("SELECT seq, committed_ms FROM batches ORDER BY seq DESC LIMIT 1").fetchone()
    given = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'batches'").fetchone()
    seq, time_ms = row or (0, 0)
    return max(int(seq), int(given[0]) if given else 0), int(time_ms)
