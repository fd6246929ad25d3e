"""What the page of the school calendar shows: a month, one day's hours, the school's own entries, and a change's effect."""

from __future__ import annotations

import calendar as months
import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple

from campus.calendar.almanac import Difference, almanac_day
from campus.calendar.calendar import DayType, SchoolCalendar, parse_window
from campus.calendar.school_day import SchoolDay, Why
from campus.site import Building
from campus.text import Translate
from campus.text import marked as _

TYPES = {
    DayType.SCHOOL_DAY: _("上学日"),
    DayType.TERM_WEEKEND: _("学期内周末"),
    DayType.HOLIDAY: _("节假日"),
    DayType.VACATION: _("寒暑假"),
}
WHYS = {
    Why.TERM: _("学期内"),
    Why.WEEKEND: _("周末"),
    Why.VACATION: _("学期之外"),
    Why.EXAM: _("考试"),
    Why.OWN_HOLIDAY: _("学校放假"),
    Why.OWN_SCHOOL_DAY: _("学校补课"),
    Why.NATIONAL_HOLIDAY: _("法定节假日"),
    Why.MAKE_UP: _("调休上班"),
    Why.OVERRIDE: _("例外"),
}
#: kinds of entries the form adds, by the settings of calendar.yaml
ENTRIES = {
    "holidays": _("学校放假"),
    "school_days": _("补课(调休)"),
    "exam_weeks": _("考试周"),
}
WEEKDAYS = (_("一"), _("二"), _("三"), _("四"), _("五"), _("六"), _("日"))
_ORDINARY = {Why.TERM, Why.WEEKEND, Why.VACATION}
_AND = _("、")
_ALL_DAY = _("全天开放")
_SHUT = _("不开放")
_NEXT_DAY = _("{start}–次日 {end}")
_CHANGED = _("{date}:{before} → {after}")
_CHANGED_HOURS = _("{date}:{day},开放时间变了:{buildings}")


class DayCell(NamedTuple):
    """A day of the month's table; *label* only where the day is not an ordinary one."""

    date: dt.date
    type: str
    label: str
    in_month: bool
    exam: bool


class Hours(NamedTuple):
    """A building's hours on the chosen day."""

    building: str
    windows: str
    why: str


class Entry(NamedTuple):
    """A holiday, make-up day or exam week of the school's own."""

    kind: str
    kind_label: str
    name: str
    start: dt.date
    end: dt.date


def weeks(calendar: SchoolCalendar, month: dt.date, translate: Translate) -> list[list[DayCell]]:
    """The month's weeks from Monday on; days of the neighbouring months fill the first and the last."""
    listed = months.Calendar().monthdatescalendar(month.year, month.month)
    return [[_cell(calendar, day, month, translate) for day in week] for week in listed]


def hours(
    calendar: SchoolCalendar, day: dt.date, buildings: list[Building], translate: Translate
) -> list[Hours]:
    """Each building's windows on *day* with the reason."""
    found = {one.building: one for one in almanac_day(calendar, day).buildings}
    return [
        Hours(
            one.name,
            windows_text(found[one.id].windows, translate),
            reason(found[one.id].day, translate),
        )
        for one in buildings
    ]


def entries(calendar: SchoolCalendar, translate: Translate) -> list[Entry]:
    """The school's own holidays, make-up days and exam weeks, newest first."""
    settings = calendar.settings
    spans = [("holidays", one) for one in settings.holidays]
    spans += [("exam_weeks", one) for one in settings.exam_weeks]
    found = [Entry(kind, translate(ENTRIES[kind]), one.name, one.start, one.end) for kind, one in spans]
    label = translate(ENTRIES["school_days"])
    found += [Entry("school_days", label, "", day, day) for day in settings.school_days]
    return sorted(found, key=lambda one: one.start, reverse=True)


def effect(changed: list[Difference], names: dict[str, str], translate: Translate) -> Iterator[str]:
    """A line for each day that a change makes another."""
    for one in changed:
        before, after = reason(one.before.day, translate), reason(one.after.day, translate)
        if before != after:
            yield translate(_CHANGED).format(date=one.date.isoformat(), before=before, after=after)
        else:
            buildings = translate(_AND).join(names.get(building, building) for building in one.buildings)
            yield translate(_CHANGED_HOURS).format(date=one.date.isoformat(), day=after, buildings=buildings)


def reason(day: SchoolDay, translate: Translate) -> str:
    """A day in words: ``节假日(法定节假日 国庆节)``."""
    # An empty text is the catalogue's own header: never translated.
    said = [translate(WHYS[day.why]), translate(day.name) if day.name else ""]
    return f"{translate(TYPES[day.type])} ({' '.join(one for one in said if one)})"


def windows_text(windows: tuple[str, ...], translate: Translate) -> str:
    """Windows for people: an end on the next day is said."""
    return translate(_AND).join(_window_text(one, translate) for one in windows) or translate(_SHUT)


def _window_text(window: str, translate: Translate) -> str:
    start, end = parse_window(window)
    if start == end:
        return translate(_ALL_DAY) if start == dt.time() else _over_night(start, end, translate)
    if end <= start and end != dt.time():
        return _over_night(start, end, translate)
    return f"{start:%H:%M}–{'24:00' if end == dt.time() else f'{end:%H:%M}'}"


def _over_night(start: dt.time, end: dt.time, translate: Translate) -> str:
    return translate(_NEXT_DAY).format(start=f"{start:%H:%M}", end=f"{end:%H:%M}")


def _cell(calendar: SchoolCalendar, day: dt.date, month: dt.date, translate: Translate) -> DayCell:
    found = calendar.day(day)
    label = ""
    if found.why not in _ORDINARY:
        label = translate(found.name) if found.name else translate(WHYS[found.why])
    if found.why is Why.MAKE_UP:
        label = translate(WHYS[Why.MAKE_UP])
    kind = str(found.type) if calendar.settings.terms else "unknown"
    return DayCell(
        day, kind, label, (day.year, day.month) == (month.year, month.month), found.why is Why.EXAM
    )
