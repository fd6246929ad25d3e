"""China's public holidays and make-up workdays: a seed only, from a library that knows the years announced so far."""

from __future__ import annotations

import datetime as dt
import enum

import chinese_calendar


class DayKind(enum.StrEnum):
    """What the national calendar makes of a day."""

    WORKDAY = "workday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    MAKE_UP = "make_up"


def day_kind(day: dt.date) -> DayKind | None:
    """The day's kind, or None for a year the library does not know."""
    try:
        working = chinese_calendar.is_workday(day)
    except NotImplementedError:
        return None
    weekend = day.weekday() >= 5
    if working:
        return DayKind.MAKE_UP if weekend else DayKind.WORKDAY
    if not weekend:
        return DayKind.HOLIDAY
    _, name = chinese_calendar.get_holiday_detail(day)
    return DayKind.HOLIDAY if name else DayKind.WEEKEND
