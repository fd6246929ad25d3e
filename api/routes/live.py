"""Server-sent events: what changed, as it changes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.guarded_route import GuardedRoute
from api.openapi import refused
from api.routes.common import Deps, Viewer
from api.stream_seats import StreamSeats

router = APIRouter(prefix="/api", tags=["live"], route_class=GuardedRoute)


def _seat(request: Request, account: Viewer) -> Iterator[None]:
    """A seat among the live feeds, until this one ends."""
    seats: StreamSeats = request.app.state.stream_seats
    with seats.taken(account.name):
        yield


@router.get(
    "/live",
    response_class=EventSourceResponse,
    responses=refused(429, "The account has as many live pages open as it may"),
)
async def live(services: Deps, _: Annotated[None, Depends(_seat)]) -> AsyncIterator[ServerSentEvent]:
    """``readings`` with the devices that have news, ``alert`` with an alert's id, ``resync`` when too much was missed."""
    yield ServerSentEvent(event="hello", raw_data="0")
    async for event in services.feed.subscribe():
        yield ServerSentEvent(event=event.kind, raw_data=",".join(event.ids) or "-")
