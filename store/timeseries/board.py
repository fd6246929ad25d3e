"""The newest value of every series, in memory: what pages show even while the time-series store is away."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from campus.clock import SET_BACK_MS
from campus.reading import Reading, Series
from store.timeseries.contract import Point


class Board:
    """Thread-safe; bounded by the number of series of the register."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: dict[Series, Point] = {}
        self._by_device: dict[str, set[Series]] = {}

    def prime(self, points: dict[Series, Point]) -> None:
        """Takes over what a store knows; newer values already here stay."""
        with self._lock:
            for series, point in points.items():
                self._put(series, point, point.time_ms)

    def put(self, readings: Iterable[Reading]) -> None:
        """Moves each series forward; a reading older than what is shown changes nothing."""
        with self._lock:
            for reading in readings:
                point = Point(reading.time_ms, reading.value, reading.quality)
                self._put(reading.series, point, reading.received_ms)

    def device(self, device: str) -> dict[Series, Point]:
        """The newest point of each series of *device*."""
        with self._lock:
            return {series: self._newest[series] for series in sorted(self._by_device.get(device, ()))}

    def all(self) -> dict[Series, Point]:
        """Every series' newest point."""
        with self._lock:
            return dict(self._newest)

    def _put(self, series: Series, point: Point, now_ms: int) -> None:
        """What is known of a time still to come is from before the clock was set back, and gives way."""
        known = self._newest.get(series)
        if known is None:
            self._by_device.setdefault(series.device, set()).add(series)
        elif point.time_ms < known.time_ms <= now_ms + 2 * SET_BACK_MS:
            return
        self._newest[series] = point
