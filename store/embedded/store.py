"""The embedded time-series store."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from store.embedded.connections import Connections
from store.embedded.deletion import close_hours, forget
from store.embedded.hours import hour_of, mark_stale, roll_up
from store.embedded.query import by_step, raw
from store.refusal import Refusal, Refused, sort_out, tell
from store.timeseries import Aggregate, Point

_ALWAYS_MS = 2**62
_Row = tuple[int, int, float, int]


class EmbeddedStore:
    """Readings in one SQLite file. Thread-safe: one writer, readers that never wait for it.

    *refused* is told of each reading that can never be stored; see :class:`store.timeseries.TimeSeriesStore`.
    """

    def __init__(self, path: Path, *, refused: Refused | None = None) -> None:
        self._refused = refused
        self._connections = Connections(path)
        self._lock = threading.Lock()
        with self._connections.reading() as connection:
            self._ids = _numbers(connection)

    def write(self, readings: Sequence[Reading]) -> None:
        """Stores *readings*; one of the same series and time replaces the earlier, so a repeat changes nothing."""
        good, refused = sort_out(readings)
        if good:
            with self._lock:
                with self._connections.writing() as connection:
                    ids = dict(self._ids)
                    rows, late = _rows(connection, readings, good, ids)
                    _write_rows(connection, rows)
                self._ids = ids  # known to readers only now that they are committed
            refused += late
        tell(readings, refused, self._refused)

    def latest(self, series: Iterable[Series] | None = None) -> dict[Series, Point]:
        """The newest point of each series."""
        wanted = None if series is None else set(series)
        found: dict[Series, Point] = {}
        with self._connections.reading() as connection:
            rows = connection.execute(
                "SELECT device, quantity, channel, time_ms, value, quality FROM latest JOIN series ON id = series"
            )
            for device, quantity, channel, time_ms, value, quality in rows:
                one = Series(device, Quantity(quantity), channel)
                if wanted is None or one in wanted:
                    found[one] = Point(time_ms, value, Quality(quality))
        return found

    def series(self, device: str | None = None) -> list[Series]:
        """Every series (of *device*) of which something is kept, sorted."""
        with self._connections.reading() as connection:
            rows = connection.execute(
                "SELECT device, quantity, channel FROM series s WHERE (?1 IS NULL OR device = ?1)"
                " AND (EXISTS (SELECT 1 FROM latest WHERE series = s.id)"
                " OR EXISTS (SELECT 1 FROM hours WHERE series = s.id))",
                (device,),
            ).fetchall()
        return sorted(Series(name, Quantity(quantity), channel) for name, quantity, channel in rows)

    def query(
        self,
        series: Series,
        start_ms: int,
        end_ms: int,
        *,
        step_ms: int = 0,
        aggregate: Aggregate = Aggregate.MEAN,
        origin_ms: int = 0,
        limit: int = 100_000,
    ) -> list[Point]:
        """Raw points, or one a step; steps of whole hours on whole hours are read from the roll-ups."""
        number = self._ids.get(series)
        if number is None or end_ms <= start_ms:
            return []
        with self._connections.reading() as connection:
            if step_ms <= 0:
                return raw(connection, number, start_ms, end_ms, limit)
            return by_step(connection, number, (start_ms, end_ms), step_ms, aggregate, origin_ms)[:limit]

    def delete_before(self, time_ms: int, *, keep_hours: bool = False) -> int:
        """Forgets readings before *time_ms*; returns how many.

        With *keep_hours* only raw points of whole hours go, and queries by whole hours still find them. Such hours
        are closed: what still arrives for them is refused.
        """
        with self._connections.writing() as connection:
            return close_hours(connection, time_ms) if keep_hours else forget(connection, time_ms)

    def roll_up(self, limit: int = 5_000) -> int:
        """Brings up to *limit* hours of the roll-ups up to date; returns how many. Readers see no difference but speed."""
        with self._connections.writing() as connection:
            return roll_up(connection, before_ms=_ALWAYS_MS, limit=limit)

    def close(self) -> None:
        """Closes the file."""
        self._connections.close()


def _numbers(connection: sqlite3.Connection) -> dict[Series, int]:
    rows = connection.execute("SELECT id, device, quantity, channel FROM series")
    return {Series(device, Quantity(quantity), channel): number for number, device, quantity, channel in rows}


def _closed_ms(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT before_ms FROM closed").fetchone()[0])


def _rows(
    connection: sqlite3.Connection, readings: Sequence[Reading], good: list[int], ids: dict[Series, int]
) -> tuple[list[_Row], list[Refusal]]:
    """The rows of the readings at *good*, new series added to *ids*; and those whose hour is closed."""
    closed_ms = _closed_ms(connection)
    rows: list[_Row] = []
    late: list[Refusal] = []
    for index in good:
        one = readings[index]
        if one.time_ms < closed_ms:
            late.append((index, "its hour is closed: only the roll-up is kept of it"))
            continue
        number = ids.get(one.series)
        if number is None:
            number = ids[one.series] = _add_series(connection, one.series)
        rows.append((number, one.time_ms, one.value, int(one.quality)))
    return rows, late


def _add_series(connection: sqlite3.Connection, series: Series) -> int:
    cursor = connection.execute(
        "INSERT INTO series (device, quantity, channel) VALUES (?, ?, ?)",
        (series.device, series.quantity.value, series.channel),
    )
    return int(cursor.lastrowid or 0)


def _write_rows(connection: sqlite3.Connection, rows: list[_Row]) -> None:
    rows.sort(key=lambda row: row[:2])  # in the table's order; stable, so the last of equal times still wins
    connection.executemany("INSERT OR REPLACE INTO points VALUES (?, ?, ?, ?)", rows)
    newest = {row[0]: row for row in rows}
    connection.executemany(
        "INSERT INTO latest VALUES (?, ?, ?, ?) ON CONFLICT (series) DO UPDATE SET"
        " time_ms = excluded.time_ms, value = excluded.value, quality = excluded.quality"
        " WHERE excluded.time_ms >= latest.time_ms",
        newest.values(),
    )
    mark_stale(connection, sorted({(row[0], hour_of(row[1])) for row in rows}))
