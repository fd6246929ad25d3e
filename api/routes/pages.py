"""The pages: duty, one device, the phone, what was held back; and the parts of them that renew themselves."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from alerts.own.parts import part_name
from api.accounts import Act
from api.assurance import assurance
from api.errors import NotFound
from api.pages import clock, language_of, lines, measured, render
from api.routes.common import Deps, Duty, Id, Keeper, Viewer, audit
from api.routes.quarantine import shortened, throw_away
from api.transport.guarded_route import GuardedRoute
from api.views import buildings, open_cards, recent_cards, revision_views
from campus.quantity import SPECS
from campus.text import translator
from store.operations.database import reading
from store.operations.tables import PhoneMessageRow
from store.quarantine import UNREGISTERED

router = APIRouter(include_in_schema=False, route_class=GuardedRoute)
#: messages, and devices, on the page of what was held back; of each so much
_LISTED = 100
_SHOWN_BYTES = 1_000
_SHOWN_QUANTITIES = 10


@router.get("/")
def duty(request: Request, services: Deps, account: Viewer) -> Response:
    """值班页."""
    for alert in services.book.open_alerts() if services.drills.running() is not None else ():
        if alert.drill:  # an exercise's record tells who has seen it
            services.book.read(alert.id, account.display_name, services.now_ms())
    translate = translator(language_of(request, services))
    health = services.health(translate)
    return render(
        request,
        "duty.html",
        account=account,
        cards=open_cards(services, translate),
        recent=recent_cards(services, translate),
        buildings=buildings(services, translate),
        health=health,
        assurance=assurance(services, health),
        part_name=part_name,
    )


@router.get("/alerts/{alert_id}")
def alert_link(request: Request, services: Deps, account: Viewer, alert_id: Id) -> Response:
    """Where messages link to: the duty page, at that alert."""
    services.book.get(alert_id)
    services.book.read(alert_id, account.display_name, services.now_ms())
    return duty(request, services, account)


@router.get("/parts/alerts")
def alerts_part(request: Request, services: Deps, _: Viewer) -> Response:
    translate = translator(language_of(request, services))
    cards, recent = open_cards(services, translate), recent_cards(services, translate)
    sure = assurance(services, services.health(translate))
    return render(request, "parts/alerts.html", cards=cards, recent=recent, assurance=sure)


@router.get("/parts/devices")
def devices_part(request: Request, services: Deps, _: Viewer) -> Response:
    translate = translator(language_of(request, services))
    return render(request, "parts/devices.html", buildings=buildings(services, translate))


@router.post("/parts/alerts/{alert_id}/acknowledge")
def acknowledge(request: Request, services: Deps, account: Duty, alert_id: Id) -> Response:
    """The button 我来处理; answers with the renewed list."""
    alert = services.book.acknowledge(alert_id, account.display_name, services.now_ms())
    audit(services, account, Act.ALERT_ACKNOWLEDGED, f"alert {alert_id}", device=alert.subject)
    services.feed.publish_alert(str(alert_id))
    return alerts_part(request, services, account)


@router.get("/devices/{device_id}")
def device(request: Request, services: Deps, account: Viewer, device_id: str) -> Response:
    """One device with the last day of each of its series."""
    found = services.campus().devices.get(device_id)
    if found is None:
        raise NotFound("device", device_id)
    series = [
        {
            "quantity": one.quantity.value,
            "channel": one.channel,
            "label": SPECS[one.quantity].label,
            "unit": SPECS[one.quantity].unit,
        }
        for one in services.board.device(device_id)
    ]
    revisions = revision_views(services, device_id, translator(language_of(request, services)))
    return render(request, "device.html", account=account, device=found, series=series, revisions=revisions)


@router.get("/phone")
def phone(request: Request, services: Deps, account: Viewer) -> Response:
    """Messages as the phone would show them."""
    return render(request, "phone.html", account=account, messages=_phone_messages(services))


@router.get("/parts/phone")
def phone_part(request: Request, services: Deps, _: Viewer) -> Response:
    return render(request, "parts/phone.html", messages=_phone_messages(services))


@router.get("/held")
def held(request: Request, services: Deps, account: Viewer) -> Response:
    """Unregistered devices and messages held back; what is long is cut."""
    translate = translator(language_of(request, services))
    entries = services.quarantine.held(limit=_LISTED, unread=True, shown_bytes=_SHOWN_BYTES)
    shown = [
        (one, shortened(one.topic), clock(one.time_ms, services), one.payload.decode(errors="replace"))
        for one in entries
    ]
    unregistered_sources = services.quarantine.unregistered_sources()
    listed = [
        (one, clock(one.last_ms, services), measured(one.quantities[:_SHOWN_QUANTITIES], translate))
        for one in unregistered_sources[:_LISTED]
    ]
    now_ms = services.now_ms()
    asides = [
        (one, clock(one.since_ms, services), clock(one.again_ms, services) if one.again_ms > now_ms else "")
        for one in services.quarantine.set_aside()
    ]
    return render(
        request,
        "held.html",
        account=account,
        entries=shown,
        unregistered_sources=listed,
        more=len(unregistered_sources) - len(listed),
        asides=asides,
        usage=services.quarantine.usage(),
        heard_in_part=services.campus().site.heard_in_part,
    )


@router.post("/held/purge")
def purge_held(services: Deps, account: Keeper, what: Annotated[str, Form()]) -> Response:
    """The buttons 清空: messages nobody could read, or those of unregistered devices."""
    chosen = {"unread": True} if what == "unread" else {"code": UNREGISTERED}
    throw_away(services, account, **chosen)
    return RedirectResponse("/held", status_code=303)


@router.post("/held/set-aside/{aside_id}")
def try_again(services: Deps, account: Keeper, aside_id: int) -> Response:
    """The button 再试一次."""
    if services.quarantine.try_again(aside_id):
        audit(services, account, Act.SET_ASIDE_TRIED, f"set aside {aside_id}")
    return RedirectResponse("/held", status_code=303)


def _phone_messages(services: Deps) -> list[dict[str, object]]:
    query = sa.select(PhoneMessageRow).order_by(PhoneMessageRow.id.desc()).limit(50)
    with Session(reading(services.database)) as session:
        rows = session.scalars(query).all()
    return [
        {
            "title": row.title,
            "body": lines(row.body),
            "recipient": row.recipient,
            "time": clock(row.time_ms, services),
        }
        for row in reversed(rows)
    ]
