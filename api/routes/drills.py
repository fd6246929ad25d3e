"""Exercises by API: what can be run, ordering one, stopping one, its record."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from alerts.drills.drill import Drill, DrillLog, DrillOrder, DrillState
from alerts.drills.record import earlier_of, record_of
from alerts.errors import NoSuchDrill
from api.accounts import Account, Act, Scope
from api.drills.excel import MEDIA_TYPE, workbook
from api.drills.sheet import sheet_of
from api.pages import language_of
from api.routes.common import Admin, Deps, Duty, Id, IdBefore, Viewer, audit, moment_of
from api.services import Services
from api.transport.guarded_route import GuardedRoute
from api.transport.openapi import refused
from campus.text import translator

router = APIRouter(prefix="/api", tags=["drills"], route_class=GuardedRoute)


class Order(BaseModel):
    """An exercise to run. *people*: ids of people.csv, roles, `duty` or `group`. *device* is one to shadow, else the
    scenario chooses. *speed* above 1 compresses time for the drill devices and their rules. *start*: ISO 8601, empty: now.
    """

    scenario: str = Field(min_length=1, max_length=80)
    people: list[str] = Field(max_length=200)
    announced: bool = True
    device: str = Field(default="", max_length=80)
    speed: int = Field(default=1, ge=1, le=600)
    start: str = Field(default="", max_length=40)


@router.get("/drills/scenarios")
def list_scenarios(request: Request, services: Deps, _: Viewer) -> list[dict[str, Any]]:
    """What can be exercised, the most common first."""
    return [msgspec.to_builtins(one) for one in services.drills.scenarios(language_of(request, services))]


@router.get("/drills")
def list_drills(
    services: Deps,
    account: Viewer,
    before_id: IdBefore = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[dict[str, Any]]:
    """Exercises, the newest first. One that is to be a surprise shows only to admins before it begins."""
    return [
        msgspec.to_builtins(one) for one in visible(services, account, before_id=before_id or 0, limit=limit)
    ]


@router.post("/drills", status_code=201, responses=refused(409, "Refused, and why"))
def order_drill(services: Deps, account: Admin, body: Order) -> dict[str, Any]:
    """Begins an exercise, or keeps it for its time. 409 with the reason where it must not be."""
    drill = ordered(services, account, body)
    shown: dict[str, Any] = msgspec.to_builtins(drill)
    return shown


@router.get("/drills/{drill_id}")
def get_drill(services: Deps, account: Viewer, drill_id: Id) -> dict[str, Any]:
    """An exercise with its record: alerts, story, score, and the scores of earlier ones of the same scenario."""
    drill, now_ms = drill_of(services, account, drill_id), services.now_ms()
    record = record_of(services.database, drill, now_ms)
    shown: dict[str, Any] = msgspec.to_builtins(record)
    score = {"passed": record.score.passed, "due": record.score.due, "missed": record.score.missed}
    earlier = [
        {
            "id": one.drill.id,
            "passed": one.score.passed,
            "due": one.score.due,
            "score": msgspec.to_builtins(one.score),
        }
        for one in earlier_of(services.database, drill, now_ms)
    ]
    return shown | {"score": shown["score"] | score, "earlier": earlier}


@router.post("/drills/{drill_id}/stop", responses=refused(409, "Cannot be stopped, and why"))
def stop_drill(services: Deps, account: Duty, drill_id: Id) -> dict[str, Any]:
    """Ends an exercise at once, or drops one that was planned. One that is over stays as it is."""
    drill_of(services, account, drill_id)
    shown: dict[str, Any] = msgspec.to_builtins(services.drills.stop(drill_id, account.display_name))
    audit(services, account, Act.DRILL_STOPPED, f"drill {drill_id}")
    return shown


@router.get(
    "/drills/{drill_id}/record.xlsx", response_class=Response, responses={200: {"content": {MEDIA_TYPE: {}}}}
)
def get_workbook(request: Request, services: Deps, account: Viewer, drill_id: Id) -> Response:
    """The record as an Excel workbook."""
    drill, translate = drill_of(services, account, drill_id), translator(language_of(request, services))
    body = workbook(sheet_of(services, drill, translate), services.campus().site.name, translate)
    name = quote(f"演练记录-{drill_id}.xlsx")
    return Response(
        body, media_type=MEDIA_TYPE, headers={"content-disposition": f"attachment; filename*=UTF-8''{name}"}
    )


def ordered(services: Services, account: Account, body: Order) -> Drill:
    """Orders what *body* says; raises :class:`api.ports.DrillRefused`."""
    now_ms = services.now_ms()
    order = DrillOrder(
        scenario=body.scenario,
        people=tuple(dict.fromkeys(body.people)),
        announced=body.announced,
        speed=body.speed,
        device=body.device,
        start_ms=moment_of("start", body.start, 0, services),
        seed=now_ms // 1000 % 1_000_000,
    )
    drill = services.drills.order(order, account.display_name)
    audit(services, account, Act.DRILL_ORDERED, f"drill {drill.id}", scenario=order.scenario)
    return drill


def visible(services: Services, account: Account, *, before_id: int = 0, limit: int = 50) -> list[Drill]:
    """Those an account may know of."""
    found = DrillLog(services.database).find(before_id=before_id, limit=limit)
    return [one for one in found if _may_know(one, account)]


def drill_of(services: Services, account: Account, drill_id: int) -> Drill:
    """One exercise; raises :class:`NoSuchDrill`, also for a surprise to be."""
    drill = DrillLog(services.database).get(drill_id)
    if not _may_know(drill, account):
        raise NoSuchDrill(drill_id)
    return drill


def _may_know(drill: Drill, account: Account) -> bool:
    secret = drill.state is DrillState.PLANNED and not drill.asked.announced
    return account.may(Scope.ADMIN) or not secret
