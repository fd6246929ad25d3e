"""One's own account by API: the sessions, and the password."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from api.accounts import LONGEST_PASSWORD, SHORTEST_PASSWORD, Act, SessionView
from api.routes.common import Deps, Id, Person
from api.routes.users import Ended
from api.transport.guarded_route import GuardedRoute
from api.transport.openapi import refused
from api.transport.session import device_of_request, set_cookie

router = APIRouter(prefix="/api", tags=["accounts"], route_class=GuardedRoute)


class OwnSession(BaseModel):
    """Where one is signed in: since when, from which address, with which browser; *current* is the one that asks."""

    id: int
    created_ms: int
    last_used_ms: int
    address: str
    device: str
    current: bool = False


class PasswordChange(BaseModel):
    """The old password and the new one; the old one is not needed in a session that a one-time link has just made."""

    old: str = Field(default="", max_length=LONGEST_PASSWORD)
    new: str = Field(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD)


@router.get("/sessions")
def list_sessions(services: Deps, account: Person) -> list[OwnSession]:
    """One's own sessions, the last used first."""
    found: Sequence[SessionView] = services.accounts.sessions.of(account.user_id, services.now_ms())
    return [
        OwnSession(
            id=one.id, created_ms=one.created_ms, last_used_ms=one.last_used_ms, address=one.address,
            device=one.device, current=one.id == account.session_id,
        )
        for one in found
    ]  # fmt: skip


@router.delete("/sessions/{session_id}", status_code=204)
def end_session(services: Deps, account: Person, session_id: Id) -> None:
    """Signs out on one device."""
    services.accounts.sessions.end(
        session_id, account.user_id, actor=account.actor, act=Act.SESSION_ENDED, now_ms=services.now_ms()
    )


@router.delete("/sessions")
def end_sessions(services: Deps, account: Person) -> Ended:
    """Signs out everywhere, here too."""
    return Ended(
        ended=services.accounts.users.sign_out(account.name, actor=account.actor, now_ms=services.now_ms())
    )


@router.put("/password", status_code=204, responses=refused(429, "Too many wrong passwords"))
def change_password(request: Request, services: Deps, account: Person, body: PasswordChange) -> Response:
    """Sets one's own password, ends every session, and answers with the cookie of a new one."""
    device, now_ms = device_of_request(request), services.now_ms()
    cookie = services.accounts.change_password(account, body.old, body.new, device=device, now_ms=now_ms)
    response = Response(status_code=204)
    set_cookie(request, response, cookie)
    return response
