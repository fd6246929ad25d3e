"""The school calendar told day by day, for people and programs; and what a change of it changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple

from campus.calendar.calendar import CalendarSettings, SchoolCalendar
from campus.calendar.school_day import SchoolDay, Why


class BuildingDay(NamedTuple):
    """One building on one day: the windows in which it opens, and why."""

    building: str
    day: SchoolDay
    windows: tuple[str, ...]


class AlmanacDay(NamedTuple):
    """A day of the school and of each building; *known* is false in a year whose public holidays are not known."""

    date: dt.date
    day: SchoolDay
    known: bool
    buildings: tuple[BuildingDay, ...]


class Difference(NamedTuple):
    """A day that is another after a change, and the buildings whose day or windows are."""

    date: dt.date
    before: AlmanacDay
    after: AlmanacDay
    buildings: tuple[str, ...]


def almanac_days(calendar: SchoolCalendar, start: dt.date, end: dt.date) -> Iterator[AlmanacDay]:
    """Every day from *start* to *end*, both included; none without any term, as nothing is known then."""
    if not calendar.settings.terms:
        return
    for number in range((end - start).days + 1):
        yield almanac_day(calendar, start + dt.timedelta(days=number))


def almanac_day(calendar: SchoolCalendar, day: dt.date) -> AlmanacDay:
    """One day of the school and of each of its buildings."""
    return AlmanacDay(
        day,
        calendar.day(day),
        not calendar.unknown_years([day.year]),
        tuple(_building(calendar, one, day) for one in calendar.buildings),
    )


def differences(before: SchoolCalendar, after: SchoolCalendar) -> Iterator[Difference]:
    """The days on which the school or a building is another after a change, in order.

    Only days that one of the two calendars speaks of are compared, from its first to its last; beyond lies vacation.
    """
    edges = [*_edges(before.settings), *_edges(after.settings)]
    knows = [bool(one.settings.terms) for one in (before, after)]
    if not edges or not any(knows):
        return
    first = min(edges)
    for number in range((max(edges) - first).days + 1):
        day = first + dt.timedelta(days=number)
        old, new = almanac_day(before, day), almanac_day(after, day)
        if old != new or not all(knows):
            pairs = zip(old.buildings, new.buildings, strict=True)
            yield Difference(day, old, new, tuple(one.building for one, other in pairs if one != other))


def _building(calendar: SchoolCalendar, building: str, day: dt.date) -> BuildingDay:
    override = calendar.hours_override(building, day)
    found = calendar.day(day, building)
    if override is not None:
        found = SchoolDay(found.type, Why.OVERRIDE, override)
    return BuildingDay(building, found, tuple(calendar.windows(building, day)))


def _edges(settings: CalendarSettings) -> Iterator[dt.date]:
    for span in (*settings.terms, *settings.holidays, *settings.exam_weeks, *settings.overrides):
        yield span.start
        yield span.end
    yield from settings.school_days
