"""The page of the school calendar: a month by kind of day, the buildings' hours, and the form that changes entries."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from api import calendar_view
from api.accounts import Account, Act
from api.errors import BadRequest
from api.pages import language_of, render
from api.ports import RegisterRefused
from api.routes.common import Deps, Keeper, Viewer, audit, calendar_of
from api.transport.guarded_route import GuardedRoute
from campus.calendar.almanac import Difference, differences
from campus.calendar.change import CalendarChange
from campus.clock import from_ms
from campus.text import translator

router = APIRouter(include_in_schema=False, route_class=GuardedRoute)

#: lines of a preview that are shown; the others are counted
_MOST_LINES = 40
#: the months the page can turn to (years of the library are far within)
_FIRST_YEAR, _LAST_YEAR = 1970, 2200


@router.get("/calendar")
def calendar_page(request: Request, services: Deps, account: Viewer, day: str = "") -> Response:
    """The month of *day* (today, if none is given), with that day's hours."""
    return _page(request, services, account, _day(services, day))


class EntryForm(BaseModel):
    """One entry as the form sends it."""

    kind: Literal["holidays", "school_days", "exam_weeks"]
    action: Literal["preview", "save", "remove"]
    start: str = Field(alias="from")
    end: str = Field(default="", alias="to")
    name: str = ""
    #: the day the page shows
    day: str = ""

    def values(self) -> dict[str, str]:
        """What the entry says; without a last day it is one day long."""
        return {
            "kind": self.kind,
            "name": self.name.strip(),
            "from": self.start,
            "to": self.end or self.start,
        }


@router.post("/calendar")
def change(request: Request, services: Deps, account: Keeper, form: Annotated[EntryForm, Form()]) -> Response:
    """Previews, adds or removes one entry; a mistake is shown with what was typed, and nothing was changed."""
    shown, values = _day(services, form.day), form.values()
    asked = _asked(values, "remove" if form.action == "remove" else "add")
    try:
        if form.action == "preview":
            after = services.register.preview_calendar(asked)
            changed = list(differences(calendar_of(services), after))
            return _page(request, services, account, shown, values=values, changed=changed)
        services.register.put_calendar(asked, account.display_name)
        audit(
            services,
            account,
            Act.CALENDAR_CHANGED,
            "calendar.yaml",
            action=form.action,
            kind=values["kind"],
            first=values["from"],
            last=values["to"],
        )
    except RegisterRefused as error:
        return _page(request, services, account, shown, values=values, refused=error)
    day = shown.isoformat() if form.action == "remove" else form.start
    return RedirectResponse(f"/calendar?day={day}", status_code=303)


def _asked(values: dict[str, str], verb: str) -> CalendarChange:
    """One entry of the form as a change; make-up days are listed one by one."""
    kind, start, end = values["kind"], values["from"], values["to"]
    if kind == "school_days":
        return CalendarChange.model_validate({verb: {kind: _dates(start, end)}})
    span = {"name": values["name"], "from": start, "to": end}
    return CalendarChange.model_validate({verb: {kind: [{key: one for key, one in span.items() if one}]}})


def _dates(start: str, end: str) -> list[str]:
    """The days of a short span; what are no days, or too many, is left for the calendar to refuse."""
    try:
        first, last = dt.date.fromisoformat(start), dt.date.fromisoformat(end)
    except ValueError:
        return [start, end]
    number = (last - first).days
    if not 0 <= number < 31:  # a make-up spell is a few days
        raise BadRequest("to", end, f"a day from {start} on, at most 31 days in all")
    return [(first + dt.timedelta(days=one)).isoformat() for one in range(number + 1)]


def _day(services: Deps, text: str) -> dt.date:
    if not text:
        return from_ms(services.now_ms(), services.campus().site.zone).date()
    try:
        day = dt.date.fromisoformat(text)
    except ValueError as error:
        raise BadRequest("day", text, "a date such as 2026-09-01") from error
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise BadRequest("day", text, f"a day of {_FIRST_YEAR} to {_LAST_YEAR}")
    return day


def _page(
    request: Request,
    services: Deps,
    account: Account,
    day: dt.date,
    *,
    values: dict[str, str] | None = None,
    changed: list[Difference] | None = None,
    refused: RegisterRefused | None = None,
) -> Response:
    translate = translator(language_of(request, services))
    calendar, site = calendar_of(services), services.campus().site
    names = {one.id: one.name for one in site.buildings}
    lines = [] if changed is None else list(calendar_view.effect(changed, names, translate))
    return render(
        request,
        "calendar.html",
        status=422 if refused is not None else 200,
        account=account,
        notices=calendar.notices(translate),
        day=day,
        today=from_ms(services.now_ms(), site.zone).date(),
        before=(day.replace(day=1) - dt.timedelta(days=1)).replace(day=1),
        after=(day.replace(day=1) + dt.timedelta(days=31)).replace(day=1),
        weekdays=calendar_view.WEEKDAYS,
        weeks=calendar_view.weeks(calendar, day, translate),
        types=calendar_view.TYPES,
        told=calendar_view.reason(calendar.day(day), translate) if calendar.settings.terms else "",
        hours=calendar_view.hours(calendar, day, site.buildings, translate)
        if calendar.settings.terms
        else [],
        boarding=calendar.settings.boarding,
        terms=calendar.settings.terms,
        entries=calendar_view.entries(calendar, translate),
        kinds=calendar_view.ENTRIES,
        values=values or {"kind": "holidays", "from": day.isoformat(), "to": day.isoformat(), "name": ""},
        previewed=changed is not None,
        lines=lines[:_MOST_LINES],
        more=max(0, len(lines) - _MOST_LINES),
        problems=refused.problems if refused is not None else (),
    )
