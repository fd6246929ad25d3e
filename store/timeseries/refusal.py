"""What no store will ever take, judged alike for all of them, and how it is told."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence

from campus.reading import Reading, Series
from store.errors import PointRefused

Refused = Callable[[Reading, str], None]
#: the position of a reading in its batch, and why it was refused
Refusal = tuple[int, str]

#: beyond every quantity's physical range by far, and small enough that no sum of a store overflows
_VALUE_LIMIT = 1e100
#: InfluxDB keeps nanoseconds in 64 bits: from 1970 to the year 2262
_TIME_LIMIT_MS = 9_223_372_036_854


def sort_out(readings: Sequence[Reading]) -> tuple[list[int], list[Refusal]]:
    """The positions of the readings that can be stored, and the refused ones with the reason."""
    good: list[int] = []
    refused: list[Refusal] = []
    for index, reading in enumerate(readings):
        reason = _why(reading)
        if reason:
            refused.append((index, reason))
        else:
            good.append(index)
    return good, refused


def all_good(times: Sequence[int], values: Sequence[float]) -> bool:
    """Whether no value and no time (at least one of each) is refused, found faster than one by one."""
    return (
        all(map(math.isfinite, values))
        and min(values) > -_VALUE_LIMIT
        and max(values) < _VALUE_LIMIT
        and min(times) >= 0
        and max(times) < _TIME_LIMIT_MS
    )


def tell(readings: Sequence[Reading], refused: Sequence[Refusal], hook: Refused | None) -> None:
    """Hands each refused reading to *hook*; without one raises :class:`PointRefused` that carries them all."""
    if not refused:
        return
    ordered = sorted(refused)
    if hook is None:
        (index, reason), *further = ordered
        raise PointRefused(index, reason, further=further)
    for index, reason in ordered:
        hook(readings[index], reason)


def _why(reading: Reading) -> str:
    if not -_VALUE_LIMIT < reading.value < _VALUE_LIMIT:  # NaN is not between either
        return f"value {reading.value}, expected a finite number below {_VALUE_LIMIT:g}"
    if not 0 <= reading.time_ms < _TIME_LIMIT_MS:
        return f"time {reading.time_ms} ms, expected 1970 to 2262"
    return _why_named(reading.series)


@functools.lru_cache(maxsize=65_536)
def _why_named(series: Series) -> str:
    if not series.device:
        return "an empty device name"
    for text in (series.device, series.channel):
        if any(ord(sign) < 32 or 0xD800 <= ord(sign) < 0xE000 for sign in text):
            return f"name {text!r}, expected text without control signs"
    return ""
