"""What every route needs: the services of the application, and who is asking."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query, Request

from api.accounts import Account, Act, Scope
from api.errors import BadRequest, NotFound
from api.services import Services
from api.transport.bounded_request import MOST_WHOLE
from api.transport.session import SignedIn
from campus.calendar.calendar import CalendarSettings, SchoolCalendar
from campus.clock import parse_iso
from campus.device import Device
from campus.errors import BadTime

#: the first moment of 2200: beyond it calendars and sums of spans end
_LAST_MS = 7_258_118_400_000

#: the number of an alert, a drill, a message
Id = Annotated[int, Path(ge=0, le=MOST_WHOLE)]
IdBefore = Annotated[int | None, Query(ge=0, le=MOST_WHOLE)]


def services_of(request: Request) -> Services:
    """The services this application was made with."""
    services: Services = request.app.state.services
    return services


Deps = Annotated[Services, Depends(services_of)]
Viewer = Annotated[Account, Depends(SignedIn(Scope.READ))]
Duty = Annotated[Account, Depends(SignedIn(Scope.DUTY))]
Keeper = Annotated[Account, Depends(SignedIn(Scope.REGISTER))]
Admin = Annotated[Account, Depends(SignedIn(Scope.ADMIN))]
#: somebody who has signed in; a token is refused
Person = Annotated[Account, Depends(SignedIn(Scope.READ, person=True))]


def audit(services: Services, account: Account, act: Act, subject: object, **detail: object) -> None:
    """Writes down what *account* has done; every route that changes something does, see tests/api/test_audit.py."""
    services.accounts.audit.note(account.actor, act, subject, services.now_ms(), **detail)


def device_of(services: Services, device_id: str) -> Device:
    """The device of the register; raises :class:`NotFound`."""
    device = services.campus().devices.get(device_id)
    if device is None:
        raise NotFound("device", device_id)
    return device


def moment_of(name: str, text: str, otherwise: int, services: Services) -> int:
    """The parameter *name* as milliseconds, *otherwise* where it was left out; raises :class:`BadRequest`."""
    if not text:
        return otherwise
    try:
        moment_ms = parse_iso(text.replace(" ", "+"), services.campus().site.zone)
    except (BadTime, OverflowError) as error:  # the first and last hours of all years have no UTC
        raise BadRequest(name, text, "ISO 8601 such as 2026-11-21T08:00:00+08:00") from error
    if not 0 <= moment_ms < _LAST_MS:
        raise BadRequest(name, text, "a moment of the years 1970 to 2199")
    return moment_ms


def calendar_of(services: Services) -> SchoolCalendar:
    """The school calendar of the moment; one that says nothing where the campus has none."""
    campus = services.campus()
    if isinstance(campus.hours, SchoolCalendar):
        return campus.hours
    return SchoolCalendar(
        CalendarSettings(), {one.id: one.use for one in campus.site.buildings}, campus.site.zone
    )
