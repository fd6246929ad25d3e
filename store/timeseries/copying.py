"""Moves history from one store to another, window by window, and counts afterwards that it is all there.

A window of a series whose counts agree is there already and is passed over: so a copy that was broken off goes on
where it was, and a second one does nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import msgspec

from campus.clock import DAY_MS
from campus.reading import Reading, Series
from store.errors import PointRefused
from store.timeseries.contract import Aggregate, TimeSeriesStore

#: no whole hours, so that readings are counted: of hours whose readings are forgotten there is nothing to copy
WINDOW_MS = 30 * DAY_MS - 1
_READINGS_AT_ONCE = 20_000
#: a server may take so long to find what it was given: VictoriaMetrics about a second
_LOOKS = 20
_PAUSE_S = 0.5


class Window(msgspec.Struct, frozen=True):
    """A series' readings with ``start_ms <= time_ms < end_ms``."""

    series: Series
    start_ms: int
    end_ms: int


class Copied(msgspec.Struct):
    """How a copy went. *missing* are windows where the target holds fewer or more than the source."""

    readings: int = 0
    written: int = 0
    refused: list[tuple[Reading, str]] = msgspec.field(default_factory=list)
    missing: list[Window] = msgspec.field(default_factory=list)


def windows(source: TimeSeriesStore, since_ms: int | None, until_ms: int | None) -> list[Window]:
    """Everything there is to copy, or what lies from *since_ms* to before *until_ms*."""
    info = source.info()
    if info.first_ms is None or info.last_ms is None:
        return []
    start_ms = info.first_ms if since_ms is None else max(since_ms, info.first_ms)
    end_ms = info.last_ms + 1 if until_ms is None else min(until_ms, info.last_ms + 1)
    return [
        Window(series, at_ms, min(at_ms + WINDOW_MS, end_ms))
        for series in source.series()
        for at_ms in range(start_ms, end_ms, WINDOW_MS)
    ]


def copy(
    source: TimeSeriesStore,
    target: TimeSeriesStore,
    todo: list[Window],
    advance: Callable[[int], None],
    *,
    again: bool = False,
    pause: Callable[[float], None] = time.sleep,
) -> Copied:
    """Copies *todo*; *advance* is told how many readings are behind. *again* copies what seems to be there, too.

    Raises :class:`store.errors.StoreUnavailable`; copying again goes on from there.
    """
    result = Copied()
    touched: list[tuple[Window, int]] = []
    for window in todo:
        count = count_of(source, window)
        result.readings += count
        if count and (again or count_of(target, window) != count):
            refused = len(result.refused)
            for batch in _batches(source, window):
                _write(target, batch, result)
            touched.append((window, count - (len(result.refused) - refused)))
        advance(count)
    result.missing = [window for window, count in touched if not _is_there(target, window, count, pause)]
    return result


def count_of(store: TimeSeriesStore, window: Window) -> int:
    """How many readings of a window a store holds."""
    points = store.query(
        window.series,
        window.start_ms,
        window.end_ms,
        step_ms=WINDOW_MS,
        aggregate=Aggregate.COUNT,
        origin_ms=window.start_ms,
    )
    return int(sum(point.value for point in points))


def _batches(source: TimeSeriesStore, window: Window) -> Iterator[list[Reading]]:
    start_ms = window.start_ms
    while True:
        points = source.query(window.series, start_ms, window.end_ms, limit=_READINGS_AT_ONCE)
        if points:
            yield [Reading(window.series, one.value, one.time_ms, one.time_ms, one.quality) for one in points]
        if len(points) < _READINGS_AT_ONCE:
            return
        start_ms = points[-1].time_ms + 1


def _write(target: TimeSeriesStore, batch: list[Reading], result: Copied) -> None:
    result.written += len(batch)
    try:
        target.write(batch)
    except PointRefused as error:
        result.refused += [(batch[index], reason) for index, reason in error.refused]
        result.written -= len(error.refused)


def _is_there(target: TimeSeriesStore, window: Window, count: int, pause: Callable[[float], None]) -> bool:
    for look in range(_LOOKS):
        if count_of(target, window) == count:
            return True
        if look < _LOOKS - 1:
            pause(_PAUSE_S)
    return False
