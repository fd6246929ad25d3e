"""The embedded time-series store."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from campus.clock import HOUR_MS
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from store.sqlite.aside import set_aside
from store.timeseries.contract import Aggregate, Point, StoreInfo
from store.timeseries.embedded import blocks
from store.timeseries.embedded.connections import open_connections
from store.timeseries.embedded.deletion import close_hours, forget
from store.timeseries.embedded.fresh import Fresh, FreshBatch, decode, encode
from store.timeseries.embedded.query import by_step, raw
from store.timeseries.points import Points, merged
from store.timeseries.refusal import Refusal, Refused, all_good, sort_out, tell
from store.timeseries.steps import Steps

#: readings that are kept unpacked before they are packed: enough for good blocks of thousands of series; with what
#: comes while they are packed 8 MB of memory, and as much of the file
FRESH_READINGS = 300_000
_CLOSED = "its hour is closed: only the roll-up is kept of it"


class EmbeddedStore:
    """Readings in one SQLite file. Thread-safe: one writer, readers that never wait for its transactions.

    A write adds what it brings to the fresh readings; when there are *fresh_readings* of them, the following writes
    pack them a few series at a time, each in its own transaction. *refused* is told of each reading that can never
    be stored; see :class:`store.timeseries.contract.TimeSeriesStore`.
    """

    def __init__(
        self, path: Path, *, refused: Refused | None = None, fresh_readings: int = FRESH_READINGS
    ) -> None:
        self._path = path
        self._refused = refused
        self._fresh_readings = fresh_readings
        self._writing = threading.Lock()
        #: guards the fresh readings; never held during a transaction
        self._lock = threading.Lock()
        self._open()

    def _open(self) -> None:
        self._connections = open_connections(self._path)
        with self._connections.reading() as connection:
            self._ids = _numbers(connection)
            self._closed_ms = _closed_ms(connection)
            rows = connection.execute("SELECT readings FROM fresh ORDER BY seq")
            self._fresh = Fresh(decode(row) for (row,) in rows)
            self._seq = _last_seq(connection)
        #: what is being packed, and the last row of it in the file
        self._packing: Fresh | None = None
        self._packing_seq = 0

    @property
    def damage(self) -> str:
        """What SQLite found wrong with the file since it was opened; empty while nothing."""
        return self._connections.damage

    def rebuild(self, now_ms: int) -> Path:
        """Sets the damaged file aside and goes on with an empty one; returns where the damaged one is."""
        with self._writing, self._lock:
            self._connections.close()
            # a call before this one may have come no further
            aside = set_aside(self._path, now_ms) if self._path.exists() else self._path
            self._open()
        return aside

    def write(self, readings: Sequence[Reading]) -> None:
        """Stores *readings*; one of the same series and time replaces the earlier, so a repeat changes nothing."""
        if not readings:
            return
        with self._writing:
            refused = self._write(readings)
        tell(readings, refused, self._refused)

    def latest(self, series: Iterable[Series] | None = None) -> dict[Series, Point]:
        """The newest point of each series."""
        wanted = None if series is None else set(series)
        found: dict[int, Point] = {}
        with self._lock:
            fresh = [pair for one in self._unpacked() for pair in one.latest()]
        with self._connections.reading() as connection:
            for number, *point in connection.execute("SELECT series, time_ms, value, quality FROM latest"):
                found[number] = Point(*point)
        for number, point in fresh:
            if number not in found or point.time_ms >= found[number].time_ms:
                found[number] = point
        names = {number: one for one, number in self._ids.items()}
        return {
            names[number]: Point(point.time_ms, point.value, Quality(point.quality))
            for number, point in found.items()
            if number in names and (wanted is None or names[number] in wanted)
        }

    def series(self, device: str | None = None) -> list[Series]:
        """Every series (of *device*) of which something is kept, sorted."""
        with self._lock:
            fresh = {number for one in self._unpacked() for number in one.numbers()}
        chosen = {one: number for one, number in self._ids.items() if device in (None, one.device)}
        with self._connections.reading() as connection:
            return sorted(
                one for one, number in chosen.items() if number in fresh or blocks.any_of(connection, number)
            )

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
        # memory before file: what is packed in between is met twice, never missed
        fresh = self._fresh_points(number)
        with self._connections.reading() as connection:
            if step_ms <= 0:
                return raw(connection, number, fresh, (start_ms, end_ms), limit)
            steps = Steps(aggregate, step_ms, origin_ms)
            whole = step_ms % HOUR_MS == 0 and origin_ms % HOUR_MS == 0
            return by_step(connection, number, fresh, (start_ms, end_ms), steps, whole_hours=whole)[:limit]

    def delete_before(self, time_ms: int, *, keep_hours: bool = False) -> int:
        """Forgets readings before *time_ms*; returns how many.

        With *keep_hours* only raw points of whole hours go, and queries by whole hours still find them. Such hours
        are closed: what still arrives for them is refused.
        """
        with self._writing:
            self._pack_all()
            with self._connections.writing() as connection:
                count = close_hours(connection, time_ms) if keep_hours else forget(connection, time_ms)
                closed_ms = _closed_ms(connection)
            self._closed_ms = closed_ms
        return count

    def pack(self) -> None:
        """Packs all that is fresh. Readers see no difference but speed."""
        with self._writing:
            self._pack_all()

    def info(self) -> StoreInfo:
        """What is in it, fresh readings packed first so that none is counted twice."""
        self.pack()
        with self._connections.reading() as connection:
            series, count, first_ms, last_ms = blocks.totals(connection)
        size = sum(
            one.stat().st_size
            for one in (self._path, self._path.with_name(self._path.name + "-wal"))
            if one.exists()
        )
        return StoreInfo(series, count, first_ms, last_ms, size)

    def close(self) -> None:
        """Closes the file."""
        self._connections.close()

    def _write(self, readings: Sequence[Reading]) -> list[Refusal]:
        ids = self._ids
        refused: list[Refusal] = []
        times = [one.time_ms for one in readings]
        values = [one.value for one in readings]
        numbers = [ids.get(one.series) for one in readings]
        if None in numbers or min(times) < self._closed_ms or not all_good(times, values):
            good, refused = sort_out(readings)
            closed = [(at, _CLOSED) for at in good if times[at] < self._closed_ms]
            refused += closed
            late = {at for at, _ in closed}
            readings = [readings[at] for at in good if at not in late]
        if readings:
            self._store(readings)
        return refused

    def _store(self, readings: Sequence[Reading]) -> None:
        with self._connections.writing() as connection:
            ids = _with_new(connection, self._ids, readings)
            batch = FreshBatch(
                [ids[one.series] for one in readings],
                [one.time_ms for one in readings],
                [one.value for one in readings],
                bytes([one.quality for one in readings]),
            )
            cursor = connection.execute("INSERT INTO fresh (readings) VALUES (?)", (encode(batch),))
            packed = self._pack_some(connection, 2 * len(batch))
        with self._lock:
            self._ids = ids  # known to readers only now that they are committed
            self._seq = int(cursor.lastrowid or 0)
            self._fresh.add(batch)
            self._forget_packed(packed)
            if self._packing is None and self._fresh.count >= self._fresh_readings:
                self._set_aside()

    def _pack_all(self) -> None:
        for _ in range(2):  # what is set aside already, then the rest
            with self._lock:
                if self._packing is None and self._fresh.count:
                    self._set_aside()
            while self._packing is not None:
                with self._connections.writing() as connection:
                    packed = self._pack_some(connection, self._fresh_readings // 8)
                with self._lock:
                    self._forget_packed(packed)

    def _set_aside(self) -> None:
        self._packing, self._packing_seq, self._fresh = self._fresh, self._seq, Fresh()

    def _pack_some(self, connection: sqlite3.Connection, enough: int) -> list[int]:
        """Packs series of about *enough* readings; returns which. With the last of them the rows of all go."""
        packing = self._packing
        if packing is None:
            return []
        done: list[int] = []
        numbers = packing.numbers()
        for number in numbers:
            points = packing.points(number)
            blocks.add(connection, number, points)
            done.append(number)
            enough -= len(points)
            if enough <= 0:
                break
        if len(done) == len(numbers):
            connection.execute("DELETE FROM fresh WHERE seq <= ?", (self._packing_seq,))
        return done

    def _forget_packed(self, packed: list[int]) -> None:
        if self._packing is not None:
            self._packing.drop(packed)
            if not self._packing.numbers():
                self._packing = None

    def _fresh_points(self, number: int) -> Points:
        with self._lock:
            older, *newer = (one.points(number) for one in self._unpacked())
        return merged(older, newer[0]) if newer else older

    def _unpacked(self) -> list[Fresh]:
        return [self._fresh] if self._packing is None else [self._packing, self._fresh]


def _numbers(connection: sqlite3.Connection) -> dict[Series, int]:
    rows = connection.execute("SELECT id, device, quantity, channel FROM series")
    return {Series(device, Quantity(quantity), channel): number for number, device, quantity, channel in rows}


def _closed_ms(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT before_ms FROM closed").fetchone()[0])


def _last_seq(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(seq), 0) FROM fresh").fetchone()[0])


def _with_new(
    connection: sqlite3.Connection, ids: dict[Series, int], readings: Sequence[Reading]
) -> dict[Series, int]:
    """*ids*, or a copy that has the series met for the first time, too."""
    unknown = {one.series for one in readings if one.series not in ids}
    if not unknown:
        return ids
    ids = dict(ids)
    for series in sorted(unknown):
        cursor = connection.execute(
            "INSERT INTO series (device, quantity, channel) VALUES (?, ?, ?)",
            (series.device, series.quantity.value, series.channel),
        )
        ids[series] = int(cursor.lastrowid or 0)
    if len(ids) >= blocks.MOST_SERIES:
        raise sqlite3.DataError(f"more than {blocks.MOST_SERIES:,} series")
    return ids
