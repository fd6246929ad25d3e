"""Reading what can still be read of a damaged SQLite file."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from store.sqlite.connections import is_damage

_ROWS_AT_ONCE = 500
#: numbers looked at where the file cannot even say what its first and last rows are
_MOST_KEY = 1 << 62
#: each failed look halves what is looked at; so many find every good page of a few gigabytes
_MOST_FAILURES = 20_000
#: of a file that is checked as a whole; larger ones take minutes
CHECKED_BYTES = 256 * 1024 * 1024


def damage_of(path: Path, *, most_bytes: int = CHECKED_BYTES) -> str:
    """What SQLite finds wrong with the file, "" where it finds nothing. A larger file is looked at in parts only."""
    if not path.exists():
        return ""
    try:
        with contextlib.closing(opened(path)) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            if path.stat().st_size <= most_bytes:
                found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
                return "" if found == "ok" else str(found)
            for (name,) in tables:
                connection.execute(f'SELECT rowid FROM "{name}" ORDER BY rowid LIMIT 100').fetchall()  # noqa: S608 - a table's own name
                connection.execute(f'SELECT * FROM "{name}" ORDER BY rowid DESC LIMIT 100').fetchall()  # noqa: S608 - as above
    except sqlite3.Error as error:
        if is_damage(error):
            return str(error)
        raise
    return ""


def opened(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing of the file's contents."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=10)
    connection.execute("PRAGMA query_only=ON")
    return connection


def readable_rows(
    connection: sqlite3.Connection, table: str, columns: str, key: str
) -> Iterator[tuple[Any, ...]]:
    """The rows that can be read, in order of *key* (a whole number, the first of *columns*)."""
    query = f"SELECT {columns} FROM {table} WHERE {key} BETWEEN ? AND ? ORDER BY {key} LIMIT {_ROWS_AT_ONCE}"  # noqa: S608 - our own names
    spans = [_bounds(connection, table, key)]
    failures = 0
    while spans:
        first, last = spans.pop()
        if first > last:
            continue
        try:
            rows = connection.execute(query, (first, last)).fetchall()
        except sqlite3.Error:
            failures += 1
            if first < last and failures < _MOST_FAILURES:
                middle = (first + last) // 2
                spans += [(middle + 1, last), (first, middle)]
            continue
        yield from rows
        if len(rows) == _ROWS_AT_ONCE:
            spans.append((int(rows[-1][0]) + 1, last))


def _bounds(connection: sqlite3.Connection, table: str, key: str) -> tuple[int, int]:
    """The first and the last key as far as they can be known."""
    found = []
    for order, otherwise in (("ASC", 0), ("DESC", _MOST_KEY)):
        try:
            row = connection.execute(f"SELECT {key} FROM {table} ORDER BY {key} {order} LIMIT 1").fetchone()  # noqa: S608 - our own names
        except sqlite3.Error:
            found.append(otherwise)
        else:
            found.append(int(row[0]) if row else 0)
    return found[0], found[1]
