"""The hourly roll-ups: what an hour's points come to, and which hours have to be worked out again.

Writing only notes which hours it touched (``stale_hours``); such an hour is read from its points until it is rolled
up. So late and repeated data are right at once, and a write costs one small row an hour, not a recomputation.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from campus.clock import HOUR_MS

Hour = tuple[int, int]


def hour_of(time_ms: int) -> int:
    """The start of the hour *time_ms* lies in."""
    return time_ms - time_ms % HOUR_MS


def mark_stale(connection: sqlite3.Connection, hours: Iterable[Hour]) -> None:
    """Notes that the points of *hours* (series number, hour) have changed."""
    connection.executemany("INSERT OR IGNORE INTO stale_hours VALUES (?, ?)", hours)


def roll_up(connection: sqlite3.Connection, *, before_ms: int, limit: int) -> int:
    """Works out up to *limit* stale hours before *before_ms*; returns how many."""
    stale: list[Hour] = connection.execute(
        "SELECT series, hour_ms FROM stale_hours WHERE hour_ms < ? LIMIT ?", (before_ms, limit)
    ).fetchall()
    connection.executemany("DELETE FROM hours WHERE series = ? AND hour_ms = ?", stale)
    connection.executemany(_ROLL_UP, [(number, hour_ms, hour_ms + HOUR_MS) for number, hour_ms in stale])
    connection.executemany("DELETE FROM stale_hours WHERE series = ? AND hour_ms = ?", stale)
    return len(stale)


_OF_HOUR = "FROM points WHERE series = ?1 AND time_ms >= ?2 AND time_ms < ?3"
_ROLL_UP = (
    "INSERT INTO hours SELECT ?1, ?2, count(*), sum(value), min(value), max(value),"
    f" (SELECT value {_OF_HOUR} ORDER BY time_ms LIMIT 1),"
    f" (SELECT value {_OF_HOUR} ORDER BY time_ms DESC LIMIT 1)"
    f" {_OF_HOUR} HAVING count(*) > 0"
)
