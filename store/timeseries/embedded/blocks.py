"""The table of blocks: finding, reading and replacing a series' blocks."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

import msgspec
import structlog

from campus.clock import HOUR_MS
from store.errors import StoreDamaged
from store.timeseries.contract import Aggregate
from store.timeseries.embedded.block import MOST_POINTS, pack, pack_hours, unpack, unpack_column, unpack_hours
from store.timeseries.embedded.parts import Parts
from store.timeseries.points import NO_POINTS, Points, merged

log = structlog.get_logger()

#: blocks before the new points that are looked at for being merged with them
_NEIGHBOURS = 12
_TIME_BITS = 44
#: series a file can hold
MOST_SERIES = 1 << (63 - _TIME_BITS)


class Place(msgspec.Struct, frozen=True, gc=False):
    """A block's row without what it holds; *n* is 0 where only the hours are kept."""

    first_ms: int
    last_ms: int
    n: int


def _key(number: int, time_ms: int) -> int:
    """The key of a block that begins at *time_ms*; times beyond what a store takes are drawn to its edges."""
    return number << _TIME_BITS | min(max(time_ms, 0), (1 << _TIME_BITS) - 1)


def number_of(key: int) -> int:
    """The series' number in a block's key."""
    return key >> _TIME_BITS


def _place(key: int, last_ms: int, n: int) -> Place:
    return Place(key & ((1 << _TIME_BITS) - 1), last_ms, n)


def places(connection: sqlite3.Connection, number: int, start_ms: int, end_ms: int) -> list[Place]:
    """The blocks that may have something in ``start_ms <= time_ms < end_ms``, in order."""
    rows = connection.execute(
        "SELECT key, last_ms, n FROM blocks WHERE key < ?3 AND key >= coalesce("
        "(SELECT max(key) FROM blocks WHERE key >= ?1 AND key <= ?2), ?2) ORDER BY key",
        (_key(number, 0), _key(number, start_ms), _key(number, end_ms)),
    )
    return [_place(*row) for row in rows if row[1] >= start_ms]


def load(connection: sqlite3.Connection, number: int, place: Place) -> Points:
    """A block's points; raises :class:`store.errors.StoreDamaged` where they cannot be read."""
    if not place.n:
        return NO_POINTS
    (packed,) = connection.execute(
        "SELECT points FROM blocks WHERE key = ?", (_key(number, place.first_ms),)
    ).fetchone()
    with _whole(number, place):
        return unpack(packed)


def add(connection: sqlite3.Connection, number: int, points: Points) -> None:
    """Merges *points*, at least one, into the series' blocks; they replace what is there at their times."""
    older = NO_POINTS
    for place in reversed(_touched(connection, number, points)):
        older = merged(_taken_out(connection, number, place), older)
    insert(connection, number, merged(older, points))
    newest = (number, points.times[-1], points.values[-1], points.qualities[-1])
    connection.execute(
        "INSERT INTO latest VALUES (?, ?, ?, ?) ON CONFLICT (series) DO UPDATE SET"
        " time_ms = excluded.time_ms, value = excluded.value, quality = excluded.quality"
        " WHERE excluded.time_ms >= latest.time_ms",
        newest,
    )


def any_of(connection: sqlite3.Connection, number: int) -> bool:
    """Whether anything is kept of a series."""
    span = (_key(number, 0), _key(number + 1, 0))
    return connection.execute("SELECT 1 FROM blocks WHERE key >= ? AND key < ?", span).fetchone() is not None


def totals(connection: sqlite3.Connection) -> tuple[int, int, int | None, int | None]:
    """Series, points, first and last time of all blocks."""
    row: tuple[int, int, int | None, int | None] = connection.execute(
        "SELECT count(DISTINCT key >> ?1), coalesce(sum(n), 0), min(key & (1 << ?1) - 1), max(last_ms) FROM blocks",
        (_TIME_BITS,),
    ).fetchone()
    return row


def insert(connection: sqlite3.Connection, number: int, points: Points) -> None:
    """Adds blocks of *points* where there are none."""
    connection.executemany("INSERT INTO blocks VALUES (?, ?, ?, ?, ?)", _rows(number, points))


def load_hours(connection: sqlite3.Connection, number: int, place: Place) -> Parts:
    """A block's roll-ups; raises :class:`store.errors.StoreDamaged` where they cannot be read."""
    (packed,) = connection.execute(
        "SELECT hours FROM blocks WHERE key = ?", (_key(number, place.first_ms),)
    ).fetchone()
    with _whole(number, place):
        return unpack_hours(packed)


def load_column(
    connection: sqlite3.Connection, number: int, place: Place, aggregate: Aggregate
) -> tuple[list[int], list[float], list[int]]:
    """Of a block's roll-ups what *aggregate* needs: starts, values, and for the mean the counts."""
    (packed,) = connection.execute(
        "SELECT hours FROM blocks WHERE key = ?", (_key(number, place.first_ms),)
    ).fetchone()
    with _whole(number, place):
        return unpack_column(packed, aggregate)


def insert_hours(connection: sqlite3.Connection, number: int, parts: Parts) -> None:
    """Adds blocks of hours alone where there are none."""
    for some in parts.chunks(MOST_POINTS):
        span = (_key(number, some.starts[0]), some.starts[-1] + HOUR_MS - 1)
        connection.execute("INSERT INTO blocks VALUES (?, ?, 0, ?, x'')", (*span, pack_hours(some)))


def remove(connection: sqlite3.Connection, number: int, place: Place) -> None:
    """Removes a block."""
    connection.execute("DELETE FROM blocks WHERE key = ?", (_key(number, place.first_ms),))


@contextlib.contextmanager
def _whole(number: int, place: Place) -> Iterator[None]:
    try:
        yield
    except (ValueError, msgspec.MsgspecError, OverflowError, IndexError) as error:
        raise StoreDamaged(number, place.first_ms, place.last_ms, str(error)) from error


def _rows(number: int, points: Points) -> Iterator[tuple[int, int, int, bytes, bytes]]:
    for chunk in points.chunks(MOST_POINTS):
        yield _key(number, chunk.times[0]), chunk.times[-1], len(chunk), *pack(chunk)


def _touched(connection: sqlite3.Connection, number: int, points: Points) -> list[Place]:
    """The blocks that lie among *points*, and the small ones just before.

    A small block is merged only with as many new points or more, so that a point is rewritten about log2(512)
    times at most, however few points come at a time.
    """
    touched = [
        place for place in places(connection, number, points.times[0], points.times[-1] + 1) if place.n
    ]
    total = len(points) + sum(place.n for place in touched)
    before_ms = touched[0].first_ms if touched else points.times[0]
    rows = connection.execute(
        "SELECT key, last_ms, n FROM blocks WHERE key >= ? AND key < ? ORDER BY key DESC LIMIT ?",
        (_key(number, 0), _key(number, before_ms), _NEIGHBOURS),
    )
    for place in (_place(*row) for row in rows):
        if not 0 < place.n <= total or place.n + total > MOST_POINTS:
            break
        touched.insert(0, place)
        total += place.n
    return touched


def _taken_out(connection: sqlite3.Connection, number: int, place: Place) -> Points:
    """A block's points, and the block removed. One that cannot be read is put aside: it must not stop new points."""
    try:
        points = load(connection, number, place)
    except StoreDamaged as error:
        log.error("store.block_damaged", reason=str(error))  # noqa: TRY400 - no traceback helps
        connection.execute(
            "INSERT INTO damaged SELECT * FROM blocks WHERE key = ?", (_key(number, place.first_ms),)
        )
        points = NO_POINTS
    remove(connection, number, place)
    return points
