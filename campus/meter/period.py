"""The edges of hours, days and months as people at the site count them."""

from __future__ import annotations

import datetime as dt
import enum

from campus.clock import HOUR_MS, from_ms, to_ms


class Unit(enum.StrEnum):
    """How long a period is."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


def edges(start_ms: int, end_ms: int, unit: Unit, zone: dt.tzinfo) -> list[int]:
    """Where the periods begin that hold any of ``start_ms <= t < end_ms``, and where the last one ends."""
    found = [_floor(start_ms, unit, zone)]
    while found[-1] < end_ms:
        found.append(_next(found[-1], unit, zone))
    return found


def _floor(time_ms: int, unit: Unit, zone: dt.tzinfo) -> int:
    local = from_ms(time_ms, zone)
    if unit is Unit.HOUR:
        past = dt.timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return time_ms - past // dt.timedelta(milliseconds=1)
    day = local.date()
    return _midnight(day.replace(day=1) if unit is Unit.MONTH else day, zone)


def _next(edge_ms: int, unit: Unit, zone: dt.tzinfo) -> int:
    if unit is Unit.HOUR:
        return edge_ms + HOUR_MS
    day = from_ms(edge_ms, zone).date()
    if unit is Unit.DAY:
        return _midnight(day + dt.timedelta(days=1), zone)
    return _midnight((day.replace(day=28) + dt.timedelta(days=4)).replace(day=1), zone)


def _midnight(day: dt.date, zone: dt.tzinfo) -> int:
    return to_ms(dt.datetime(day.year, day.month, day.day, tzinfo=zone))
