"""Server-sent events: what changed, as it changes."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import APIRouter
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.routes.common import Deps, Viewer

router = APIRouter(prefix="/api", tags=["live"])


@router.get("/live", response_class=EventSourceResponse)
async def live(services: Deps, _: Viewer) -> AsyncIterator[ServerSentEvent]:
    """``readings`` with the devices that have news, ``alert`` with an alert's id, ``resync`` when too much was missed."""
    yield ServerSentEvent(event="hello", raw_data="0")
    async for event in services.feed.subscribe():
        yield ServerSentEvent(event=event.kind, raw_data=",".join(event.ids) or "-")
