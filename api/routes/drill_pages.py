"""The pages of exercises: the list with the form, one with its record, and what is written down of its alerts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from alerts.alert import AlertState
from alerts.drills.record import record_of
from api.accounts import Account, Act, Scope
from api.drills.excel import DEEDS_HEAD, EARLIER_HEAD, EXPECTED_HEAD, PARTS, SIGNATURES, TITLE
from api.drills.sheet import sheet_of, summary
from api.drills.words import RECIPIENTS, span
from api.errors import NotFound
from api.pages import language_of, render
from api.ports import DrillRefused
from api.routes.common import Admin, Deps, Duty, Id, Viewer, audit
from api.routes.drills import Order, drill_of, ordered, visible
from api.services import Services
from api.transport.guarded_route import GuardedRoute
from campus.clock import DAY_MS, MINUTE_MS
from campus.drill import is_drill
from campus.text import translator

router = APIRouter(include_in_schema=False, route_class=GuardedRoute)

#: the page's own fast speed: an hour of the scenario takes a minute
FAST = 60
#: what takes longer in real time, and cannot be fast, is not offered
LONGEST_MIN = DAY_MS // MINUTE_MS


@router.get("/drills")
def drills(request: Request, services: Deps, account: Viewer) -> Response:
    """演练."""
    people = [one.id for one in services.campus().on_duty(services.now_ms())]
    return _list(request, services, account, {"people": people, "announced": True, "speed": 1})


class OrderForm(BaseModel):
    """The form's fields; an empty *start* is now."""

    scenario: str = Field(min_length=1, max_length=80)
    people: list[str] = Field(default_factory=list, max_length=200)
    device: str = Field(default="", max_length=80)
    speed: int = Field(default=1, ge=1, le=FAST)
    announced: bool = True
    start: str = Field(default="", max_length=40)


@router.post("/drills")
def order(request: Request, services: Deps, account: Admin, form: Annotated[OrderForm, Form()]) -> Response:
    """Begins one; or the form again, with the reason why not."""
    values = form.model_dump()
    try:
        drill = ordered(services, account, Order(**values))
    except DrillRefused as error:
        words = error.words(translator(language_of(request, services)))
        return _list(request, services, account, values, refused=words)
    return RedirectResponse(f"/drills/{drill.id}", status_code=303)


@router.get("/drills/{drill_id}")
def drill(request: Request, services: Deps, account: Viewer, drill_id: Id) -> Response:
    """One exercise and its record."""
    return _record(request, services, account, drill_id, "drill.html")


@router.get("/parts/drills/{drill_id}")
def drill_part(request: Request, services: Deps, account: Viewer, drill_id: Id) -> Response:
    return _record(request, services, account, drill_id, "parts/drill.html")


@router.post("/drills/{drill_id}/stop")
def stop(services: Deps, account: Duty, drill_id: Id) -> Response:
    """The stop button."""
    drill_of(services, account, drill_id)
    services.drills.stop(drill_id, account.display_name)
    audit(services, account, Act.DRILL_STOPPED, f"drill {drill_id}")
    return RedirectResponse(f"/drills/{drill_id}", status_code=303)


@router.post("/drills/{drill_id}/alerts/{alert_id}")
def handle(
    services: Deps,
    account: Duty,
    drill_id: Id,
    alert_id: Id,
    cause: Annotated[str, Form(max_length=2000)] = "",
    repair_note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Takes an alert of it on, and writes down what was done."""
    found, now_ms = drill_of(services, account, drill_id), services.now_ms()
    alert = services.book.get(alert_id)
    if alert_id not in {one.id for one in record_of(services.database, found, now_ms).heard}:
        raise NotFound("drill alert", alert_id)
    if alert.state is AlertState.FIRING:
        services.book.acknowledge(alert_id, account.display_name, now_ms)
        audit(services, account, Act.ALERT_ACKNOWLEDGED, f"alert {alert_id}", device=alert.subject)
    if cause or repair_note:
        services.book.note(
            alert_id, account.display_name, now_ms, cause=cause or None, repair_note=repair_note or None
        )
        audit(services, account, Act.ALERT_NOTED, f"alert {alert_id}", device=alert.subject)
    services.feed.publish_alert(str(alert_id))
    return RedirectResponse(f"/drills/{drill_id}", status_code=303)


def _list(
    request: Request, services: Services, account: Account, values: dict[str, object], *, refused: str = ""
) -> Response:
    language = language_of(request, services)
    translate = translator(language)
    campus = services.campus()
    known = services.drills.scenarios(language) if account.may(Scope.ADMIN) else ()
    people = [
        *((name, translate(RECIPIENTS[name])) for name in ("group", "duty")),
        *((one.id, one.name) for one in campus.people.values()),
    ]
    return render(
        request,
        "drills.html",
        status=409 if refused else 200,
        account=account,
        drills=[(one, summary(services, one, translate)) for one in visible(services, account)],
        scenarios=[
            (one, span(one.minutes * MINUTE_MS, translate))
            for one in known
            if one.fast or one.minutes <= LONGEST_MIN
        ],
        people=people,
        devices=[one for one in campus.devices.values() if one.decoder and not is_drill(one.id)],
        values=values,
        refused=refused,
        fast=FAST,
    )


def _record(request: Request, services: Services, account: Account, drill_id: int, template: str) -> Response:
    found = drill_of(services, account, drill_id)
    sheet = sheet_of(services, found, translator(language_of(request, services)))
    return render(
        request,
        template,
        account=account,
        sheet=sheet,
        may_stop=not found.over and account.may(Scope.DUTY),
        may_handle=account.may(Scope.DUTY),
        parts=PARTS,
        expected_head=EXPECTED_HEAD,
        deeds_head=DEEDS_HEAD,
        earlier_head=EARLIER_HEAD,
        signatures=SIGNATURES,
        record_title=TITLE,
    )
