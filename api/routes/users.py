"""Users by API: who may sign in, in which role; whoever is disabled or removed is signed out at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from api.accounts import LINK_LIVES_MS, AccountRole, User
from api.errors import PersonNeeded
from api.routes.common import Admin, Deps
from api.transport.guarded_route import GuardedRoute
from api.transport.openapi import refused

router = APIRouter(prefix="/api", tags=["accounts"], route_class=GuardedRoute)

Name = Annotated[str, Path(min_length=1, max_length=80)]
_LAST = refused(409, "He is the last administrator who can sign in")


class UserView(BaseModel):
    """A user; times in UTC milliseconds."""

    name: str
    display_name: str
    role: AccountRole
    disabled: bool
    has_password: bool
    created_ms: int
    last_used_ms: int | None
    sessions: int


class NewUser(BaseModel):
    """A user to add. He sets his password himself, with a one-time link."""

    name: str = Field(min_length=1, max_length=40)
    display_name: str = Field(default="", max_length=40)
    role: AccountRole = AccountRole.VIEWER


class UserChange(BaseModel):
    """What is left out, or null, stays."""

    display_name: str | None = Field(default=None, max_length=40)
    role: AccountRole | None = None
    disabled: bool | None = None


class LinkView(BaseModel):
    """A one-time sign-in link: the path to add to the page's address."""

    path: str
    expires_ms: int


class Ended(BaseModel):
    """How many sessions were ended."""

    ended: int


@router.get("/users", response_model=list[UserView])
def list_users(services: Deps, _: Admin) -> Sequence[User]:
    """Everybody who may sign in, by name."""
    return services.accounts.users.all()


@router.post("/users", status_code=201, response_model=UserView, responses=refused(409, "The name is taken"))
def add_user(services: Deps, account: Admin, body: NewUser) -> User:
    """Adds a user without a password."""
    services.accounts.users.add(
        body.name, body.display_name, body.role, actor=account.actor, now_ms=services.now_ms()
    )
    return services.accounts.users.get(body.name)


@router.patch("/users/{name}", response_model=UserView, responses=_LAST)
def change_user(services: Deps, account: Admin, name: Name, body: UserChange) -> User:
    """Changes role or display name, disables or enables."""
    services.accounts.users.change(
        name, display_name=body.display_name, role=body.role, disabled=body.disabled, actor=account.actor,
        now_ms=services.now_ms(),
    )  # fmt: skip
    return services.accounts.users.get(name)


@router.delete("/users/{name}", status_code=204, responses=_LAST)
def delete_user(services: Deps, account: Admin, name: Name) -> None:
    """Removes a user; what he did stays under his name."""
    services.accounts.users.delete(name, actor=account.actor, now_ms=services.now_ms())


@router.post("/users/{name}/sign-out", response_model=Ended)
def sign_out(services: Deps, account: Admin, name: Name) -> Ended:
    """Ends every session of that user."""
    return Ended(ended=services.accounts.users.sign_out(name, actor=account.actor, now_ms=services.now_ms()))


@router.post("/users/{name}/link", response_model=LinkView)
def make_link(services: Deps, account: Admin, name: Name) -> LinkView:
    """A one-time sign-in link, with which a first or forgotten password can be set. Not for tokens: no token becomes a person."""
    if not account.is_person:
        raise PersonNeeded
    now_ms = services.now_ms()
    secret = services.accounts.make_link(name, now_ms, account.actor)
    return LinkView(path=f"/sign-in/link?token={secret}", expires_ms=now_ms + LINK_LIVES_MS)
