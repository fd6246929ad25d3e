"""Brings what can be read of a damaged file of the embedded store into a good one."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec

from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from store.errors import PointRefused
from store.sqlite.salvage import opened, readable_rows
from store.timeseries.contract import TimeSeriesStore
from store.timeseries.embedded.block import unpack
from store.timeseries.embedded.blocks import number_of
from store.timeseries.embedded.fresh import decode

_READINGS_AT_ONCE = 20_000
_UNREADABLE = (ValueError, TypeError, OverflowError, IndexError, msgspec.MsgspecError)


def salvage_history(damaged: Path, store: TimeSeriesStore) -> int:
    """Writes every reading that can be read into *store*; returns how many. Hours kept without their readings are lost."""
    count = 0
    waiting: list[Reading] = []
    with contextlib.closing(opened(damaged)) as old:
        for reading in _readings(old):
            waiting.append(reading)
            if len(waiting) >= _READINGS_AT_ONCE:
                count += _write(store, waiting)
                waiting = []
    return count + _write(store, waiting)


def _readings(old: sqlite3.Connection) -> Iterator[Reading]:
    series: dict[int, Series] = {}
    with contextlib.suppress(sqlite3.Error):
        for number, device, quantity, channel in readable_rows(
            old, "series", "id, device, quantity, channel", "id"
        ):
            with contextlib.suppress(ValueError):
                series[number] = Series(device, Quantity(quantity), channel)
    for key, packed in readable_rows(old, "blocks", "key, points", "key"):
        found = series.get(number_of(key))
        if found is None or not packed:
            continue
        with contextlib.suppress(*_UNREADABLE):
            points = unpack(packed)
            qualities = points.qualities or bytes(len(points.times))
            for time_ms, value, quality in zip(points.times, points.values, qualities, strict=True):
                yield Reading(found, value, time_ms, time_ms, Quality(quality))
    for _, packed in readable_rows(old, "fresh", "seq, readings", "seq"):
        with contextlib.suppress(*_UNREADABLE):
            batch = decode(packed)
            for number, time_ms, value, quality in zip(
                batch.numbers, batch.times, batch.values, batch.qualities, strict=True
            ):
                if number in series:
                    yield Reading(series[number], value, time_ms, time_ms, Quality(quality))


def _write(store: TimeSeriesStore, readings: list[Reading]) -> int:
    try:
        store.write(readings)
    except PointRefused as error:
        return len(readings) - len(error.refused)
    return len(readings)
