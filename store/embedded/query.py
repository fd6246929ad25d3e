"""Reading the embedded store: raw points, and points by step from the points or the hourly roll-ups."""

from __future__ import annotations

import sqlite3

from campus.clock import HOUR_MS
from campus.reading import Quality
from store.timeseries import Aggregate, Point


class _Sums:
    """What a step needs for every aggregate, fed with parts in order of time."""

    __slots__ = ("closing", "high", "low", "n", "opening", "total")

    def __init__(self) -> None:
        self.n = 0
        self.total = 0.0
        self.low = self.high = self.opening = self.closing = 0.0

    def add(self, n: int, total: float, low: float, high: float, opening: float, closing: float) -> None:
        if self.n == 0:
            self.low, self.high, self.opening = low, high, opening
        self.n += n
        self.total += total
        self.low, self.high, self.closing = min(self.low, low), max(self.high, high), closing

    def value(self, aggregate: Aggregate) -> float:
        return {
            Aggregate.MEAN: self.total / self.n,
            Aggregate.MIN: self.low,
            Aggregate.MAX: self.high,
            Aggregate.SUM: self.total,
            Aggregate.COUNT: float(self.n),
            Aggregate.FIRST: self.opening,
            Aggregate.LAST: self.closing,
        }[aggregate]


def raw(connection: sqlite3.Connection, number: int, start_ms: int, end_ms: int, limit: int) -> list[Point]:
    """Points of a span, oldest first."""
    rows = connection.execute(
        "SELECT time_ms, value, quality FROM points WHERE series = ? AND time_ms >= ? AND time_ms < ? ORDER BY time_ms LIMIT ?",
        (number, start_ms, end_ms, limit),
    )
    return [Point(time_ms, value, Quality(quality)) for time_ms, value, quality in rows]


def by_step(
    connection: sqlite3.Connection,
    number: int,
    span: tuple[int, int],
    step_ms: int,
    aggregate: Aggregate,
    origin_ms: int,
) -> list[Point]:
    """One point a step with any readings; its time is the step's start."""
    steps: dict[int, _Sums] = {}
    whole_hours = step_ms % HOUR_MS == 0 and origin_ms % HOUR_MS == 0
    parts = _with_hours(connection, number, *span) if whole_hours else _points(connection, number, *span)
    for time_ms, n, total, low, high, opening, closing in parts:
        start_ms = time_ms - (time_ms - origin_ms) % step_ms
        steps.setdefault(start_ms, _Sums()).add(n, total, low, high, opening, closing)
    return [Point(start_ms, sums.value(aggregate)) for start_ms, sums in sorted(steps.items())]


_Part = tuple[int, int, float, float, float, float, float]


def _points(connection: sqlite3.Connection, number: int, start_ms: int, end_ms: int) -> list[_Part]:
    rows = connection.execute(
        "SELECT time_ms, 1, value, value, value, value, value FROM points"
        " WHERE series = ? AND time_ms >= ? AND time_ms < ? ORDER BY time_ms",
        (number, start_ms, end_ms),
    )
    return rows.fetchall()


def _with_hours(connection: sqlite3.Connection, number: int, start_ms: int, end_ms: int) -> list[_Part]:
    """Whole fresh hours from the roll-ups; stale hours and the ragged ends from the points."""
    first_ms = -(-start_ms // HOUR_MS) * HOUR_MS
    last_ms = end_ms // HOUR_MS * HOUR_MS
    if first_ms >= last_ms:
        return _points(connection, number, start_ms, end_ms)
    parts: list[_Part] = connection.execute(
        "SELECT hour_ms, n, total, low, high, opening, closing FROM hours h"
        " WHERE series = ?1 AND hour_ms >= ?2 AND hour_ms < ?3 AND NOT EXISTS"
        " (SELECT 1 FROM stale_hours s WHERE s.series = ?1 AND s.hour_ms = h.hour_ms)",
        (number, first_ms, last_ms),
    ).fetchall()
    parts += _points(connection, number, start_ms, first_ms)
    parts += _points_of_stale_hours(connection, number, first_ms, last_ms)
    parts += _points(connection, number, last_ms, end_ms)
    parts.sort(key=lambda part: part[0])
    return parts


def _points_of_stale_hours(
    connection: sqlite3.Connection, number: int, start_ms: int, end_ms: int
) -> list[_Part]:
    rows = connection.execute(
        "SELECT time_ms, 1, value, value, value, value, value FROM stale_hours s CROSS JOIN points p"
        " ON p.series = s.series AND p.time_ms >= s.hour_ms AND p.time_ms < s.hour_ms + ?4"
        " WHERE s.series = ?1 AND s.hour_ms >= ?2 AND s.hour_ms < ?3",
        (number, start_ms, end_ms, HOUR_MS),
    )
    return rows.fetchall()
