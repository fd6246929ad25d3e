"""The embedded time-series store."""

from __future__ import annotations

import contextlib
import math
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from campus.clock import HOUR_MS
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from store.embedded.query import by_step, raw
from store.embedded.schema import SCHEMA, connect
from store.errors import PointRefused, StoreUnavailable
from store.timeseries import Aggregate, Point

Refused = Callable[[Reading, str], None]


class EmbeddedStore:
    """Readings in one SQLite file. Thread-safe: one writer, readers of their own.

    *refused* is told of each reading that can never be stored; without it :class:`PointRefused` is raised after the
    rest of the batch was written.
    """

    def __init__(self, path: Path, *, refused: Refused | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._refused = refused
        self._lock = threading.Lock()
        self._writer = connect(path)
        self._writer.executescript(SCHEMA)
        self._local = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._ids: dict[Series, int] = {
            Series(device, Quantity(quantity), channel): number
            for number, device, quantity, channel in self._writer.execute(
                "SELECT id, device, quantity, channel FROM series"
            )
        }

    def write(self, readings: Sequence[Reading]) -> None:
        """Stores *readings*; one of the same series and time replaces the earlier, so a repeat changes nothing."""
        bad = [index for index, reading in enumerate(readings) if not math.isfinite(reading.value)]
        good = readings if not bad else [one for one in readings if math.isfinite(one.value)]
        if good:
            with self._lock, self._transaction() as connection:
                self._write(connection, good)
        for index in bad:
            if self._refused is None:
                raise PointRefused(index, f"{readings[index].series} has the value {readings[index].value}")
            self._refused(readings[index], "not a finite number")

    def latest(self, series: Iterable[Series] | None = None) -> dict[Series, Point]:
        """The newest point of each series."""
        wanted = list(self._ids) if series is None else [one for one in series if one in self._ids]
        connection = self._reader()
        found: dict[Series, Point] = {}
        for one in wanted:
            row = connection.execute(
                "SELECT time_ms, value, quality FROM points WHERE series = ? ORDER BY time_ms DESC LIMIT 1",
                (self._ids[one],),
            ).fetchone()
            if row is not None:
                found[one] = Point(row[0], row[1], Quality(row[2]))
        return found

    def series(self, device: str | None = None) -> list[Series]:
        """Every series (of *device*), sorted."""
        with self._lock:
            return sorted(one for one in self._ids if device is None or one.device == device)

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
        if step_ms <= 0:
            return raw(self._reader(), number, start_ms, end_ms, limit)
        return by_step(self._reader(), number, (start_ms, end_ms), step_ms, aggregate, origin_ms)[:limit]

    def delete_before(self, time_ms: int) -> int:
        """Forgets raw points before *time_ms*; the roll-ups of whole hours stay."""
        self.roll_up()
        with self._lock, self._transaction() as connection:
            return connection.execute(
                "DELETE FROM points WHERE time_ms < ?", (time_ms // HOUR_MS * HOUR_MS,)
            ).rowcount

    def roll_up(self, limit: int = 100_000) -> int:
        """Brings up to *limit* stale hours of the roll-ups up to date; returns how many."""
        with self._lock, self._transaction() as connection:
            stale = connection.execute("SELECT series, hour_ms FROM stale_hours LIMIT ?", (limit,)).fetchall()
            for number, hour_ms in stale:
                _roll_up_hour(connection, number, hour_ms)
            connection.executemany("DELETE FROM stale_hours WHERE series = ? AND hour_ms = ?", stale)
        return len(stale)

    def close(self) -> None:
        with self._lock:
            self._writer.close()
        for connection in self._all:
            connection.close()

    def _write(self, connection: sqlite3.Connection, readings: Sequence[Reading]) -> None:
        rows = [
            (self._id(connection, one.series), one.time_ms, one.value, int(one.quality)) for one in readings
        ]
        connection.executemany(
            "INSERT INTO points VALUES (?, ?, ?, ?) ON CONFLICT (series, time_ms)"
            " DO UPDATE SET value = excluded.value, quality = excluded.quality",
            rows,
        )
        touched = {(number, time_ms - time_ms % HOUR_MS) for number, time_ms, _, _ in rows}
        connection.executemany("INSERT OR IGNORE INTO stale_hours VALUES (?, ?)", touched)

    def _id(self, connection: sqlite3.Connection, series: Series) -> int:
        number = self._ids.get(series)
        if number is None:
            number = int(
                connection.execute(
                    "INSERT INTO series (device, quantity, channel) VALUES (?, ?, ?)"
                    " ON CONFLICT DO UPDATE SET device = excluded.device RETURNING id",
                    (series.device, series.quantity.value, series.channel),
                ).fetchone()[0]
            )
            self._ids[series] = number
        return number

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        known = dict(self._ids)
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            yield self._writer
            self._writer.execute("COMMIT")
        except BaseException as error:
            self._ids = known
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError):
                raise StoreUnavailable(f"sqlite:{self._path.name}", str(error)) from error
            raise

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = connect(self._path)
            self._local.connection = connection
            self._all.append(connection)
        return connection


def _roll_up_hour(connection: sqlite3.Connection, number: int, hour_ms: int) -> None:
    span = (number, hour_ms, hour_ms + HOUR_MS)
    connection.execute(
        "INSERT OR REPLACE INTO hours SELECT ?1, ?2, count(*), sum(value), min(value), max(value),"
        " (SELECT value FROM points WHERE series = ?1 AND time_ms >= ?2 AND time_ms < ?3 ORDER BY time_ms LIMIT 1),"
        " (SELECT value FROM points WHERE series = ?1 AND time_ms >= ?2 AND time_ms < ?3 ORDER BY time_ms DESC LIMIT 1)"
        " FROM points WHERE series = ?1 AND time_ms >= ?2 AND time_ms < ?3 HAVING count(*) > 0",
        span,
    )
