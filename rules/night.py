"""Local days and nights of a site: when a window of hours begins and ends, and what kind of day it belongs to."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

from campus.clock import HOUR_MS, from_ms, to_ms
from rules.rule import Context, RuleParams

_HALF_DAY_H = 12


def midnight_ms(time_ms: int, context: Context[RuleParams]) -> int:
    """The local midnight at or before *time_ms*."""
    return _midnight_ms(time_ms // HOUR_MS, context.campus.site.timezone)


def window(time_ms: int, from_h: float, to_h: float, context: Context[RuleParams]) -> tuple[int, int]:
    """The night's window that holds *time_ms* or ended last before it, as UTC milliseconds."""
    midnight = midnight_ms(time_ms, context)
    start_ms = midnight + round((from_h if from_h < _HALF_DAY_H else from_h - 24) * HOUR_MS)
    end_ms = midnight + round(to_h * HOUR_MS)
    if time_ms < start_ms:
        return start_ms - 24 * HOUR_MS, end_ms - 24 * HOUR_MS
    next_start_ms = start_ms + 24 * HOUR_MS
    if time_ms >= next_start_ms:
        return next_start_ms, end_ms + 24 * HOUR_MS
    return start_ms, end_ms


def in_use(time_ms: int, context: Context[RuleParams]) -> str:
    """Whether the subject's building is ``open``, ``closed`` or ``unknown`` at *time_ms*."""
    return context.campus.hours.opening(context.device.place.building, time_ms).value


def kind_of_day(time_ms: int, context: Context[RuleParams]) -> str:
    """Whether the building is used on the local day of *time_ms*, by ten in the morning or three in the afternoon."""
    midnight = midnight_ms(time_ms, context)
    words = {in_use(midnight + hour * HOUR_MS, context) for hour in (10, 15)}
    return "open" if "open" in words else words.pop()


@lru_cache(maxsize=4096)
def _midnight_ms(hour: int, timezone: str) -> int:
    """Midnight of the hour's local day; cached, as rules ask for every span. All zones' days begin on a whole hour
    or half hour, and a day is looked up by its hour.
    """
    zone = _zone(timezone)
    day = from_ms(hour * HOUR_MS, zone).date()
    return to_ms(dt.datetime.combine(day, dt.time(), zone))


@lru_cache(maxsize=16)
def _zone(timezone: str) -> ZoneInfo:
    return ZoneInfo(timezone)
