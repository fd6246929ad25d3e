"""Health and metrics."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.pages import language_of
from api.ports import Condition
from api.routes.common import Deps, Viewer
from api.transport.guarded_route import GuardedRoute
from campus.text import marked, translator

router = APIRouter(tags=["health"], route_class=GuardedRoute)

_CONDITIONS: dict[str, Any] = {"application/json": {"schema": {"type": "object"}}}


@router.get("/health/live")
async def live() -> dict[str, str]:
    """The process answers; it waits for no thread, as they may all be busy."""
    return {"status": "ok"}


@router.get("/health/ready", responses={503: {"description": "A part is down", "content": _CONDITIONS}})
def ready(services: Deps) -> Response:
    """503 when a part is down or not proven yet; without sign-in only the conditions are told, not the reasons."""
    health = services.health(marked)
    parts = {part.name: part.condition.value for part in health.parts}
    status = 503 if health.condition in {Condition.DOWN, Condition.STARTING} else 200
    return JSONResponse({"status": health.condition.value, "parts": parts}, status_code=status)


@router.get("/api/health")
def detailed(request: Request, services: Deps, _: Viewer) -> dict[str, Any]:
    """Every part with its reason, in the reader's language."""
    health = services.health(translator(language_of(request, services)))
    return {"status": health.condition.value, "parts": msgspec.to_builtins(health.parts)}


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(services: Deps) -> Response:
    """Prometheus metrics: counts only, nothing of persons or places."""
    return Response(generate_latest(services.metrics), media_type=CONTENT_TYPE_LATEST)
