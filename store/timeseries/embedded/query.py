"""Reading the embedded store: raw points, and points by step from the points or the hourly roll-ups."""

from __future__ import annotations

import sqlite3
from bisect import bisect_left

from campus.clock import HOUR_MS
from store.timeseries.contract import Point
from store.timeseries.embedded.blocks import Place, load, load_column, places
from store.timeseries.points import NO_POINTS, Points, merged
from store.timeseries.steps import Steps

Span = tuple[int, int]


def raw(connection: sqlite3.Connection, number: int, fresh: Points, span: Span, limit: int) -> list[Point]:
    """Points of a span, oldest first. *fresh* is what is not packed, and replaces what is packed."""
    packed = NO_POINTS
    for place in places(connection, number, *span):
        packed = _longer(packed, load(connection, number, place).within(*span))
        if len(packed) >= limit:
            break
    return merged(packed, fresh.within(*span)).cut(0, limit).as_list()


def by_step(
    connection: sqlite3.Connection, number: int, fresh: Points, span: Span, steps: Steps, *, whole_hours: bool
) -> list[Point]:
    """One point a step with any readings; its time is the step's start."""
    start_ms, end_ms = span
    first_ms, last_ms = -(-start_ms // HOUR_MS) * HOUR_MS, end_ms // HOUR_MS * HOUR_MS
    if first_ms >= last_ms:
        whole_hours = False
    hours = (first_ms, last_ms)
    fresh = fresh.within(*span)
    done_ms = start_ms
    for place in places(connection, number, *span):
        _add_points(steps, fresh.within(done_ms, max(place.first_ms, done_ms)))
        late = fresh.within(place.first_ms, place.last_ms + 1)
        done_ms = place.last_ms + 1
        if late.times or not whole_hours:
            _add_points(steps, merged(load(connection, number, place), late).within(*span))
            continue
        for ragged in ((start_ms, hours[0]), None, (hours[1], end_ms)):
            if ragged is None:
                _add_hours(connection, number, place, hours, steps)
            elif ragged[0] < ragged[1] and place.first_ms < ragged[1] and ragged[0] <= place.last_ms:
                _add_points(steps, load(connection, number, place).within(*ragged))
    _add_points(steps, fresh.within(done_ms, max(end_ms, done_ms)))
    return steps.points()


def _longer(packed: Points, more: Points) -> Points:
    """*more* behind *packed*, in place: many blocks must not be copied many times."""
    if packed is NO_POINTS:
        return Points(list(more.times), list(more.values), more.qualities)
    packed.times += more.times
    packed.values += more.values
    packed.qualities += more.qualities
    return packed


def _add_points(steps: Steps, points: Points) -> None:
    if points.times:
        steps.add_points(points.times, points.values)


def _add_hours(connection: sqlite3.Connection, number: int, place: Place, hours: Span, steps: Steps) -> None:
    starts, values, counts = load_column(connection, number, place, steps.aggregate)
    begin, end = bisect_left(starts, hours[0]), bisect_left(starts, hours[1])
    steps.add(starts[begin:end], values[begin:end], counts[begin:end])
