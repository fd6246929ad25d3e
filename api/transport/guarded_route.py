"""A route that knows who asks before it reads what was sent, and reads no more than it has use for.

FastAPI reads and parses a request's body before it asks its dependencies; a stranger could make it hold any amount.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.dependencies.models import Dependant
from fastapi.responses import Response
from fastapi.routing import APIRoute

from api.errors import BadRequest
from api.transport.bounded_request import BoundedRequest
from api.transport.openapi import refusals
from api.transport.session import SignedIn

#: a form or a JSON document of a person or program that is known
MOST_BYTES = 1024 * 1024
#: a stranger's: the sign-in form
STRANGERS_BYTES = 16 * 1024


class GuardedRoute(APIRoute):
    """Asks for the scope first, then reads at most :attr:`most_bytes` (a stranger's body: 16 KiB)."""

    most_bytes: ClassVar[int] = MOST_BYTES

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        guard = _guard_of(self.dependant)
        expected = refusals(
            role=guard.needed.value if guard is not None else "",
            body=self.body_field is not None,
            names="{" in path,
        )
        self.responses = expected | self.responses
        if guard is not None:
            self.openapi_extra = {"security": [{"token": []}]} | (self.openapi_extra or {})

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler behind the guard."""
        handle, guard = super().get_route_handler(), _guard_of(self.dependant)
        most_bytes = self.most_bytes if guard is not None else STRANGERS_BYTES

        async def guarded(request: Request) -> Response:
            _check_names(request)
            if guard is not None:
                request.state.account = await run_in_threadpool(guard.admit, request)
            return await handle(BoundedRequest(request, most_bytes))

        return guarded


class LargeBodyRoute(GuardedRoute):
    """For whole rule files."""

    most_bytes: ClassVar[int] = 4 * 1024 * 1024


def _guard_of(dependant: Dependant) -> SignedIn | None:
    """The strictest scope that the route or one of its dependencies asks for."""
    found = [_guard_of(one) for one in dependant.dependencies]
    if isinstance(dependant.call, SignedIn):
        found.append(dependant.call)
    guards = [one for one in found if one is not None]
    return max(guards, key=lambda one: one.rank, default=None)


def _check_names(request: Request) -> None:
    """No database takes a NUL character, and none stands in a name; raises :class:`BadRequest`."""
    for name, value in (*request.query_params.multi_items(), *request.path_params.items()):
        if "\0" in name or (isinstance(value, str) and "\0" in value):
            raise BadRequest(name, value, "text without NUL characters")
