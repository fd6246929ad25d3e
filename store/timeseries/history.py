"""A stretch of the past in memory: 21 bytes a reading, in order of time, gone through as often as one likes."""

from __future__ import annotations

import itertools
import operator
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from campus.reading import Quality, Reading, Series
from store.timeseries.contract import TimeSeriesStore

_READINGS_AT_ONCE = 20_000
_ROWS_AT_ONCE = 65_536
#: sorted at once, so that what sorting needs beside the columns (about 80 bytes a reading) stays small
_SORTED_AT_ONCE = 32_768


class History:
    """Readings by columns; each counts as received when it was true, as what is kept does not say when it came.

    Readings of one time stay in the order they were added.
    """

    def __init__(self) -> None:
        self.series: list[Series] = []
        self._numbers: dict[Series, int] = {}
        self._of, self._times, self._values = array("I"), array("q"), array("d")
        self._qualities = array("B")
        self._in_order = True

    def __len__(self) -> int:
        return len(self._times)

    def number(self, series: Series) -> int:
        """What :meth:`add` wants for *series*."""
        found = self._numbers.get(series)
        if found is None:
            found = self._numbers[series] = len(self.series)
            self.series.append(series)
        return found

    def add(self, number: int, value: float, time_ms: int, quality: Quality = Quality.GOOD) -> None:
        """Adds a reading of the series with that *number*."""
        self._in_order = False
        self._of.append(number)
        self._values.append(value)
        self._times.append(time_ms)
        self._qualities.append(quality)

    def extend(self, numbers: Sequence[int], values: Sequence[float], times_ms: Sequence[int]) -> None:
        """Adds good readings by columns, all of one length, as :meth:`add` does one by one."""
        self._in_order = False
        self._of.extend(numbers)
        self._values.extend(values)
        self._times.extend(times_ms)
        self._qualities.extend(itertools.repeat(Quality.GOOD, len(numbers)))

    def keep(self, start_ms: int | None, end_ms: int | None) -> None:
        """Drops what does not lie in ``start_ms <= time_ms < end_ms``; None is no bound."""
        self._put_in_order()
        start = 0 if start_ms is None else bisect_left(self._times, start_ms)
        end = len(self) if end_ms is None else max(start, bisect_left(self._times, end_ms))
        for column in (self._of, self._times, self._values, self._qualities):
            del column[end:]
            del column[:start]

    def __iter__(self) -> Iterator[Reading]:
        self._put_in_order()
        series, qualities = self.series, list(Quality)
        columns = (self._times, self._of, self._values, self._qualities)
        for start in range(0, len(self), _ROWS_AT_ONCE):
            rows = (column[start : start + _ROWS_AT_ONCE] for column in columns)
            for time_ms, number, value, quality in zip(*rows, strict=True):
                yield Reading(series[number], value, time_ms, time_ms, qualities[quality])

    def _put_in_order(self) -> None:
        if self._in_order:
            return
        later = itertools.islice(self._times, 1, None)
        starts = [0, *itertools.compress(itertools.count(1), map(operator.gt, self._times, later))]
        if len(starts) > 1:
            self._sort(starts)
        self._in_order = True

    def _sort(self, starts: Sequence[int]) -> None:
        """Puts the columns in order, where time goes back at each of *starts* but the first."""
        of, times, values, qualities = array("I"), array("q"), array("d"), array("B")
        for places in _sorted_places(self._times, starts):
            of.extend(_pick(self._of, places))
            times.extend(_pick(self._times, places))
            values.extend(_pick(self._values, places))
            qualities.extend(_pick(self._qualities, places))
        self._of, self._times, self._values, self._qualities = of, times, values, qualities


def _sorted_places(times_ms: Sequence[int], starts: Sequence[int]) -> Iterator[list[int]]:
    """The places of *times_ms* (at least one) in order of time, equal ones as they come, some at a time.

    They are dealt into stretches of time of equal length first, and each is sorted by itself. Where nearly all lie in one stretch,
    the result is the same and takes more memory.
    """
    first_ms, count = min(times_ms), len(times_ms) // _SORTED_AT_ONCE + 1
    length_ms = (max(times_ms) - first_ms) // count + 1
    stretches: list[list[range]] = [[] for _ in range(count)]
    for start, end in itertools.pairwise((*starts, len(times_ms))):
        at = start
        while at < end:
            number = (times_ms[at] - first_ms) // length_ms
            stop = bisect_left(times_ms, first_ms + (number + 1) * length_ms, at, end)
            stretches[number].append(range(at, stop))
            at = stop
    for stretch in filter(None, stretches):
        yield sorted(itertools.chain.from_iterable(stretch), key=times_ms.__getitem__)


def _pick(column: array[Any], places: Sequence[int]) -> Iterable[Any]:
    """The items at *places*; itemgetter takes half the time of a loop, but hands a single item out bare."""
    return operator.itemgetter(*places)(column) if len(places) > 1 else [column[at] for at in places]


def stored_history(
    store: TimeSeriesStore,
    start_ms: int,
    end_ms: int,
    *,
    devices: Iterable[str] | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> History:
    """What *store* holds with ``start_ms <= time_ms < end_ms`` of *devices*, or of all where None.

    *advance* is told how many readings each look brought; it may raise to put an end to it. Raises
    :class:`store.errors.StoreUnavailable`.
    """
    history, wanted = History(), None if devices is None else set(devices)
    for series in store.series():
        if wanted is None or series.device in wanted:
            _take(history, store, series, start_ms, end_ms, advance)
    return history


def _take(
    history: History,
    store: TimeSeriesStore,
    series: Series,
    start_ms: int,
    end_ms: int,
    advance: Callable[[int], None],
) -> None:
    number: int | None = None
    while True:
        points = store.query(series, start_ms, end_ms, limit=_READINGS_AT_ONCE)
        for point in points:
            number = history.number(series) if number is None else number
            history.add(number, point.value, point.time_ms, point.quality)
        advance(len(points))
        if len(points) < _READINGS_AT_ONCE:
            return
        start_ms = points[-1].time_ms + 1
