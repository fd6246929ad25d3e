"""Server-sent events: what changed, as it changes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.routes.common import Deps, Viewer
from api.transport.guarded_route import GuardedRoute
from api.transport.openapi import refused
from api.transport.session import current_account
from api.transport.stream_seats import StreamSeats

router = APIRouter(prefix="/api", tags=["live"], route_class=GuardedRoute)


def _seat(request: Request, account: Viewer) -> Iterator[None]:
    """A seat among the live feeds, until this one ends."""
    seats: StreamSeats = request.app.state.stream_seats
    with seats.taken(account.actor.name):
        yield


#: a stream whose session or token has ended is closed with the next event, and no later than this
_CHECKED_S = 2.0


@router.get(
    "/live",
    response_class=EventSourceResponse,
    responses=refused(429, "The account has as many live pages open as it may"),
)
async def live(
    request: Request, services: Deps, _: Annotated[None, Depends(_seat)]
) -> AsyncIterator[ServerSentEvent]:
    """``readings`` with the devices that have news, ``alert`` with an alert's id, ``resync`` when too much was missed.

    Ends when the session or token does.
    """
    yield ServerSentEvent(event="hello", raw_data="0")
    async for event in services.feed.subscribe(quiet_s=_CHECKED_S):
        if await run_in_threadpool(current_account, request) is None:
            return
        if event.kind != "quiet":
            yield ServerSentEvent(event=event.kind, raw_data=",".join(event.ids) or "-")
