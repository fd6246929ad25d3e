"""Alerts: what fires, its life, and who takes it on."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from alerts.alert import Alert, AlertState
from alerts.cursor import AlertCursor
from alerts.errors import BadCursor
from alerts.own.service import texts_for
from api.accounts import Act
from api.errors import BadRequest
from api.routes.common import Deps, Duty, Id, IdBefore, Viewer, audit
from api.services import Services
from api.transport.guarded_route import GuardedRoute
from api.transport.openapi import refused
from campus.text import translator

router = APIRouter(prefix="/api", tags=["alerts"], route_class=GuardedRoute)


class Note(BaseModel):
    """What it was and what was done; what is left out, or null, stays as it was, and "" empties."""

    cause: str | None = Field(default=None, max_length=2000)
    repair_note: str | None = Field(default=None, max_length=2000)


@router.get("/alerts")
def list_alerts(
    services: Deps,
    _: Viewer,
    *,
    state: Annotated[list[AlertState] | None, Query()] = None,
    rule: str = "",
    subject: str = "",
    after: Annotated[str, Query(max_length=40)] = "",
    before_id: IdBefore = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[dict[str, Any]]:
    """Open alerts first, the worst on top, then the resolved, the newest on top. Page on with *after*: the ``cursor`` of the
    last alert seen. With *before_id*: those with a smaller number, simply the newest on top.
    """
    try:
        place = AlertCursor.parse(after) if after else None
    except BadCursor as error:
        raise BadRequest("after", after, error.expected) from error
    found = services.book.find(
        states=state or (), rule=rule, subject=subject, after=place, before_id=before_id, limit=limit
    )
    return [alert_json(services, alert) | {"cursor": str(AlertCursor.of(alert))} for alert in found]


@router.get("/alerts/{alert_id}")
def get_alert(services: Deps, _: Viewer, alert_id: Id) -> dict[str, Any]:
    """One alert with its life."""
    events = [msgspec.to_builtins(event) for event in services.book.events(alert_id)]
    return alert_json(services, services.book.get(alert_id)) | {"events": events}


@router.post("/alerts/{alert_id}/acknowledge", responses=refused(409, "The alert is over"))
def acknowledge(services: Deps, account: Duty, alert_id: Id) -> dict[str, Any]:
    """I take it on. Whoever was first stays."""
    alert = services.book.acknowledge(alert_id, account.display_name, services.now_ms())
    audit(services, account, Act.ALERT_ACKNOWLEDGED, f"alert {alert_id}", device=alert.subject)
    services.feed.publish_alert(str(alert_id))
    return alert_json(services, alert)


@router.post("/alerts/{alert_id}/note")
def note(services: Deps, account: Duty, alert_id: Id, body: Note) -> dict[str, Any]:
    """Cause and repair, for the record."""
    alert = services.book.note(
        alert_id, account.display_name, services.now_ms(), cause=body.cause, repair_note=body.repair_note
    )
    audit(services, account, Act.ALERT_NOTED, f"alert {alert_id}", device=alert.subject)
    services.feed.publish_alert(str(alert_id))
    return alert_json(services, alert)


def alert_json(services: Services, alert: Alert) -> dict[str, Any]:
    """An alert as the API shows it, with its words."""
    campus = services.campus()
    words = texts_for(alert.rule, alert.subject, alert.evidence, campus, translator(campus.site.language))
    shown: dict[str, Any] = msgspec.to_builtins(alert)
    return shown | {"title": words.title, "lines": list(words.lines), "advice": words.advice}
