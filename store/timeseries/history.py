"""A stretch of the past in memory: 21 bytes a reading, in order of time, gone through as often as one likes."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence

import polars as pl

from campus.reading import Quality, Reading, Series
from store.timeseries.contract import TimeSeriesStore

_READINGS_AT_ONCE = 20_000
_ROWS_AT_ONCE = 65_536


class History:
    """Readings by columns; each counts as received when it was true, as what is kept does not say when it came.

    Readings of one time stay in the order they were added.
    """

    def __init__(self) -> None:
        self.series: list[Series] = []
        self._numbers: dict[Series, int] = {}
        self._of, self._times, self._values = array("I"), array("q"), array("d")
        self._qualities = array("B")
        self._sorted: pl.DataFrame | None = None

    def __len__(self) -> int:
        return len(self._times) if self._sorted is None else len(self._sorted)

    def number(self, series: Series) -> int:
        """What :meth:`add` wants for *series*."""
        found = self._numbers.get(series)
        if found is None:
            found = self._numbers[series] = len(self.series)
            self.series.append(series)
        return found

    def add(self, number: int, value: float, time_ms: int, quality: Quality = Quality.GOOD) -> None:
        """Adds a reading of the series with that *number*, before anybody has gone through the history."""
        self._of.append(number)
        self._values.append(value)
        self._times.append(time_ms)
        self._qualities.append(quality)

    def extend(self, numbers: Sequence[int], values: Sequence[float], times_ms: Sequence[int]) -> None:
        """Adds good readings by columns, all of one length, as :meth:`add` does one by one."""
        self._of.extend(numbers)
        self._values.extend(values)
        self._times.extend(times_ms)
        self._qualities.extend(itertools.repeat(Quality.GOOD, len(numbers)))

    def keep(self, start_ms: int | None, end_ms: int | None) -> None:
        """Drops what does not lie in ``start_ms <= time_ms < end_ms``; None is no bound."""
        table, time = self._in_order(), pl.col("time")
        if start_ms is not None:
            table = table.filter(time >= start_ms)
        if end_ms is not None:
            table = table.filter(time < end_ms)
        self._sorted = table

    def __iter__(self) -> Iterator[Reading]:
        series, qualities = self.series, list(Quality)
        for rows in self._in_order().iter_slices(_ROWS_AT_ONCE):
            columns = (rows[name].to_list() for name in rows.columns)
            for time_ms, number, value, quality in zip(*columns, strict=True):
                yield Reading(series[number], value, time_ms, time_ms, qualities[quality])

    def _in_order(self) -> pl.DataFrame:
        if self._sorted is None:
            table = pl.DataFrame(
                {
                    "time": pl.Series(self._times, dtype=pl.Int64),
                    "series": pl.Series(self._of, dtype=pl.UInt32),
                    "value": pl.Series(self._values, dtype=pl.Float64),
                    "quality": pl.Series(self._qualities, dtype=pl.UInt8),
                }
            )
            self._sorted = table.sort("time", maintain_order=True)
            self._of, self._times, self._values = array("I"), array("q"), array("d")
            self._qualities = array("B")
        return self._sorted


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
