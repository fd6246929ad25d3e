"""Forgetting: everything before a time, or the points only, with their hours kept. Nothing may be fresh meanwhile."""

from __future__ import annotations

import sqlite3

from campus.clock import HOUR_MS
from store.timeseries.embedded.block import MOST_POINTS
from store.timeseries.embedded.blocks import Place, insert, insert_hours, load, load_hours, places, remove
from store.timeseries.embedded.parts import Parts, joined
from store.timeseries.points import NO_POINTS

#: a block of hours alone is added to until it spans this much
_GROWING_MS = MOST_POINTS // 2 * HOUR_MS
_EVER_MS = 2**62


def hour_of(time_ms: int) -> int:
    """The start of the hour *time_ms* lies in."""
    return time_ms - time_ms % HOUR_MS


def forget(connection: sqlite3.Connection, time_ms: int) -> int:
    """Removes every point before *time_ms* and what was rolled up from it; returns the number of points."""
    removed = sum(_forget_series(connection, number, time_ms) for number in _series(connection))
    connection.execute("UPDATE closed SET before_ms = 0 WHERE before_ms <= ?", (hour_of(time_ms),))
    connection.execute("DELETE FROM latest WHERE time_ms < ?", (time_ms,))
    return removed


def close_hours(connection: sqlite3.Connection, time_ms: int) -> int:
    """Removes the points of whole hours before *time_ms* and keeps their roll-ups; returns the number of points.

    From then on these hours take no more points: a late one could not be told from a repeated one.
    """
    hour_ms = hour_of(time_ms)
    removed = sum(_close_series(connection, number, hour_ms) for number in _series(connection))
    connection.execute("UPDATE closed SET before_ms = max(before_ms, ?)", (hour_ms,))
    connection.execute("DELETE FROM latest WHERE time_ms < ?", (hour_ms,))
    return removed


def _series(connection: sqlite3.Connection) -> list[int]:
    return [number for (number,) in connection.execute("SELECT id FROM series")]


def _forget_series(connection: sqlite3.Connection, number: int, time_ms: int) -> int:
    removed = 0
    for place in places(connection, number, 0, time_ms):
        if not place.n:
            _cut_hours(connection, number, place, hour_of(time_ms))
        elif place.last_ms < time_ms:
            remove(connection, number, place)
            removed += place.n
        else:
            left = load(connection, number, place).within(time_ms, place.last_ms + 1)
            remove(connection, number, place)
            insert(connection, number, left)
            removed += place.n - len(left)
    return removed


def _cut_hours(connection: sqlite3.Connection, number: int, place: Place, hour_ms: int) -> None:
    """Of a block whose points are gone: leaves the hours from *hour_ms*."""
    parts = load_hours(connection, number, place)
    remove(connection, number, place)
    insert_hours(connection, number, parts.between(hour_ms, _EVER_MS))


def _close_series(connection: sqlite3.Connection, number: int, hour_ms: int) -> int:
    found = places(connection, number, 0, hour_ms)
    full = [place for place in found if place.n]
    if not full:
        return 0
    parts = Parts.none()
    closed = [place for place in found if not place.n]
    if closed and closed[-1].last_ms - closed[-1].first_ms < _GROWING_MS:
        parts = load_hours(connection, number, closed[-1])
        remove(connection, number, closed[-1])
    removed = 0
    for place in full:
        parts = joined(parts, load_hours(connection, number, place).between(0, hour_ms))
        left = NO_POINTS
        if place.last_ms >= hour_ms:
            left = load(connection, number, place).within(hour_ms, place.last_ms + 1)
        remove(connection, number, place)
        insert(connection, number, left)
        removed += place.n - len(left)
    insert_hours(connection, number, parts)
    return removed
