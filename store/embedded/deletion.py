"""Forgetting: everything before a time, or the points only, with their hours kept."""

from __future__ import annotations

import sqlite3

from store.embedded.hours import hour_of, mark_stale, roll_up

_ALL = 2**62


def forget(connection: sqlite3.Connection, time_ms: int) -> int:
    """Removes every point before *time_ms* and what was rolled up from it; returns the number of points."""
    hour_ms = hour_of(time_ms)
    for table in ("hours", "stale_hours"):
        connection.execute(f"DELETE FROM {table} WHERE hour_ms < ?", (hour_ms,))  # noqa: S608 - only constants
    _cut_hour(connection, hour_ms, time_ms)
    connection.execute("UPDATE closed SET before_ms = 0 WHERE before_ms <= ?", (hour_ms,))
    return _delete_points(connection, time_ms)


def close_hours(connection: sqlite3.Connection, time_ms: int) -> int:
    """Removes the points of whole hours before *time_ms* and keeps their roll-ups; returns the number of points.

    From then on these hours take no more points: a late one could not be told from a repeated one.
    """
    hour_ms = hour_of(time_ms)
    roll_up(connection, before_ms=hour_ms, limit=_ALL)
    connection.execute("UPDATE closed SET before_ms = max(before_ms, ?)", (hour_ms,))
    return _delete_points(connection, hour_ms)


def _cut_hour(connection: sqlite3.Connection, hour_ms: int, time_ms: int) -> None:
    """Drops the roll-ups of the hour from *hour_ms* that lose points before *time_ms*: what is left is read raw."""
    cut = connection.execute(
        "SELECT id, ?1 FROM series s WHERE EXISTS"
        " (SELECT 1 FROM points WHERE series = s.id AND time_ms >= ?1 AND time_ms < ?2)",
        (hour_ms, time_ms),
    ).fetchall()
    connection.executemany("DELETE FROM hours WHERE series = ? AND hour_ms = ?", cut)
    mark_stale(connection, cut)


def _delete_points(connection: sqlite3.Connection, time_ms: int) -> int:
    connection.execute("DELETE FROM latest WHERE time_ms < ?", (time_ms,))
    # one range a series: the key begins with the series, so a bare time would walk the whole table
    numbers = connection.execute("SELECT id FROM series").fetchall()
    before = connection.total_changes
    connection.executemany(
        "DELETE FROM points WHERE series = ? AND time_ms < ?", [(number, time_ms) for (number,) in numbers]
    )
    return connection.total_changes - before
