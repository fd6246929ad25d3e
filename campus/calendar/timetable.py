"""What calendar.yaml says: terms, holidays, exam weeks, exceptions, and when a building is open on which kind of day."""

from __future__ import annotations

import datetime as dt
import enum
import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

#: local times at which something is open, half open; one that does not end after it starts runs past midnight
Window = tuple[dt.time, dt.time]

_WINDOW = re.compile(r"\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*")


class DayType(enum.StrEnum):
    """What a day is to the school."""

    SCHOOL_DAY = "school_day"
    TERM_WEEKEND = "term_weekend"
    HOLIDAY = "holiday"
    VACATION = "vacation"


def parse_window(text: str) -> Window:
    """``06:30-22:00`` as two times; an end of ``24:00`` is the next midnight. Raises ValueError."""
    match = _WINDOW.fullmatch(text)
    if match is not None:
        start_h, start_m, end_h, end_m = map(int, match.groups())
        if (end_h, end_m) == (24, 0):
            end_h = 0
        if max(start_h, end_h) < 24 and max(start_m, end_m) < 60:
            return dt.time(start_h, start_m), dt.time(end_h, end_m)
    raise ValueError(f"{text!r} is not a window; expected such as 06:30-22:00")


def _readable(text: str) -> str:
    parse_window(text)
    return text


WindowText = Annotated[str, AfterValidator(_readable)]
HoursKey = Literal[
    "school_day", "term_weekend", "holiday", "vacation", "exam", "mon", "tue", "wed", "thu", "fri", "sat", "sun",
]  # fmt: skip
Hours = dict[HoursKey, list[WindowText]]


class Span(BaseModel):
    """Days from one to another, both included."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: str = ""
    start: dt.date = Field(alias="from")
    end: dt.date = Field(alias="to")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.end < self.start:
            raise ValueError(f"to ({self.end}) lies before from ({self.start})")
        return self

    def __contains__(self, day: dt.date) -> bool:
        return self.start <= day <= self.end


class Override(Span):
    """Days that are not what the rest of the calendar says: another kind of *day*, other *hours*, or both.

    It holds for *buildings* (ids), or for all where none is named. It beats terms, holidays and the national calendar.
    """

    day: DayType | None = None
    hours: list[WindowText] | None = None
    buildings: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.day is None and self.hours is None:
            raise ValueError("an override needs day, hours or both")
        return self


class CalendarSettings(BaseModel):
    """All of calendar.yaml. Hours are by building id or building use, then by kind of day.

    Within one name's hours, ``exam`` goes before the weekday, and the weekday before the kind of day. ``mon``–``fri``
    speak of school days, ``sat`` and ``sun`` of weekends in term: a make-up Saturday keeps the hours of a school day.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    boarding: bool = True
    terms: list[Span] = Field(default_factory=list)
    holidays: list[Span] = Field(default_factory=list)
    #: days of term on which there is school although the national calendar has them off
    school_days: list[dt.date] = Field(default_factory=list)
    exam_weeks: list[Span] = Field(default_factory=list)
    overrides: list[Override] = Field(default_factory=list)
    hours: dict[str, Hours] = Field(default_factory=dict)

    def in_term(self, day: dt.date) -> bool:
        """Whether *day* lies in a term."""
        return any(day in term for term in self.terms)

    def is_exam(self, day: dt.date) -> bool:
        """Whether *day* lies in an exam week."""
        return any(day in span for span in self.exam_weeks)

    def override(self, day: dt.date, building: str) -> Override | None:
        """The exception for *building*: one that names it before one for all, a later one before an earlier."""
        found = [
            one for one in self.overrides if day in one and (not one.buildings or building in one.buildings)
        ]
        named = [one for one in found if one.buildings]
        return next(reversed(named or found), None)

    def windows(self, building: str, use: str, day: dt.date, day_type: DayType) -> list[WindowText]:
        """When *building* is open on *day*: its own hours, else those of its use, else the usual ones."""
        keys = _keys(day, day_type, exam=self.is_exam(day))
        for hours in (
            self.hours.get(building),
            self.hours.get(use),
            usual_hours(use, boarding=self.boarding),
        ):
            for key in keys:
                if hours is not None and key in hours:
                    return hours[key]
        return []


def usual_hours(use: str, *, boarding: bool) -> Mapping[HoursKey, list[WindowText]]:
    """The hours of a building where calendar.yaml says nothing: a northern school's day (assumed; schools differ)."""
    usual = _USUAL.get(use, _USUAL["other"])
    return usual if boarding or use not in _BOARDERS else {"school_day": usual["school_day"]}


def _keys(day: dt.date, day_type: DayType, *, exam: bool) -> list[HoursKey]:
    keys: list[HoursKey] = []
    weekend = day.weekday() >= 5
    if day_type is DayType.SCHOOL_DAY and exam:
        keys.append("exam")
    if (day_type is DayType.SCHOOL_DAY and not weekend) or (day_type is DayType.TERM_WEEKEND and weekend):
        keys.append(_WEEKDAY_KEYS[day.weekday()])
    keys.append(_TYPE_KEYS[day_type])
    return keys


_WEEKDAY_KEYS: tuple[HoursKey, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TYPE_KEYS: dict[DayType, HoursKey] = {
    DayType.SCHOOL_DAY: "school_day",
    DayType.TERM_WEEKEND: "term_weekend",
    DayType.HOLIDAY: "holiday",
    DayType.VACATION: "vacation",
}
_ALL_DAY = ["00:00-24:00"]
#: uses whose weekend in term is for boarders only
_BOARDERS = {"dormitory", "canteen"}
_USUAL: dict[str, Hours] = {
    "teaching": {"school_day": ["06:30-22:00"]},
    "office": {"school_day": ["07:30-18:30"]},
    "sports": {"school_day": ["06:00-21:30"]},
    "canteen": {"school_day": ["04:30-20:00"], "term_weekend": ["05:30-19:30"]},
    "dormitory": {"school_day": _ALL_DAY, "term_weekend": _ALL_DAY},
    "boiler_house": {
        "school_day": _ALL_DAY,
        "term_weekend": _ALL_DAY,
        "holiday": _ALL_DAY,
        "vacation": _ALL_DAY,
    },
    "other": {"school_day": ["07:00-20:00"]},
}
