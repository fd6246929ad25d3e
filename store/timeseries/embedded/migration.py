"""Brings a file of rows (version 1) into packed blocks: a new file beside it, which then takes its place.

A crash at any moment leaves the old file as it was; what was made of the new one is thrown away and made again.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import structlog

from campus.clock import HOUR_MS
from store.timeseries.embedded import blocks
from store.timeseries.embedded.parts import Parts
from store.timeseries.embedded.schema import VERSION, connect, prepare
from store.timeseries.points import Points

log = structlog.get_logger()

_ROWS_AT_ONCE = 200_000


def migrate(path: Path) -> None:
    """Does nothing for a file that is new or packed. Raises :class:`sqlite3.Error`, :class:`OSError`."""
    beside = path.with_name(path.name + ".packing")
    _remove(beside)
    if not path.exists():
        return
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as old:
        if not _is_of_rows(old):
            return
        log.info("store.migrating", file=path.name, bytes=path.stat().st_size)
        old.execute(
            "PRAGMA journal_mode=DELETE"
        )  # what is in its log goes into it, and no log is left beside it
        with contextlib.closing(connect(beside)) as new:
            _copy(old, new)
            new.execute("PRAGMA journal_mode=DELETE")
    _sync(beside)
    beside.replace(path)
    _sync(path.parent)
    log.info("store.migrated", file=path.name, bytes=path.stat().st_size)


def _is_of_rows(old: sqlite3.Connection) -> bool:
    version = old.execute("PRAGMA user_version").fetchone()[0]
    tables = {name for (name,) in old.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return version < VERSION and "points" in tables


def _copy(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    prepare(new)
    new.execute("BEGIN IMMEDIATE")
    new.executemany("INSERT INTO series VALUES (?, ?, ?, ?)", old.execute("SELECT * FROM series"))
    (closed_ms,) = old.execute("SELECT coalesce(max(before_ms), 0) FROM closed").fetchone()
    new.execute("UPDATE closed SET before_ms = ?", (closed_ms,))
    for (number,) in old.execute("SELECT id FROM series ORDER BY id").fetchall():
        blocks.insert_hours(new, number, _closed_hours(old, number, closed_ms))
        for points in _points(old, number):
            blocks.add(new, number, points)
    new.execute("COMMIT")


def _closed_hours(old: sqlite3.Connection, number: int, closed_ms: int) -> Parts:
    rows = old.execute(
        "SELECT hour_ms, n, total, low, high, opening, closing FROM hours WHERE series = ? AND hour_ms <= ?"
        " ORDER BY hour_ms",
        (number, closed_ms - HOUR_MS),
    ).fetchall()
    return Parts(*map(list, zip(*rows, strict=True))) if rows else Parts.none()


def _points(old: sqlite3.Connection, number: int) -> Iterator[Points]:
    rows = old.execute(
        "SELECT time_ms, value, quality FROM points WHERE series = ? ORDER BY time_ms", (number,)
    )
    while some := rows.fetchmany(_ROWS_AT_ONCE):
        times, values, qualities = zip(*some, strict=True)
        yield Points(list(times), list(values), bytes(qualities))


def _remove(beside: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        beside.with_name(beside.name + ending).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    if (
        os.name == "nt" and path.is_dir()
    ):  # Windows cannot open a folder; its rename is in the file system's log
        return
    descriptor = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
