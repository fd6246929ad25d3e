"""China's public holidays and make-up workdays: a seed only, from a library that knows the years announced so far."""

from __future__ import annotations

import datetime as dt
import enum

import chinese_calendar

from campus.text import marked

#: the library's names of holidays, as people here call them
_NAMES = {
    "New Year's Day": marked("元旦"),
    "Spring Festival": marked("春节"),
    "Tomb-sweeping Day": marked("清明节"),
    "Labour Day": marked("劳动节"),
    "Dragon Boat Festival": marked("端午节"),
    "National Day": marked("国庆节"),
    "Mid-autumn Festival": marked("中秋节"),
}


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


def holiday_name(day: dt.date) -> str:
    """The public holiday a day off belongs to, or that a make-up workday is worked for; empty for none or not known."""
    try:
        _, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return ""
    return _NAMES.get(name or "", name or "")
