"""The school calendar by API: days with their hours and reasons, changes, and what a change would do."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Query

from api.accounts import Act
from api.errors import BadRequest
from api.routes.common import Deps, Keeper, Viewer, audit, calendar_of
from api.transport.guarded_route import GuardedRoute
from campus.calendar.almanac import AlmanacDay, BuildingDay, almanac_days, differences
from campus.calendar.calendar import SchoolCalendar
from campus.calendar.change import CalendarChange, plain
from campus.calendar.school_day import SchoolDay
from campus.clock import from_ms
from campus.text import translator

router = APIRouter(prefix="/api", tags=["calendar"], route_class=GuardedRoute)

MOST_DAYS = 800
#: days of a preview that are told one by one; the others are counted
_MOST_TOLD = 400


@router.get("/calendar")
def get_calendar(
    services: Deps,
    _: Viewer,
    year: Annotated[int | None, Query(ge=1970, le=2200)] = None,
    start: Annotated[dt.date | None, Query(alias="from")] = None,
    end: Annotated[dt.date | None, Query(alias="to")] = None,
) -> dict[str, Any]:
    """Each day's type and each building's opening windows, with the reason; of a *year* (this one, if nothing is given),
    or *from* one day *to* another, both included. A window that does not end after it starts ends on the next day.
    ``settings`` is what calendar.yaml says. ``notices`` names the years whose public holidays are not known.
    """
    this_year = from_ms(services.now_ms(), services.campus().site.zone).year
    first = start or dt.date(year or (end.year if end is not None else this_year), 1, 1)
    last = end or dt.date(year or first.year, 12, 31)
    if not dt.timedelta(0) <= last - first < dt.timedelta(days=MOST_DAYS):
        raise BadRequest("to", last.isoformat(), f"a day from {first} on, at most {MOST_DAYS} days in all")
    calendar = calendar_of(services)
    return {
        "settings": {"boarding": calendar.settings.boarding, **plain(calendar.settings)},
        "notices": calendar.notices(translator(services.campus().site.language)),
        "unknown_years": calendar.unknown_years(range(first.year, last.year + 1)),
        "days": [_day_json(one) for one in almanac_days(calendar, first, last)],
    }


@router.put("/calendar")
def put_calendar(services: Deps, account: Keeper, body: CalendarChange) -> dict[str, Any]:
    """Changes calendar.yaml: all ``settings``, or entries to ``remove`` and to ``add``. In force at once, and answered with
    the days it changed. 422 with every mistake, and nothing changed, where it cannot be.
    """
    before = calendar_of(services)
    services.register.put_calendar(body, account.display_name)
    audit(services, account, Act.CALENDAR_CHANGED, "calendar.yaml")
    return changes_json(before, calendar_of(services))


@router.post("/calendar/preview")
def preview_calendar(services: Deps, _: Keeper, body: CalendarChange) -> dict[str, Any]:
    """The days that a change would change, each before and after; nothing is changed."""
    return changes_json(calendar_of(services), services.register.preview_calendar(body))


def changes_json(before: SchoolCalendar, after: SchoolCalendar) -> dict[str, Any]:
    """How many days differ, and the first of them before and after; buildings only where theirs differ."""
    found = list(differences(before, after))
    return {
        "changed_days": len(found),
        "days": [
            {
                "date": one.date.isoformat(),
                "before": _day_json(one.before, one.buildings),
                "after": _day_json(one.after, one.buildings),
            }
            for one in found[:_MOST_TOLD]
        ],
    }


def _day_json(one: AlmanacDay, only: tuple[str, ...] | None = None) -> dict[str, Any]:
    told = [building for building in one.buildings if only is None or building.building in only]
    return {
        "date": one.date.isoformat(),
        **_reason(one.day),
        "known": one.known,
        "buildings": {building.building: _building_json(building) for building in told},
    }


def _building_json(one: BuildingDay) -> dict[str, Any]:
    return {**_reason(one.day), "windows": list(one.windows)}


def _reason(day: SchoolDay) -> dict[str, str]:
    return {"type": day.type, "reason": day.why, "name": day.name}
