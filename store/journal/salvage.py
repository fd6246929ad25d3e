"""A new journal of what can still be read of a damaged one."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import msgspec

from store.journal import codec
from store.journal.schema import prepare
from store.sqlite.aside import set_aside
from store.sqlite.connections import connect_durable
from store.sqlite.salvage import opened, readable_rows


def rebuild_journal(path: Path, now_ms: int, *, journal_id: str | None = None) -> tuple[Path, int]:
    """Puts a new journal of the batches that can be read in the damaged one's place.

    It is the same journal, as far as its identity could be read or is given. Returns where the damaged one is now, and
    how many batches were read. The damaged file keeps its name until the new one is whole: where this is broken off,
    it begins anew, or :func:`finish_rebuilding` ends it.
    """
    fresh = _beside(path)
    for ending in ("", "-wal", "-shm"):
        fresh.with_name(fresh.name + ending).unlink(missing_ok=True)
    count = _salvage_journal(path, fresh, journal_id)
    aside = set_aside(path, now_ms)
    fresh.replace(path)
    return aside, count


def finish_rebuilding(path: Path) -> bool:
    """Gives a rebuilt journal its name, where a crash came just before; whether it did."""
    if path.exists() or not _beside(path).exists():
        return False
    _beside(path).replace(path)
    return True


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".new")


def _salvage_journal(damaged: Path, fresh: Path, journal_id: str | None) -> int:
    with contextlib.closing(connect_durable(fresh, reader=False)) as new:
        prepare(new)
        count = 0
        with contextlib.suppress(sqlite3.Error), contextlib.closing(opened(damaged)) as old:
            count = _copy_journal(old, new)
        if journal_id is not None:
            new.execute("INSERT OR REPLACE INTO facts VALUES ('id', ?)", (journal_id,))
    return count


def _copy_journal(old: sqlite3.Connection, new: sqlite3.Connection) -> int:
    new.execute("BEGIN IMMEDIATE")
    count = 0
    for seq, committed_ms, readings, fingerprints in readable_rows(
        old, "batches", "seq, committed_ms, readings, fingerprints", "seq"
    ):
        try:
            codec.decode(readings)
            msgspec.msgpack.decode(fingerprints or b"\x90", type=list[int])
            row = (int(seq), int(committed_ms), readings, fingerprints)
        except (TypeError, ValueError, msgspec.MsgspecError):
            continue
        new.execute("INSERT OR IGNORE INTO batches VALUES (?, ?, ?, ?)", row)
        count += 1
    for table in ("facts", "offsets", "counts", "released"):
        with contextlib.suppress(sqlite3.Error):
            rows = old.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - our own names
            for row in rows:
                new.execute(f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608 - as above
    new.execute("COMMIT")
    return count
