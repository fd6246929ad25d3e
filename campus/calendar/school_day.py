"""A day as the school sees it: what it is, and why."""

from __future__ import annotations

import enum
from typing import NamedTuple

from campus.calendar.timetable import DayType


class Why(enum.StrEnum):
    """What makes a day what it is."""

    TERM = "term"
    WEEKEND = "weekend"
    VACATION = "vacation"
    EXAM = "exam"
    OWN_HOLIDAY = "own_holiday"
    OWN_SCHOOL_DAY = "own_school_day"
    NATIONAL_HOLIDAY = "national_holiday"
    MAKE_UP = "make_up"
    OVERRIDE = "override"


class SchoolDay(NamedTuple):
    """*name* is the holiday's, the exam week's or the exception's; a public holiday's is a text of the catalogue."""

    type: DayType
    why: Why
    name: str = ""
